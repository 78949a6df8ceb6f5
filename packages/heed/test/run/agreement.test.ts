import { describe, expect, it } from 'vitest';

import { alphaInterval, cohenKappa, kappaOfTable, krippendorffAlpha } from '../../src/run/agreement.js';

/** Raters in rows, `*` where one left an item out, as ratings by item. */
const byItem = (...raters: string[]): number[][] =>
  raters[0]!.split(' ').map((_, i) => raters.map((line) => line.split(' ')[i]!).filter((one) => one !== '*').map(Number));

/** Each item by itself. */
const each = <T>(items: readonly T[]): (readonly [T, number])[] => items.map((ratings) => [ratings, 1]);

const TWO = byItem('1 1 1 0 0 1 0 1 1 0', '1 1 0 0 0 1 1 1 1 0');
const THREE = byItem('1 2 3 5 4 *', '1 3 3 5 * 2', '2 2 3 4 4 *');
/** The reliability data of Krippendorff's own example, as fast-krippendorff tests them. */
const FOUR = byItem(
  '1 2 3 3 2 1 4 1 2 * * *', '1 2 3 3 2 2 4 1 2 5 * 3', '* 3 3 3 2 3 4 2 2 5 1 *', '1 2 3 3 2 4 4 1 2 5 1 *',
);

describe('agreement', () => {
  it("is Cohen's κ", () => {
    const [a, b] = [TWO.map(([one]) => one), TWO.map(([, other]) => other)];
    expect(cohenKappa(a, b)).toBeCloseTo(0.583333, 6);
    expect(kappaOfTable([[3, 1], [1, 5]])).toBeCloseTo(0.583333, 6);
    expect(cohenKappa(a, a)).toBe(1);
    expect(cohenKappa([1, 1, 0, 0], [1, 0, 1, 0])).toBeCloseTo(0, 12);
    expect(cohenKappa(['x', 'x'], ['x', 'x'])).toBeUndefined();
    expect(cohenKappa([], [])).toBeUndefined();
    expect(() => cohenKappa([1], [])).toThrow(RangeError);
  });

  it.each([
    [TWO, 'nominal', 0.604167], [THREE, 'nominal', 0.493506], [THREE, 'ordinal', 0.894335], [THREE, 'interval', 0.873377],
  ] as const)("is Krippendorff's α: %j, %s", (items, distance, alpha) => {
    expect(krippendorffAlpha(items, distance)).toBeCloseTo(alpha, 6);
  });

  it('is the published α of published data', () => {
    expect(krippendorffAlpha(FOUR, 'nominal')).toBeCloseTo(0.743, 3);
    expect(krippendorffAlpha(FOUR, 'ordinal')).toBeCloseTo(0.815, 3);
    expect(krippendorffAlpha(FOUR, 'interval')).toBeCloseTo(0.849, 3);
  });

  it('is undefined, and not perfect, where nothing was compared or nobody said anything else', () => {
    expect(krippendorffAlpha([[1], [2]], 'nominal')).toBeUndefined();
    expect(krippendorffAlpha([[1, 1], [1, 1, 1]], 'interval')).toBeUndefined();
    expect(alphaInterval([[[1, 1], 1]], 'nominal', { seed: 1 })).toBeUndefined();
  });

  it('has an interval over items', () => {
    const alpha = alphaInterval(each(FOUR), 'interval', { seed: 1 })!;
    expect(alpha.mean).toBeCloseTo(0.849, 3);
    expect(alpha.n).toBe(11);
    expect(alpha.low).toBeLessThan(alpha.mean);
    expect(alpha.high).toBeLessThanOrEqual(1);
    expect(alphaInterval(each(FOUR), 'interval', { seed: 1 })).toEqual(alpha);
    // All resamples of full agreement agree in full.
    expect(alphaInterval([[['a', 'a'], 2], [['b', 'b'], 1]], 'nominal', { seed: 1 })).toMatchObject({ mean: 1, low: 1, high: 1 });
  });

  it('computes the interval of many items, where resampling comes to the same', () => {
    // 400,000 multinomial resamples in numpy; α has a closed form for two raters and two values.
    const many = [[[0, 0], 900], [[0, 1], 300], [[1, 1], 1200]] as const;
    const alpha = alphaInterval(many, 'nominal', { seed: 1 })!;
    expect(alpha.mean).toBeCloseTo(0.7460846560846561, 12);
    expect(alpha.low).toBeCloseTo(0.71872, 2);
    expect(alpha.high).toBeCloseTo(0.77257, 2);
    expect(alpha.n).toBe(2400);
  });
});
