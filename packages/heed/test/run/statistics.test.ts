import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  bimodality, bootstrapInterval, countedInterval, mcnemar, medianOf, pairedDifference, proportionInterval,
} from '../../src/run/statistics.js';

describe('proportionInterval', () => {
  // from statsmodels.stats.proportion import proportion_confint; proportion_confint(k, n, alpha=1 - confidence, method='wilson')
  it.each([
    [28, 96, 0.95, 0.21016592525216687, 0.3891989030218646],
    [21, 64, 0.95, 0.22570557904469185, 0.45000894150908505],
    [56, 64, 0.95, 0.7722543817887005, 0.9352775733666955],
    [1, 3, 0.95, 0.06149194472039626, 0.7923403991979523],
    [0, 64, 0.95, 0, 0.05662405979280536],
    [80, 80, 0.95, 0.9541818704644728, 1],
    [28, 96, 0.9, 0.22190866080019633, 0.37284560932240696],
    [28, 96, 0.99, 0.18878594040253177, 0.4214830682418244],
  ] as const)('%i of %i at %d agrees with statsmodels', (k, n, confidence, low, high) => {
    const got = proportionInterval(k, n, confidence);
    expect(got.mean).toBe(k / n);
    expect(got.low).toBeCloseTo(low, 12);
    expect(got.high).toBeCloseTo(high, 12);
    expect(got.n).toBe(n);
  });

  it('holds the proportion and stays within 0 and 1', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 5000 }), fc.double({ min: 0, max: 1, noNaN: true }), (n, share) => {
      const { mean, low, high } = proportionInterval(Math.round(share * n), n);
      expect(low >= 0 && low <= mean && mean <= high && high <= 1).toBe(true);
    }));
  });

  it.each([[3, 2], [-1, 4], [0.5, 4], [0, 0]])('refuses %d of %d', (k, n) => {
    expect(() => proportionInterval(k, n)).toThrow(RangeError);
  });
});

const FINDINGS = [3.1, 0, 2, 5, 1, 0, 0, 4, 2.5, 1, 7, 0, 2, 3, 1, 6];
const BEFORE = [0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0];
const AFTER = [1, 1, 0, 1, 1, 1, 0, 1, 1, 0, 1, 1, 1, 0, 1, 1];

describe('countedInterval', () => {
  it('is the bootstrap of few observations, and near it of many', () => {
    const few = [[1, 2], [2, 3], [5, 7]] as const;
    expect(countedInterval(few, { seed: 1 })).toEqual(bootstrapInterval([1, 1, 2, 2, 2, 5, 5, 5, 5, 5, 5, 5], { seed: 1 }));
    // 20,000 resamples in numpy.
    const many = countedInterval([[1, 200], [2, 300], [5, 700]], { seed: 1 });
    expect(many.mean).toBeCloseTo(43 / 12, 12);
    expect(Math.abs(many.low - 3.48667)).toBeLessThan(0.005);
    expect(Math.abs(many.high - 3.67917)).toBeLessThan(0.005);
    expect(many.n).toBe(1200);
    expect(countedInterval([[1, 2000]], { seed: 1, bounds: [0, 1] })).toMatchObject({ mean: 1, high: 1, n: 2000 });
  });
});

