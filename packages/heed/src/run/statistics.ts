/** Means with intervals, for before/after tables. Summaries that simple-statistics has (median, quantile) come from there. */
import { mean, median, quantileSorted, sampleKurtosis, sampleSkewness } from 'simple-statistics';

import { createRandom } from './random.js';

/** A number with its confidence interval, and how many observations it rests on. */
export interface Estimate {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  readonly n: number;
}

/** Two-sided standard normal quantiles: a table, because only these three are used. */
const Z = { 0.9: 1.6448536269514722, 0.95: 1.959963984540054, 0.99: 2.5758293035489004 } as const;
export type Confidence = keyof typeof Z;

export interface BootstrapOptions {
  /** Names the random stream: the same seed gives the same interval. */
  readonly seed: number;
  /** Default 0.95. */
  readonly confidence?: Confidence;
  /** Default 10,000. */
  readonly resamples?: number;
  /**
   * The least and the greatest value that a unit can have. They are needed only where all values are equal: resampling would then say
   * that no unit can be otherwise. Default: unknown, which leaves such an interval a point.
   */
  readonly bounds?: readonly [least: number, greatest: number];
}

function finite(values: readonly number[], what: string): void {
  if (values.length === 0) throw new RangeError(`${what}: no values`);
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw new RangeError(`${what}: value ${bad + 1} of ${values.length} is ${values[bad]}`);
}

/**
 * Wilson's score interval of a proportion (Wilson 1927): sensible at 0, at 1 and for small n.
 *
 * @throws RangeError where n is below 1, or there are more successes than n
 */
export function proportionInterval(successes: number, n: number, confidence: Confidence = 0.95): Estimate {
  if (!Number.isInteger(n) || n < 1) throw new RangeError(`proportionInterval: n is ${n}; expected a whole number of at least 1`);
  if (!Number.isInteger(successes) || successes < 0 || successes > n) {
    throw new RangeError(`proportionInterval: ${successes} successes of ${n}`);
  }
  const z = Z[confidence];
  const p = successes / n;
  const scale = 1 + (z * z) / n;
  const centre = (p + (z * z) / (2 * n)) / scale;
  const half = (z * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n))) / scale;
  // The ends are 0 and 1 exactly, where rounding would leave 1e-17.
  return { mean: p, low: successes === 0 ? 0 : centre - half, high: successes === n ? 1 : centre + half, n };
}

/**
 * The interval of the mean of n equal values. At most the share 1 − (α/2)^(1/n) of all units is otherwise: the exact bound of Clopper and
 * Pearson (1934) for a share of which nothing was seen. Each of these may lie as far as a bound. Of 10 verdicts that are all good the
 * interval is 69 % to 100 %, and of 10 that did not change −31 to 31 points.
 */
function ofEqualValues(value: number, n: number, confidence: Confidence, [least, greatest]: readonly [number, number]): Estimate {
  const otherwise = 1 - ((1 - confidence) / 2) ** (1 / n);
  const towards = (bound: number): number => value + otherwise * (bound - value);
  return { mean: value, low: towards(Math.min(value, least)), high: towards(Math.max(value, greatest)), n };
}

/**
 * Percentile bootstrap interval of the mean; where all values are equal, an exact one by their `bounds` (`ofEqualValues`).
 *
 * @param values One for each independent unit, such as a prompt.
 * @throws RangeError where there are no values, or one is not finite
 */
export function bootstrapInterval(
  values: readonly number[], { seed, confidence = 0.95, resamples = 10_000, bounds }: BootstrapOptions,
): Estimate {
  finite(values, 'bootstrapInterval');
  const n = values.length;
  if (bounds !== undefined && values.every((value) => value === values[0])) return ofEqualValues(values[0]!, n, confidence, bounds);
  const random = createRandom(seed, 'bootstrap');
  const means = Float64Array.from({ length: resamples }, () => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += values[random.int(n)] ?? 0;
    return sum / n;
  }).sort();
  const sorted = Array.from(means);
  const tail = (1 - confidence) / 2;
  return { mean: mean(values.slice()), low: quantileSorted(sorted, tail), high: quantileSorted(sorted, 1 - tail), n };
}

/** From so many observations on, an interval is computed and not drawn. */
const MANY = 1000;

/**
 * The interval of a mean of which the observations are counted by value, such as scores from 1 to 5. Of at most 1000 observations that of
 * `bootstrapInterval`; of more the normal one, mean ± z s/√n, which the bootstrap comes close to, within the bounds.
 *
 * @throws RangeError where there are no observations, or a value is not finite
 */
