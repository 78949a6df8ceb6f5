import { expect, it } from 'vitest';
import { Totals } from '../../src/train/totals.js';

const out = (values: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { data: [value] }]));

it('of micro-batches, sums are divided by counts once, and extremes are those of all', () => {
  const names = ['share', 'low', 'high'];
  const batch = (sum: number, count: number, low: number, high: number): Totals => {
    const totals = new Totals();
    totals.addSums(out({ 'term:0': sum, 'metric:share': sum, 'least:low': low, 'most:high': high }), 1, names);
    totals.addAll(out({ 'count:0': count, 'metricCount:share': count }));
    return totals;
  };
  const whole = batch(1, 4, 0.5, 0.25);
  whole.merge(batch(5, 2, 0.125, 0));
  whole.merge(batch(0, 6, 0.75, 1));
  expect(whole.metrics(names)).toEqual({ share: 0.5, low: 0.125, high: 1 });
  expect(whole.loss(1)).toBe(0.5);
});
