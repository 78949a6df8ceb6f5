// @ts-check
// Balanced accuracy with intervals over whole groups: rows of one prompt are not independent.
import { createRandom } from '@heed/heed';
import { groupsOf } from '../shared/data.js';

const RESAMPLES = 4000;

/** Mean of the two classes' accuracies. @param {{ yes: boolean, says: boolean }[]} rows */
export function balanced(rows) {
  const share = (which) => {
    const of = rows.filter(({ yes }) => yes === which);
    return of.filter(({ yes, says }) => yes === says).length / of.length;
  };
  return (share(true) + share(false)) / 2;
}

/** What always saying the commoner class gets right. */
export function majority(rows) {
  const yes = rows.filter((row) => row.yes).length;
  return Math.max(yes, rows.length - yes) / rows.length;
}

/**
 * A statistic of rows with its 95 % percentile bootstrap interval; groups are drawn, each with all of its rows.
 *
 * @param {{ group: string }[]} rows
 * @param {(rows: object[]) => number} statistic
 */
export function clustered(rows, statistic, seed = 0) {
  const groups = [...groupsOf(rows, ({ group }) => group).values()];
  const random = createRandom(seed, 'clustered bootstrap');
  const values = [];
  for (let i = 0; i < RESAMPLES; i++) {
    const value = statistic(groups.flatMap(() => groups[random.int(groups.length)]));
    if (Number.isFinite(value)) values.push(value); // a draw without one of the classes has no balanced accuracy
  }
  values.sort((a, b) => a - b);
  const at = (share) => values[Math.min(values.length - 1, Math.max(0, Math.round(share * (values.length - 1))))];
  return { mean: statistic(rows), low: at(0.025), high: at(0.975), n: rows.length, groups: groups.length };
}

/** Balanced accuracy of `says[a]` less that of `says[b]`, on the same rows and the same draws of them. */
export const pairedBalanced = (rows, a, b) =>
  clustered(
    rows,
    (some) =>
      balanced(some.map((row) => ({ yes: row.yes, says: row.says[a] }))) -
      balanced(some.map((row) => ({ yes: row.yes, says: row.says[b] }))),
  );
