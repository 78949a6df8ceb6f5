import { describe, expect, it } from 'vitest';
import { meanOfFew, studentQuantile, studentWithin } from '../../src/run/student.js';

describe("Student's t", () => {
  it.each([
    // R: qt(0.975, df)
    [1, 12.706204736], [2, 4.302652730], [3, 3.182446305], [4, 2.776445105], [5, 2.570581836], [9, 2.262157163], [29, 2.045229642],
    [100, 1.983971519],
  ])('with %i degrees of freedom lies within %d of 0 in 95 of 100 cases', (degrees, quantile) => {
    expect(studentQuantile(degrees)).toBeCloseTo(quantile, 7);
    expect(studentWithin(quantile, degrees)).toBeCloseTo(0.95, 9);
  });

  it('gives the mean of a few values with its interval', () => {
    // 1, 2, 6: mean 3, s² = (4 + 1 + 9) / 2 = 7, half the interval 4.302652730 √(7/3).
    const { mean, low, high, n } = meanOfFew([1, 2, 6]);
    expect([mean, n]).toEqual([3, 3]);
    expect(high - mean).toBeCloseTo(6.5724106, 5);
    expect(mean - low).toBeCloseTo(6.5724106, 5);
    expect(meanOfFew([2, 2, 2])).toEqual({ mean: 2, low: 2, high: 2, n: 3 });
  });

  it('refuses what has no interval', () => {
    expect(() => meanOfFew([1])).toThrow(RangeError);
    expect(() => meanOfFew([1, Number.NaN])).toThrow(RangeError);
  });
});
