import { describe, expect, it } from 'vitest';
// @ts-expect-error a script without types
import * as rule from '../../../../experiments/claims/decide.js';
// @ts-expect-error a script without types
import * as others from '../../../../experiments/claims/others.js';

interface Interval { readonly mean: number; readonly low: number; readonly high: number }
const { decide, interval } = rule as {
  decide(statement: object, better: object, than: object | undefined): { readonly verdict: string };
  interval(differences: readonly (readonly number[])[]): Interval;
};
const { verdictOf } = others as { verdictOf(intervals: readonly Interval[], claim: { least?: number; sign?: number }): string };

// The rules that decide claims of papers (docs/evidence.md).
const statement = { paper: '', says: '', numbers: '', better: 'cut', than: 'base', measure: 'satisfied' } as const;
const result = (seeds: readonly (readonly number[])[], base: readonly number[]) => ({
  seeds: seeds.map((satisfied) => ({ satisfied, cutOff: satisfied })), base: { satisfied: base, cutOff: base },
});
const none = Array<number>(40).fill(0);
const some = none.map((_, i) => (i % 2));

describe('a claim', () => {
  it('is decided by seeds and prompts: the mean, and an interval that is as wide as both make it', () => {
    expect(interval([[1, 1], [1, 1]])).toEqual({ mean: 1, low: 1, high: 1 });
    // Two seeds of which one gains everything: a third draw of the bad one alone has a quarter of all resamples.
    expect(interval([none, none.map(() => 1)])).toEqual({ mean: 0.5, low: 0, high: 1 });
    // 40 prompts of which half gain: the standard error is sqrt(0.25 / 40) = 0.079.
    const { mean, low, high } = interval([some]);
    expect(mean).toBe(0.5);
    expect(high - low).toBeGreaterThan(2 * 1.96 * 0.079 - 0.06);
    expect(high - low).toBeLessThan(2 * 1.96 * 0.079 + 0.06);
  });

  it('holds, fails or stays open by the side of 0 on which the interval lies', () => {
    expect(decide(statement, result([some, some], none), undefined).verdict).toBe('reproduced');
    expect(decide(statement, result([none, none], some), undefined).verdict).toBe('not reproduced');
    expect(decide(statement, result([none, some.map((x) => 2 * x)], some), undefined).verdict).toBe('cannot tell');
    expect(decide({ ...statement, measure: 'cutOff' }, result([some, some], none), undefined).verdict).toBe('not reproduced');
  });

  it('of parts holds where all parts do', () => {
    const around = { mean: 0.5, low: 0.4, high: 0.6 };
    const [above, below] = [{ mean: 0.7, low: 0.6, high: 0.8 }, { mean: 0.3, low: 0.2, high: 0.4 }];
    expect(verdictOf([above, above], { least: 0.5 })).toBe('reproduced');
    expect(verdictOf([above, around], { least: 0.5 })).toBe('cannot tell');
    expect(verdictOf([below, below], { least: 0.5 })).toBe('not reproduced');
    expect(verdictOf([below, above], { least: 0.5 })).toBe('cannot tell');
    expect(verdictOf([below], { least: 0.5, sign: -1 })).toBe('reproduced');
  });
});
