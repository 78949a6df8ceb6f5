import { UserError } from '../errors.js';
import { type Failure, failed } from '../judge/respondent.js';
import type { RewardPart } from './combined.js';
import { type Evidence, itemsOf } from './inferred/evidence.js';
import { type Foresight, fit } from './inferred/fit.js';
import { scalesOf } from './inferred/measure.js';
import type { Rated, RewardHooks } from './reward.js';
import type { FittedWeights } from './weights-file.js';

/** What fusing came to. */
export interface Fused {
  readonly weights: FittedWeights;
  /** Rows that were left out because a reward failed on one of their responses: with the reward's name and the failure. */
  readonly leftOut: readonly { readonly row: Evidence; readonly reward: string; readonly failure: Failure }[];
}

/**
 * Fuses several rewards (labels, signals without a label, people's preferences) into one: each is standardised over the responses of
 * calibration rows, and the weights are those under which the rows are likeliest. Comparisons by Bradley–Terry, votes by logistic
 * regression with a threshold of its own, demonstrations by a softmax (`inferred/posterior.ts`); L2 is the prior N(0, prior²) of each
 * weight. Where a reward does not apply, it counts as its mean, as it does when it is left out of the sum (`combineRewards`).
 *
 * @throws UserError where no row is left, or no reward tells two responses apart
 */
export async function fuseRewards(
  evidence: readonly Evidence[], parts: readonly RewardPart[], prior: number, hooks: RewardHooks = {},
): Promise<Fused> {
  const items = evidence.flatMap(itemsOf);
  const rated: (readonly (Rated | Failure)[])[] = [];
  for (const { reward } of parts) rated.push(await reward.rate(items, hooks));

  const leftOut: Fused['leftOut'][number][] = [];
  const kept: { readonly row: Evidence; readonly at: readonly number[] }[] = [];
  let next = 0;
  for (const row of evidence) {
    const at = row.responses.map(() => next++);
    const broken = parts.flatMap(({ name: reward }, k) => at.flatMap((i) => {
      const result = rated[k]![i]!;
      return failed(result) && result.failure !== 'not-applicable' ? [{ row, reward, failure: result }] : [];
    }));
    if (broken.length > 0) leftOut.push(broken[0]!);
    else kept.push({ row, at });
  }
  if (kept.length === 0) {
    const [first] = leftOut;
    const why = first === undefined ? [] : [`The first: ${first.reward}: ${first.failure.failure}, ${first.failure.detail}`];
    throw new UserError(`None of ${evidence.length} rows is left to fit weights to.`, why);
  }

  const used = kept.flatMap(({ at }) => at);
  const columns = parts.map((_, k) => used.flatMap((i) => valueOf(rated[k]![i]!) ?? []));
  const scales = columns.map((values) => scalesOf(values.map((value) => [value]))[0]);
  if (scales.every((scale) => scale === undefined)) {
    throw new UserError('Every reward gives all responses the same value, so that nothing can tell them apart.', [
      'Take other rewards, or rows whose responses differ in what the rewards look at.',
    ]);
  }
  const standard = (k: number, i: number): number => {
    const [value, scale] = [valueOf(rated[k]![i]!), scales[k]];
    return value === undefined || scale === undefined ? 0 : (value - scale.centre) / scale.scale;
  };
  const rows = kept.map(({ row }) => row);
  const vectorsOf = (which: readonly number[]) => kept.map(({ at }) => at.map((i) => which.map((k) => standard(k, i))));
  const all = fit(rows, vectorsOf([...parts.keys()]), prior, parts.length);
  const alone = parts.flatMap(({ name }, k): [string, Foresight][] => {
    const { foresight } = fit(rows, vectorsOf([k]), prior, 1);
    return foresight === undefined ? [] : [[name, foresight]];
  });
  const count = (kind: Evidence['kind']): number => rows.filter((row) => row.kind === kind).length;
  return {
    leftOut,
    weights: {
      kind: 'heed reward weights',
      rewards: Object.fromEntries(parts.map(({ name, reward }, k) => {
        const known = scales[k];
        const { centre, scale } = known ?? { centre: columns[k]![0] ?? 0, scale: 1 };
        // Nothing is known of a reward that gives all responses one value; it then has no say.
        const weight = known === undefined ? 0 : all.mean[k]!;
        const deviation = Math.sqrt(all.covariance[k]![k]!);
        return [name, { reward: reward.name, weight, deviation, centre, scale, applied: columns[k]!.length }];
      })),
      prior,
      evidence: {
        comparisons: count('comparison'), demonstrations: count('demonstration'), votes: count('vote'), leftOut: leftOut.length,
      },
      foresight: all.foresight,
      alone: Object.fromEntries(alone),
    },
  };
}

const valueOf = (rated: Rated | Failure): number | undefined => (failed(rated) ? undefined : rated.value);