describe('bootstrap', () => {
  // from scipy.stats import bootstrap
  // bootstrap((np.array(x),), np.mean, confidence_level=c, n_resamples=200000, method='percentile', random_state=0, batch=1000)
  it.each([
    [0.95, [1.35, 3.44375]],
    [0.9, [1.5, 3.25625]],
  ] as const)('agrees with scipy at %d within the noise of resampling', (confidence, [low, high]) => {
    const got = bootstrapInterval(FINDINGS, { seed: 1, confidence });
    expect(got.mean).toBeCloseTo(2.35, 12);
    expect(Math.abs(got.low - low)).toBeLessThan(0.05);
    expect(Math.abs(got.high - high)).toBeLessThan(0.05);
  });

  it('pairs before and after', () => {
    const got = pairedDifference(BEFORE, AFTER, { seed: 2 });
    expect(got).toMatchObject({ mean: 0.4375, low: 0.1875, high: 0.6875, n: 16 }); // multiples of 1/16: exact
  });

  it('gives the same interval for the same seed, and another for another', () => {
    expect(bootstrapInterval(FINDINGS, { seed: 7 })).toEqual(bootstrapInterval(FINDINGS, { seed: 7 }));
    expect(bootstrapInterval(FINDINGS, { seed: 7 })).not.toEqual(bootstrapInterval(FINDINGS, { seed: 8 }));
  });

  it('is a point when all values agree', () => {
    expect(bootstrapInterval([2, 2, 2], { seed: 1, resamples: 100 })).toEqual({ mean: 2, low: 2, high: 2, n: 3 });
  });

  it('does not collapse where all values agree and bounds are known: the exact bound of a share of which nothing was seen', () => {
    // Clopper and Pearson's lower bound of 10 of 10 is 0.025^(1/10).
    expect(bootstrapInterval(Array<number>(10).fill(1), { seed: 1, bounds: [0, 1] }).low).toBeCloseTo(0.6915028921812392, 12);
    expect(bootstrapInterval(Array<number>(10).fill(1), { seed: 1, bounds: [0, 1] })).toMatchObject({ mean: 1, high: 1 });
    // Verdicts that did not change: as far to either side.
    const unchanged = pairedDifference([1, 0, 1, 1, 0, 1, 1, 0, 0, 1], [1, 0, 1, 1, 0, 1, 1, 0, 0, 1], { seed: 1 });
    expect(unchanged).toMatchObject({ mean: 0, n: 10 });
    expect(unchanged.high).toBeCloseTo(1 - 0.6915028921812392, 12);
    expect(unchanged.low).toBeCloseTo(0.6915028921812392 - 1, 12);
    // All were good and stay good: only the bounds say how far a verdict can change.
    const good = Array<number>(10).fill(1);
    expect(pairedDifference(good, good, { seed: 1, bounds: [-1, 1] }).high).toBeCloseTo(1 - 0.6915028921812392, 12);
    // Where values differ, bounds change nothing.
    expect(bootstrapInterval(FINDINGS, { seed: 7, bounds: [0, 9] })).toEqual(bootstrapInterval(FINDINGS, { seed: 7 }));
  });

  it('refuses what has no mean', () => {
    expect(() => bootstrapInterval([], { seed: 1 })).toThrow('no values');
    expect(() => bootstrapInterval([1, Number.NaN], { seed: 1 })).toThrow('value 2 of 2 is NaN');
    expect(() => pairedDifference([1], [1, 2], { seed: 1 })).toThrow('1 values before, 2 after');
  });
});

it('medianOf', () => {
  expect(medianOf([5, 1, 3])).toBe(3);
  expect(medianOf([4, 1, 3, 2])).toBe(2.5);
  expect(() => medianOf([])).toThrow('no values');
});

describe('mcnemar', () => {
  const pairs = (gained: number, lost: number, agreeing: number): [boolean[], boolean[]] => [
    [...Array<boolean>(gained).fill(false), ...Array<boolean>(lost).fill(true), ...Array<boolean>(agreeing).fill(true)],
    [...Array<boolean>(gained).fill(true), ...Array<boolean>(lost).fill(false), ...Array<boolean>(agreeing).fill(true)],
  ];
  // Whole numbers in Python: min(1, 2 * sum(comb(n, k) for k in range(min(b, c) + 1)) / 2**n)
  it.each([
    [8, 2, 0.109375], [0, 5, 0.0625], [10, 10, 1], [1, 9, 0.021484375], [40, 21, 0.020414713799634897], [900, 1000, 0.02310884510890107],
    [0, 0, 1],
  ])('%i gained and %i lost: p = %d', (gained, lost, p) => {
    const got = mcnemar(...pairs(gained, lost, 7));
    expect([got.gained, got.lost]).toEqual([gained, lost]);
    expect(got.p).toBeCloseTo(p, 12);
    expect(mcnemar(...pairs(lost, gained, 0)).p).toBe(got.p);
  });

  it('refuses verdicts of different numbers of prompts', () => {
    expect(() => mcnemar([true], [])).toThrow(RangeError);
  });
});

describe('bimodality', () => {
  // (G1 ** 2 + 1) / (G2 + 3 * (n - 1) ** 2 / ((n - 2) * (n - 3))) of the moments, in Python's floats.
  it.each([
    ['two points', Array.from({ length: 100 }, (_, i) => i % 2), 0.9506950695069507],
    ['a uniform row', Array.from({ length: 100 }, (_, i) => i), 0.5282343657964637],
    ['an uneven one', Array.from({ length: 60 }, (_, i) => Math.sin(i * i) ** 3), 0.37645087781706943],
  ] as const)('of %s is as worked out from the moments', (_, values, expected) => {
    expect(bimodality(values)).toBeCloseTo(expected, 12);
  });

  it('is not given of few values, nor where all are equal', () => {
    expect(bimodality([0, 0, 0, 0, 1, 1, 1, 1])).toBeUndefined();
    expect(bimodality(new Array<number>(80).fill(0.6))).toBeUndefined();
  });
});
