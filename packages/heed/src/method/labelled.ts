import { type Tensor, add, mul, sub, sum } from '@heed/tensor';
import type { LabelledRow } from '../data/rows.js';
import type { Term } from './method.js';
import { wins } from './pairs.js';

/** What the methods that learn from votes share. The column of `desirable`: 1 for a good completion, 0 for a bad one. */
export const DESIRABLE = 'desirable';
export const desirable = (row: LabelledRow): Record<string, number> => ({ [DESIRABLE]: row.label ? 1 : 0 });

/** Why the rows of one class alone cannot be learnt from by a method that tells two apart; else undefined. */
export function oneClass(rows: readonly LabelledRow[], method: string): string | undefined {
  const good = rows.filter(({ label }) => label).length;
  if (rows.length === 0 || (good > 0 && good < rows.length)) return undefined;
  const way = good > 0
    ? 'add some with label false, or imitate these with method sft'
    : 'add some with label true, or learn from bad answers alone with method npo or d2o';
  return `${method} tells good completions from bad ones, and all ${rows.length} have label ${good > 0}; ${way}`;
}

/**
 * `rewards_chosen` and `rewards_rejected`: mean reward of the good and of the bad completions; `accuracy`: how many rewards are on their
 * label's side of `point`, half where equal; `logp_chosen`, `logp_rejected`. A class that a step lacks counts nothing.
 */
export function labelledMetrics(reward: Tensor, point: Tensor | number, good: Tensor, logp: Tensor, rows: Tensor): Record<string, Term> {
  const bad = sub(1, good);
  const among = (x: Tensor, which: Tensor): Term => ({ sum: sum(mul(x, which)), count: sum(which) });
  const above = wins(reward, point);
  const right = add(mul(good, above), mul(bad, sub(1, above)));
  return {
    rewards_chosen: among(reward, good),
    rewards_rejected: among(reward, bad),
    accuracy: { sum: sum(right), count: rows },
    logp_chosen: among(logp, good),
    logp_rejected: among(logp, bad),
  };
}
