/** Several rewards of a batch as one number a response, for a policy gradient. */
import { groupRelative } from './advantages.js';

/**
 * How several rewards become one, as TRL's `multi_objective_aggregation` names it. `sum-then-normalize` sums the weighted rewards and
 * leaves normalising to the advantage. `normalize-then-sum` gives each reward unit scale within its group first, so that a reward of large
 * numbers does not drown the others, and normalises the sum over the batch.
 */
export type Aggregation = 'sum-then-normalize' | 'normalize-then-sum';

/**
 * One number for each response of a batch.
 *
 * - `sum-then-normalize`: r_i = Σ_k w_k x_ik. These are rewards: the advantage is still to be made of them.
 * - `normalize-then-sum`: z_ik = (x_ik − mean) / (std + 1e-4) over the group of i, then s_i = Σ_k w_k z_ik, then
 *   (s_i − mean) / (std + 1e-4) over the batch. These are advantages.
 *
 * Standard deviations are those of a sample (n − 1); of fewer than two values the deviation is 0. A reward that does not apply (null, or
 * no such key) is left out of the sum, of means and of deviations.
 *
 * Source: TRL's `GRPOTrainer`, `multi_objective_aggregation`; `normalize_then_sum` is GDPO (Liu et al. 2026, arXiv 2601.05242).
 *
 * @param parts The value of each reward for a response, by name.
 * @param groups The group of each response: responses to one prompt have one number.
 * @param weights By name; a reward without a weight is not summed.
 * @returns null where no reward applies
 * @throws RangeError where there are not as many groups as parts, or a value or weight is not finite
 */
export function aggregate(
  parts: readonly Readonly<Record<string, number | null>>[],
  groups: readonly number[],
  weights: Readonly<Record<string, number>>,
  how: Aggregation,
): (number | null)[] {
  if (parts.length !== groups.length) throw new RangeError(`aggregate: ${parts.length} responses, ${groups.length} groups`);
  const names = Object.keys(weights);
  const odd = names.find((name) => !Number.isFinite(weights[name]));
  if (odd !== undefined) throw new RangeError(`aggregate: the weight of "${odd}" is ${weights[odd]}`);
  const columns = new Map(names.map((name) => [name, parts.map((own, i) => valueOf(own[name], name, i))]));
  if (how === 'sum-then-normalize') return weightedSums(parts.length, columns, weights);
  const normal = new Map([...columns].map(([name, column]) => [name, standardised(column, groups)]));
  return standardised(weightedSums(parts.length, normal, weights), parts.map(() => 0));
}

function valueOf(value: number | null | undefined, name: string, i: number): number | null {
  if (value === null || value === undefined) return null;
  if (!Number.isFinite(value)) throw new RangeError(`aggregate: "${name}" of response ${i + 1} is ${value}`);
  return value;
}

/** Σ w x over the rewards that apply; null where none does. */
const weightedSums = (
  n: number, columns: ReadonlyMap<string, readonly (number | null)[]>, weights: Readonly<Record<string, number>>,
): (number | null)[] =>
  Array.from({ length: n }, (_, i) => {
    let sum: number | null = null;
    for (const [name, column] of columns) {
      const value = column[i]!;
      if (value !== null) sum = (sum ?? 0) + weights[name]! * value;
    }
    return sum;
  });

/** (x − mean) / (std + ε) within each group; null stays null. */
const standardised = (column: readonly (number | null)[], groups: readonly number[]): (number | null)[] =>
  groupRelative(column, groups, 'group').map((z, i) => (column[i] === null ? null : z));
