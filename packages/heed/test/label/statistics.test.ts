import { describe, expect, it } from 'vitest';
import { near } from './fake.js';
import { agreement, binomialTest, calibration, positionBias, rankCorrelation } from '../../src/label/statistics.js';

describe('measures of labels', () => {
  it('the two-sided binomial test, by hand and by scipy.stats.binomtest', () => {
    expect(binomialTest(0, 0)).toBe(1);
    expect(binomialTest(5, 10)).toBe(1);
    expect(binomialTest(1, 5)).toBeCloseTo((2 * 6) / 32, 14);
    expect(binomialTest(9, 10)).toBeCloseTo((2 * 11) / 1024, 14);
    expect(binomialTest(60, 100)).toBeCloseTo(0.05688793364098078, 12);
    expect(binomialTest(5200, 10_000) / 6.593515598672343e-5).toBeCloseTo(1, 9);
    expect(binomialTest(0, 100_000)).toBe(0); // smaller than any number that is kept
  });

  it('a judge that always says "1" has nothing but its place', () => {
    expect(positionBias(Array.from({ length: 8 }, () => [0.9, 0.8] as const))).toMatchObject({ same: { mean: 1, n: 8 }, first: 8, p: near(2 / 256) });
    expect(positionBias([[0.5, 0.5], [0.9, 0.1]])).toMatchObject({ same: { mean: 0 }, first: 0, p: 1 });
    expect(positionBias([])).toBeUndefined();
  });

  it('agreement counts ties as neither right nor wrong', () => {
    const pairs = [{ label: 0.6, human: 1 }, { label: 0.4, human: 1 }, { label: 0.1, human: 0.3 }, { label: 0.5, human: 1 }, { label: 0.9, human: 0.5 }];
    expect(agreement(pairs)).toMatchObject({ mean: 2 / 3, n: 3, ties: 2 });
    expect(agreement([{ label: 0.5, human: 1 }])).toBeUndefined();
  });

  it('calibration in bins', () => {
    // Bin 0.6–0.7: said 0.65, seen 0.5; bin 0.9–1: said 0.975, seen 1. ECE ½ · 0.15 + ½ · 0.025.
    const result = calibration([{ label: 0.6, human: 1 }, { label: 0.69999, human: 0 }, { label: 0.95, human: 1 }, { label: 1, human: 1 }])!;
    expect(result.bins.map(({ from, n, seen }) => [from, n, seen])).toEqual([[0.6, 2, 0.5], [0.9, 2, 1]]);
    expect(result.ece).toBeCloseTo(0.0875, 4);
    expect(result.brier).toBeCloseTo((0.16 + 0.49 + 0.0025) / 4, 4);
  });

  it('rank correlation with ties, and none where nothing varies', () => {
    // Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4: covariance 4.5, variances 4.5 and 5.
    expect(rankCorrelation([1, 2, 2, 5], [10, 20, 30, 40])).toBeCloseTo(4.5 / Math.sqrt(4.5 * 5), 12);
    expect(rankCorrelation([1, 1, 1], [1, 2, 3])).toBeUndefined();
  });
});
