import { describe, expect, it } from 'vitest';

interface Row { readonly group: string; readonly yes: boolean; readonly says: boolean }
interface Interval { readonly mean: number; readonly low: number; readonly high: number; readonly n: number; readonly groups: number }
interface Metrics {
  balanced(rows: readonly Row[]): number;
  majority(rows: readonly Row[]): number;
  clustered(rows: readonly Row[], statistic: (rows: readonly Row[]) => number): Interval;
  pairedBalanced(rows: readonly { group: string; yes: boolean; says: Record<string, boolean> }[], a: string, b: string): Interval;
}

// What docs/judges.md is computed with; not part of the package.
const path = new URL('../../../../experiments/judges/metrics.js', import.meta.url).href;
const { balanced, majority, clustered, pairedBalanced } = (await import(path)) as Metrics;

const row = (yes: boolean, says: boolean, group: string): Row => ({ group, yes, says });

describe('the numbers of the judges', () => {
  it("balanced accuracy: 3 of 4 and 1 of 2 make 5/8, whatever the classes' sizes", () => {
    const rows = [
      row(true, true, 'a'),
      row(true, true, 'b'),
      row(true, true, 'c'),
      row(true, false, 'd'),
      row(false, false, 'e'),
      row(false, true, 'f'),
    ];
    expect(balanced(rows)).toBeCloseTo(5 / 8, 12);
    expect(majority(rows)).toBeCloseTo(4 / 6, 12);
    expect(balanced(rows.map((one) => ({ ...one, says: true })))).toBe(0.5);
  });

  it('rows of one prompt count as one draw: their interval is that of the prompts alone', () => {
    const alone = Array.from({ length: 40 }, (_, i) => row(i % 2 === 0, i % 4 < 2, `p${i}`));
    const share = (rows: readonly Row[]): number => rows.filter(({ yes, says }) => yes === says).length / rows.length;
    const tenfold = alone.flatMap((one) => Array.from({ length: 10 }, () => one));
    const [few, many] = [clustered(alone, share), clustered(tenfold, share)];
    expect({ ...many, n: 0 }).toEqual({ ...few, n: 0 });
    // 20 of 40: the normal approximation ½ ± 1.96 √(¼ / 40) is [0.345, 0.655], up to the grid of 1/40.
    expect(Math.abs(few.low - 0.345)).toBeLessThan(0.03);
    expect(Math.abs(few.high - 0.655)).toBeLessThan(0.03);
  });

  it('two judges that say the same differ by nothing in every draw', () => {
    const rows = Array.from({ length: 30 }, (_, i) => ({
      group: `p${i}`,
      yes: i % 2 === 0,
      says: { a: i % 3 === 0, b: i % 3 === 0, right: i % 2 === 0 },
    }));
    expect(pairedBalanced(rows, 'a', 'b')).toMatchObject({ mean: 0, low: 0, high: 0, n: 30 });
    expect(pairedBalanced(rows, 'right', 'a').low).toBeGreaterThan(0);
  });
});
