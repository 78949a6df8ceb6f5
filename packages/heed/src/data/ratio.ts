import { UserError } from '../errors.js';
import type { JudgedRow } from './rows/judged.js';

/** What is needed of a random generator here. */
export interface Shuffler {
  shuffle<T>(items: readonly T[]): T[];
}

/**
 * Keeps at most floor(ratio × unsatisfactory) of the satisfactory rows, chosen at random; all
 * unsatisfactory rows stay, and the order of what is kept. CUT's "downsample": with 0.25, one row of
 * praise for four of criticism (Xu et al. 2024, appendix A.4), not a quarter of the praise.
 *
 * @throws UserError when no row is unsatisfactory: then nothing would be left.
 */
export function limitSatisfied<Row extends Pick<JudgedRow, 'satisfied'>>(rows: readonly Row[], ratio: number, random: Shuffler): Row[] {
  const satisfied = rows.filter((row) => row.satisfied);
  const unsatisfied = rows.length - satisfied.length;
  if (unsatisfied === 0 && rows.length > 0) {
    throw new UserError(`All ${rows.length} rows are satisfactory: a ratio of ${ratio} to unsatisfactory rows keeps none of them`, [
      'Leave the ratio out, or add rows that carry a negative judgment.',
    ]);
  }
  const keep = Math.floor(ratio * unsatisfied);
  if (keep >= satisfied.length) return [...rows];
  const kept = new Set(random.shuffle(satisfied).slice(0, keep));
  return rows.filter((row) => !row.satisfied || kept.has(row));
}