export function countedInterval(counts: readonly (readonly [value: number, n: number])[], options: BootstrapOptions): Estimate {
  const n = counts.reduce((sum, [, times]) => sum + times, 0);
  if (n <= MANY || counts.length === 1) {
    return bootstrapInterval(counts.flatMap(([value, times]) => new Array<number>(times).fill(value)), options);
  }
  finite(counts.map(([value]) => value), 'countedInterval');
  const middle = counts.reduce((sum, [value, times]) => sum + times * value, 0) / n;
  const variance = counts.reduce((sum, [value, times]) => sum + times * (value - middle) ** 2, 0) / (n - 1);
  const half = Z[options.confidence ?? 0.95] * Math.sqrt(variance / n);
  const [least, greatest] = options.bounds ?? [-Infinity, Infinity];
  return { mean: middle, low: Math.max(least, middle - half), high: Math.min(greatest, middle + half), n };
}

/**
 * How much `after` differs from `before`, prompt by prompt: the mean difference with its paired bootstrap interval. The gain lies outside
 * the interval of no gain when `low` > 0.
 *
 * @param before One value per prompt; `after[i]` belongs to the same prompt as `before[i]`.
 * @param options `bounds` are those of a difference. Default: as far to either side as the values before and after lie apart.
 * @throws RangeError where there are not as many after as before, or as `bootstrapInterval`
 */
export function pairedDifference(before: readonly number[], after: readonly number[], options: BootstrapOptions): Estimate {
  if (before.length !== after.length) throw new RangeError(`pairedDifference: ${before.length} values before, ${after.length} after`);
  const all = [...before, ...after];
  const span = all.reduce((a, b) => Math.max(a, b), -Infinity) - all.reduce((a, b) => Math.min(a, b), Infinity);
  return bootstrapInterval(after.map((value, i) => value - (before[i] ?? Number.NaN)), { bounds: [-span, span], ...options });
}

/** The median; the mean of the middle two of an even number. */
export function medianOf(values: readonly number[]): number {
  finite(values, 'medianOf');
  return median(values.slice());
}

/** Fewer values than these have a coefficient that says little: of 0, 0, 0, 0, 1, 1, 1, 1 it is 0.48, of a hundred such 0.95. */
const ENOUGH_FOR_HUMPS = 50;

/**
 * The bimodality coefficient (G₁² + 1) / (G₂ + 3(n − 1)² / ((n − 2)(n − 3))) of the skewness G₁ and the excess kurtosis G₂ of a sample:
 * 5/9 for a uniform distribution, 1 for two points; above 5/9 hints at two modes, and so does a long tail (R. Pfister et al., *Good
 * things peak in pairs*, 2013, doi 10.3389/fpsyg.2013.00700).
 *
 * @returns undefined of fewer than 50 values, or where all are equal
 */
export function bimodality(values: readonly number[]): number | undefined {
  const n = values.length;
  if (n < ENOUGH_FOR_HUMPS || values.every((value) => value === values[0])) return undefined;
  finite(values, 'bimodality');
  return (sampleSkewness(values.slice()) ** 2 + 1) / (sampleKurtosis(values.slice()) + (3 * (n - 1) ** 2) / ((n - 2) * (n - 3)));
}

/** Two yes-or-no answers to each of several questions, compared. */
export interface McNemar {
  /** Questions of which only the second answer is yes. */
  readonly gained: number;
  /** Questions of which only the first answer is yes. */
  readonly lost: number;
  /** Two-sided: how likely a split this uneven or more is where neither answer is better. */
  readonly p: number;
}

/**
 * McNemar's exact test (McNemar 1947): of the g + l pairs that differ, either side is as likely, so
 * p = min(1, 2 P(X ≤ min(g, l))) with X ~ Bin(g + l, ½). Pairs that agree say nothing; where all agree p is 1.
 *
 * @param before One verdict per prompt; `after[i]` belongs to the same prompt as `before[i]`.
 * @throws RangeError where there are not as many after as before
 */
export function mcnemar(before: readonly boolean[], after: readonly boolean[]): McNemar {
  if (before.length !== after.length) throw new RangeError(`mcnemar: ${before.length} verdicts before, ${after.length} after`);
  const gained = after.filter((good, i) => good && before[i] === false).length;
  const lost = after.filter((good, i) => !good && before[i] === true).length;
  const n = gained + lost;
  let [log, tail] = [-n * Math.LN2, 0];
  for (let k = 0; k <= Math.min(gained, lost); k++) {
    if (k > 0) log += Math.log((n - k + 1) / k);
    tail += Math.exp(log);
  }
  return { gained, lost, p: Math.min(1, 2 * tail) };
}
