/** How far people (or judges) agree beyond what chance would bring. */
import { quantileSorted } from 'simple-statistics';

import { createRandom } from './random.js';
import type { Estimate } from './statistics.js';

/**
 * Cohen's κ (Cohen 1960) of two raters over the same items: (p_o − p_e) / (1 − p_e), where p_o is the share of items on which they agree
 * and p_e = Σ_c p_Ac p_Bc what their own shares of each category would bring by chance. 1: they always agree; 0: no more than by chance.
 *
 * @returns undefined where there are no items, or both always say the one same thing (p_e = 1): then κ is not defined
 * @throws RangeError where one rated more items than the other
 */
export function cohenKappa<T>(a: readonly T[], b: readonly T[]): number | undefined {
  if (a.length !== b.length) throw new RangeError(`cohenKappa: ${a.length} ratings by one, ${b.length} by the other`);
  const cells = new Map<T, Map<T, number>>();
  a.forEach((one, i) => {
    const row = cells.get(one) ?? new Map<T, number>();
    row.set(b[i]!, (row.get(b[i]!) ?? 0) + 1);
    cells.set(one, row);
  });
  const categories = [...new Set([...a, ...b])];
  return kappaOfTable(categories.map((row) => categories.map((column) => cells.get(row)?.get(column) ?? 0)));
}

/** The same from a table of counts: `table[c][k]` items that one rater put into category c, and the other into k. */
export function kappaOfTable(table: readonly (readonly number[])[]): number | undefined {
  const sum = (values: readonly number[]): number => values.reduce((x, y) => x + y, 0);
  const n = sum(table.map(sum));
  if (n === 0) return undefined;
  const agreed = sum(table.map((row, c) => row[c]!)) / n;
  const chance = sum(table.map((row, c) => (sum(row) / n) * (sum(table.map((other) => other[c]!)) / n)));
  return 1 - chance < 1e-12 ? undefined : (agreed - chance) / (1 - chance);
}

/** How far two ratings lie apart. `nominal`: they differ or not. `ordinal`: by the ratings between. `interval`: by their difference. */
export type Distance = 'nominal' | 'ordinal' | 'interval';

/**
 * Krippendorff's α (Krippendorff, Content Analysis, 2004, ch. 11) of any number of raters, each of whom may have left items out:
 * 1 − D_o / D_e. An item with m ≥ 2 ratings adds pairs(c, k) / (m − 1) to o_ck, the coincidences of values c and k; n_c = Σ_k o_ck,
 * n = Σ n_c; D_o = Σ o_ck δ²_ck, D_e = Σ (n_c n_k − [c = k] n_c) δ²_ck / (n − 1). δ²: nominal [c ≠ k], interval (c − k)²,
 * ordinal (Σ_{g=c..k} n_g − (n_c + n_k)/2)².
 *
 * @param items The ratings of each item, in any order. Items with fewer than two say nothing.
 * @returns undefined where no item has two ratings, or all ratings are the same: then α is not defined, and not 1
 */
export function krippendorffAlpha(items: readonly (readonly (string | number)[])[], distance: Distance): number | undefined {
  const { values, patterns } = patternsOf(items.map((ratings) => [ratings, 1]));
  return alphaOf(values, patterns, patterns.map(({ n }) => n), distance);
}

/** α with its interval. */
export interface Alpha extends Estimate {
  readonly distance: Distance;
}

/** Ratings of an item, in any order, and how many items have these. */
export type CountedRatings = readonly [ratings: readonly (string | number)[], items: number];

/** From so many items on, the interval is computed and not drawn. */
const MANY = 1000;
/** Two-sided, 95 %. */
const Z = 1.959963984540054;

/**
 * α with its 95 % interval over items: percentile bootstrap; of more than 1000 items α ± 1.96 s, s by the infinitesimal jackknife (Jaeckel
 * 1972; Efron 1982, ch. 6), which the bootstrap comes close to. `n`: items with two ratings or more. Resamples in which all ratings are
 * the same are passed over, since α is not defined for them.
 *
 * @param options `resamples`: default 1000
 */
