import { describe, expect, it } from 'vitest';
import { fitPreferences, isExtreme, lengthControlled } from '../../src/evaluate/length-controlled.js';
import { oracle } from './tasks/lm-eval.js';

interface Case {
  readonly name: string;
  readonly preferences: readonly number[];
  readonly baseline: readonly number[];
  readonly model: readonly number[];
  readonly win_rate: number;
  readonly length_controlled_winrate: number;
  readonly C: number;
  readonly slope: number;
  readonly intercept: number;
  readonly extreme: boolean;
}
const cases = oracle<readonly Case[]>('length_controlled.json');
const pairsOf = ({ preferences, baseline, model }: Pick<Case, 'preferences' | 'baseline' | 'model'>) =>
  preferences.map((preference, i) => ({ preference, baseline: 'é'.repeat(baseline[i]!), model: '👍'.repeat(model[i]!) }));

describe('the length-controlled win rate', () => {
  it.each(cases)('is alpaca_eval\'s: $name', (one) => {
    const found = lengthControlled(pairsOf(one))!;
    // liblinear stops at a tolerance of 1e-4.
    expect(100 * found.mean).toBeCloseTo(one.length_controlled_winrate, 1);
    expect(found.extreme).toBe(one.extreme);
    expect(isExtreme(one.win_rate / 100, one.length_controlled_winrate / 100)).toBe(one.extreme);
    expect(found.low).toBeLessThanOrEqual(found.mean);
    expect(found.high).toBeGreaterThanOrEqual(found.mean);
  });

  it.each(cases)('has the coefficients of liblinear, which are the least: $name', (one) => {
    const { preferences, baseline, model, C, slope, intercept } = one;
    const d = baseline.map((length, i) => length - model[i]!);
    const mean = d.reduce((a, b) => a + b) / d.length;
    const sd = Math.sqrt(d.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (d.length - 1));
    const sample = { x: Float64Array.from(d, (x) => Math.tanh(x / sd)), y: Float64Array.from(preferences) };
    const { a, b } = fitPreferences(sample, C);
    expect(a).toBeCloseTo(slope, 2);
    expect(b).toBeCloseTo(intercept, 2);
    const loss = (p: number, q: number): number => Math.abs(p) + Math.abs(q)
      + C * sample.x.reduce((sum, x, i) => sum + Math.log(1 + Math.exp(p * x + q)) - sample.y[i]! * (p * x + q), 0);
    for (const [da, db] of [[1e-3, 0], [-1e-3, 0], [0, 1e-3], [0, -1e-3], [1e-3, 1e-3], [slope - a, intercept - b]] as const)
      expect(loss(a, b)).toBeLessThanOrEqual(loss(a + da, b + db) + 1e-9);
  });

  it('is the raw rate where lengths differ by nothing or by the same, and needs five prompts', () => {
    const same = { preferences: [1, 1, 0, 0.5, 1], baseline: [10, 20, 30, 40, 50], model: [15, 25, 35, 45, 55] };
    expect(lengthControlled(pairsOf(same))!.mean).toBeCloseTo(0.7, 12);
    expect(lengthControlled(pairsOf({ ...same, preferences: [1, 1, 0, 0.5] }))).toBeUndefined();
  });
});
