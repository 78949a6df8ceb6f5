import { UserError, nearest } from '../../errors.js';
import { failed } from '../../judge/respondent.js';
import { moduleDigest } from '../../run/module-digest.js';
import { loadExport, namesExport } from '../../run/user-module.js';
import { type RewardFunction, createFunctionReward } from '../function.js';
import type { RewardItem } from '../reward.js';
import { FEATURE_NAMES, featuresOf, isFeatureName } from './features.js';

/** Named features, ready to measure responses. */
export interface Features {
  readonly names: readonly string[];
  /** Of features that come from modules, by name: changes with the module's content. */
  readonly versions: Readonly<Record<string, string>>;
  /** A list of numbers for each response, in the order of the names. */
  measure(items: readonly RewardItem[]): Promise<number[][]>;
}

/**
 * Opens features by their names: those of `features.ts`, or `./FILE.ts#NAME`, a function like those of `fn` rewards, which must give every
 * response a number.
 *
 * @throws UserError where a name is unknown or stands twice, or a module cannot be loaded; from `measure`, where a function gives null
 */
export async function openFeatures(names: readonly string[] = FEATURE_NAMES): Promise<Features> {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new UserError(`The feature ${twice} is named twice.`);
  const wrong = names.find((name) => !isFeatureName(name) && !namesExport(name));
  if (wrong !== undefined) {
    const near = nearest(wrong, FEATURE_NAMES);
    throw new UserError(`There is no feature "${wrong}"${near === undefined ? '' : `; did you mean "${near}"?`}`, [
      `There are ${FEATURE_NAMES.join(', ')}; one of yours is ./FILE.ts#NAME.`,
    ]);
  }
  const modules = await Promise.all(names.filter((name) => !isFeatureName(name)).map(async (name) => {
    const value = await loadExport(name);
    if (typeof value !== 'function') throw new UserError(`${name} is no function.`, ['Export a function of { prompts, completions, … }.']);
    const version = await moduleDigest(name.slice(0, name.lastIndexOf('#')));
    return { name, version, reward: createFunctionReward(name, value as RewardFunction) };
  }));
  const own = names.filter(isFeatureName);
  return {
    names,
    versions: Object.fromEntries(modules.map(({ name, version }) => [name, version])),
    async measure(items) {
      const columns = new Map<string, number[]>();
      const measured = items.map(({ prompt, response }) => featuresOf(own, prompt, response));
      for (const [k, name] of own.entries()) columns.set(name, measured.map((row) => row[k]!));
      for (const { name, reward } of modules) {
        columns.set(name, (await reward.rate(items)).map((rated, i) => {
          if (!failed(rated)) return rated.value;
          throw new UserError(`The feature ${name} gives null for a response; a feature measures every response.`, [
            `The response: ${JSON.stringify(items[i]!.response.slice(0, 80))}`,
          ]);
        }));
      }
      return items.map((_, i) => names.map((name) => columns.get(name)![i]!));
    },
  };
}

/** How a feature becomes φ: (x − centre) / scale, held within ±3. */
export interface Scale {
  readonly centre: number;
  readonly scale: number;
}

/**
 * No response is more than three deviations out: a feature that few responses have would otherwise weigh as much as it is rare, and a
 * policy could earn any reward by overdoing one.
 */
const FARTHEST = 3;

/** Mean and sample deviation of each feature; undefined where it is the same for all responses, and so says nothing. */
export function scalesOf(rows: readonly (readonly number[])[]): (Scale | undefined)[] {
  return (rows[0] ?? []).map((_, k) => {
    const values = rows.map((row) => row[k]!);
    const centre = values.reduce((a, b) => a + b, 0) / values.length;
    const variance = values.length < 2 ? 0 : values.reduce((sum, x) => sum + (x - centre) ** 2, 0) / (values.length - 1);
    // A mean of equal numbers may differ from them in its last bit.
    return variance <= 1e-20 * (1 + centre * centre) ? undefined : { centre, scale: Math.sqrt(variance) };
  });
}

/** φ of a response. */
export const standardised = (row: readonly number[], scales: readonly Scale[]): number[] =>
  row.map((x, k) => Math.max(-FARTHEST, Math.min(FARTHEST, (x - scales[k]!.centre) / scales[k]!.scale)));
