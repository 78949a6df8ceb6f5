import { describe, expect, it } from 'vitest';
import { bestOfNKlBound, bestOfNPolicy, bestOfNWinRateBound } from '../../src/reward/best-of-n.js';
import { createRandom } from '../../src/run/random.js';

// Three outcomes in rising order of reward; the numbers were worked out in float64 from the formulas of arXiv 2401.01879.
const POLICY = [0.5, 0.3, 0.2];
const GOLDEN = [
  { n: 2, policy: [0.25, 0.39, 0.36], kl: 0.140638467367, bound: 0.19314718056, wins: 2 / 3 },
  { n: 4, policy: [0.0625, 0.3471, 0.5904], kl: 0.559750560357, bound: 0.63629436112, wins: 0.8 },
  { n: 8, policy: [0.00390625, 0.16386591, 0.83222784], kl: 1.06853267138, bound: 1.20444154168, wins: 8 / 9 },
];
const kl = (p: readonly number[], q: readonly number[]): number =>
  p.reduce((sum, x, i) => sum + (x === 0 ? 0 : x * Math.log(x / q[i]!)), 0);

describe('best of n', () => {
  it.each(GOLDEN)('has the golden policy, divergence and bounds: n = $n', ({ n, policy, kl: expected, bound, wins }) => {
    const found = bestOfNPolicy(POLICY, n);
    found.forEach((p, i) => expect(p).toBeCloseTo(policy[i]!, 12));
    expect(kl(found, POLICY)).toBeCloseTo(expected, 11);
    expect(bestOfNKlBound(n)).toBeCloseTo(bound, 11);
    expect(bestOfNWinRateBound(n)).toBeCloseTo(wins, 12);
    expect(kl(found, POLICY)).toBeLessThan(bestOfNKlBound(n));
  });

  it('is what drawing n outcomes and taking the best gives, counted over 40 000 draws', () => {
    const random = createRandom('best of n', 4);
    const draw = (): number => {
      const u = random.next();
      return u < 0.5 ? 0 : Number(u >= 0.8) + 1;
    };
    const counts = [0, 0, 0];
    for (let i = 0; i < 40_000; i++) counts[Math.max(draw(), draw(), draw(), draw())]!++;
    // Three standard deviations of a share of 40 000 are 0.0074 at most.
    bestOfNPolicy(POLICY, 4).forEach((p, i) => expect(Math.abs(counts[i]! / 40_000 - p)).toBeLessThan(0.0075));
  });

  it('is the policy itself at n = 1, at no distance', () => {
    bestOfNPolicy(POLICY, 1).forEach((p, i) => expect(p).toBeCloseTo(POLICY[i]!, 12));
    expect([bestOfNKlBound(1), bestOfNWinRateBound(1)]).toEqual([0, 0.5]);
  });

  it('refuses what is no number of samples, and what is no distribution', () => {
    for (const n of [0, 1.5, Number.NaN]) expect(() => bestOfNKlBound(n)).toThrow(/n is a whole number from 1/);
    expect(() => bestOfNPolicy([0.5, 0.4], 2)).toThrow(/add up to 0.9/);
    expect(() => bestOfNPolicy([1.5, -0.5], 2)).toThrow(RangeError);
  });
});
