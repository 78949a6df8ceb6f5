import { z } from 'zod';
import { UserError } from '../errors.js';
import { defineReward } from './define.js';
import { isFeatureName, saysOf } from './inferred/features.js';
import { dot, quadratic } from './inferred/matrix.js';
import { openFeatures, standardised } from './inferred/measure.js';
import { type Values, readValues } from './inferred/values-file.js';
import type { Rated, Reward } from './reward.js';
import { digest } from './text-reward.js';

const File = z.string().min(1);
const Options = z.union([File, z.strictObject({
  /** What `heed infer` wrote. */
  file: File,
  /** κ: how many standard deviations of what is not known are taken off. */
  caution: z.number().min(0).default(0),
  /** Responses with at least this value are satisfactory. Default: where people voted, the value that their votes tell; else no line. */
  threshold: z.number().optional(),
})]);

/**
 * `inferred: FILE`: what people were found to value (`heed infer`). Value: w* · φ − κ √(φᵀ S φ), the mean of the posterior over the
 * weights, less κ standard deviations: a response unlike all that people were asked about is not trusted to be good.
 */
export const inferred = defineReward({
  name: 'inferred',
  learned: true,
  options: Options,
  describe: (options) => `inferred:${typeof options === 'string' ? options : options.file}`,
  async open(given) {
    const { file, caution, threshold } = typeof given === 'string' ? { file: given, caution: 0, threshold: undefined } : given;
    const values = await readValues(file);
    return createInferredReward(`inferred:${file}`, values, { caution, threshold });
  },
});

/** A reward from values that were inferred. @throws UserError where a module's feature is another than the values were inferred with */
export async function createInferredReward(
  name: string, values: Values, { caution = 0, threshold = values.threshold?.mean }: { caution?: number; threshold?: number } = {},
): Promise<Reward> {
  const features = await openFeatures(values.features.map((one) => one.name));
  const changed = values.features.find((one) => one.version !== features.versions[one.name]);
  if (changed !== undefined) {
    throw new UserError(`The feature ${changed.name} is not the one that ${name} was inferred with: its module was changed.`, [
      'Restore the module, or infer anew: heed infer.',
    ]);
  }
  const { mean, covariance } = values;

  const rated = (row: readonly number[]): Rated => {
    const phi = standardised(row, values.features);
    const [value, deviation] = [dot(mean, phi), Math.sqrt(Math.max(0, quadratic(covariance, phi)))];
    const careful = value - caution * deviation;
    const satisfied = threshold === undefined ? undefined : careful >= threshold;
    const bad = `Its inferred value is ${careful.toFixed(2)}, below ${threshold?.toFixed(2)}${against(phi)}.`;
    return { value: careful, reason: satisfied === false ? bad : null, parts: { value, deviation }, satisfied };
  };

  /** The features that speak most against a response. */
  const against = (phi: readonly number[]): string => {
    const worst = phi.map((x, k) => ({ name: values.features[k]!.name, share: mean[k]! * x })).filter(({ share }) => share < 0)
      .sort((a, b) => a.share - b.share).slice(0, 3);
    if (worst.length === 0) return '';
    const words = worst.map(({ name: one, share }) => `${isFeatureName(one) ? saysOf(one) : one} (${share.toFixed(2)})`);
    return `; against it: ${words.join(', ')}`;
  };

  return {
    name: `${name} ${digest([values, caution, threshold])}`,
    drawsLine: threshold !== undefined,
    async rate(items, { onProgress } = {}) {
      const measured = await features.measure(items);
      onProgress?.(items.length, items.length);
      return measured.map(rated);
    },
    async close() { /* Nothing is held. */ },
  };
}