export function alphaInterval(
  items: readonly CountedRatings[], distance: Distance, { seed, resamples = 1000 }: { seed: number; resamples?: number },
): Alpha | undefined {
  const { values, patterns } = patternsOf(items);
  const counts = patterns.map(({ n }) => n);
  const alpha = alphaOf(values, patterns, counts, distance);
  if (alpha === undefined) return undefined;
  const n = counts.reduce((a, b) => a + b, 0);
  if (n > MANY) {
    const half = Z * spreadOf((times) => alphaOf(values, patterns, times, distance) ?? alpha, counts);
    return { mean: alpha, low: alpha - half, high: Math.min(1, alpha + half), n, distance };
  }
  const units = Uint32Array.from(counts.flatMap((times, i) => Array.from({ length: times }, () => i)));
  const random = createRandom(seed, 'alpha');
  const drawn: number[] = [];
  for (let b = 0; b < resamples; b++) {
    const times = new Array<number>(patterns.length).fill(0);
    for (let i = 0; i < units.length; i++) times[units[random.int(units.length)]!]!++;
    const one = alphaOf(values, patterns, times, distance);
    if (one !== undefined) drawn.push(one);
  }
  drawn.sort((a, b) => a - b);
  const at = (share: number): number => (drawn.length === 0 ? alpha : quantileSorted(drawn, share));
  return { mean: alpha, low: at(0.025), high: at(0.975), n, distance };
}

/**
 * The standard error of a statistic of counts by the infinitesimal jackknife: s² = Σ n_i (g_i − ḡ)², where g_i is how fast the statistic
 * changes with n_i, and ḡ = Σ n_i g_i / n.
 */
function spreadOf(statistic: (counts: readonly number[]) => number, counts: readonly number[]): number {
  const slopes = counts.map((_, i) => {
    const moved = (by: number): number => statistic(counts.map((n, k) => (k === i ? n + by : n)));
    return moved(0.5) - moved(-0.5);
  });
  const n = counts.reduce((a, b) => a + b, 0);
  const middle = slopes.reduce((sum, slope, i) => sum + counts[i]! * slope, 0) / n;
  return Math.sqrt(slopes.reduce((sum, slope, i) => sum + counts[i]! * (slope - middle) ** 2, 0));
}

/** How often each value stands in an item, and how many items are so. */
interface Pattern { readonly count: readonly number[]; readonly m: number; readonly n: number }

/** Items with the same ratings are one: there are few kinds, however many items. */
function patternsOf(items: readonly CountedRatings[]): { values: (string | number)[]; patterns: Pattern[] } {
  const rated = items.filter(([{ length }]) => length >= 2);
  const values = [...new Set(rated.flatMap(([ratings]) => ratings))].sort((a, b) => (a < b ? -1 : 1));
  const index = new Map(values.map((value, i) => [value, i]));
  const found = new Map<string, { count: number[]; m: number; n: number }>();
  for (const [ratings, n] of rated) {
    const places = ratings.map((value) => index.get(value)!).sort((a, b) => a - b);
    const key = places.join(' ');
    const same = found.get(key);
    if (same !== undefined) {
      same.n += n;
      continue;
    }
    const count = new Array<number>(values.length).fill(0);
    for (const place of places) count[place]!++;
    found.set(key, { count, m: places.length, n });
  }
  return { values, patterns: [...found.values()] };
}

function alphaOf(
  values: readonly (string | number)[], patterns: readonly Pattern[], times: readonly number[], distance: Distance,
): number | undefined {
  const V = values.length;
  const o = Array.from({ length: V }, () => new Array<number>(V).fill(0));
  patterns.forEach(({ count, m }, i) => {
    const n = times[i]!;
    if (n === 0) return;
    for (let c = 0; c < V; c++) {
      if (count[c] === 0) continue;
      for (let k = 0; k < V; k++) o[c]![k]! += (n * count[c]! * (count[k]! - (c === k ? 1 : 0))) / (m - 1);
    }
  });
  const total = o.map((row) => row.reduce((a, b) => a + b, 0));
  const n = total.reduce((a, b) => a + b, 0);
  const apart = (c: number, k: number): number => {
    if (distance === 'nominal') return c === k ? 0 : 1;
    if (distance === 'interval') return (Number(values[c]) - Number(values[k])) ** 2;
    const between = total.slice(Math.min(c, k), Math.max(c, k) + 1).reduce((a, b) => a + b, 0);
    return (between - (total[c]! + total[k]!) / 2) ** 2;
  };
  let [observed, expected] = [0, 0];
  for (let c = 0; c < V; c++) {
    for (let k = 0; k < V; k++) {
      if (c === k) continue;
      const d = apart(c, k);
      observed += o[c]![k]! * d;
      expected += (total[c]! * total[k]! * d) / (n - 1);
    }
  }
  return expected > 0 ? 1 - observed / expected : undefined;
}
