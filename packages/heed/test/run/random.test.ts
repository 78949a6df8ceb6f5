import { describe, expect, it } from 'vitest';

import { createRandom } from '../../src/run/random.js';

/** Printed by tools/oracles/random_streams.py, a second implementation. */
const GOLDEN = {
  next: [0.02052696806264498, 0.7738440830256276, 0.4072752884746602],
  shuffle: [9, 6, 0, 1, 2, 4, 5, 8, 7, 3],
  normal: -0.3780028525776146,
};

const draws = (n: number, draw: () => number): number[] => Array.from({ length: n }, draw);
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

describe('createRandom', () => {
  it('gives the same stream for the same keys, in every release', () => {
    const random = createRandom(7, 'order', 0);
    expect(draws(3, random.next)).toEqual(GOLDEN.next);
    expect(createRandom('x').shuffle([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])).toEqual(GOLDEN.shuffle);
    expect(createRandom().normal()).toBeCloseTo(GOLDEN.normal, 14);
  });

  it('keeps keys apart that only look alike', () => {
    const first = [[1], ['1'], [1, 0], ['a', 'b'], ['ab'], ['a,b'], []].map((keys) => createRandom(...keys).next());
    expect(new Set(first).size).toBe(first.length);
  });

  it('draws uniformly, also across neighbouring streams', () => {
    for (const values of [draws(100_000, createRandom('u').next), Array.from({ length: 20_000 }, (_, i) => createRandom(3, i).next())]) {
      const n = values.length;
      expect(Math.min(...values.slice(0, 10_000))).toBeGreaterThanOrEqual(0);
      expect(Math.abs(mean(values) - 0.5)).toBeLessThan(4 * Math.sqrt(1 / 12 / n));
      const counts = new Array<number>(20).fill(0);
      for (const v of values) counts[Math.floor(v * 20)]! += 1;
      const chi = counts.reduce((sum, c) => sum + (c - n / 20) ** 2 / (n / 20), 0);
      expect(chi).toBeLessThan(43.8); // chi-square, 19 degrees of freedom, p = 0.001
    }
  });

  it('fills all 53 bits', () => {
    const random = createRandom('bits');
    let seen = 0n;
    for (let i = 0; i < 200; i++) seen |= BigInt(random.next() * 2 ** 53);
    expect(seen).toBe(2n ** 53n - 1n);
  });

  it('draws normally', () => {
    const values = draws(100_000, createRandom('n').normal);
    const m = mean(values);
    const moment = (k: number): number => mean(values.map((v) => (v - m) ** k));
    expect(Math.abs(m)).toBeLessThan(4 / Math.sqrt(values.length));
    expect(moment(2)).toBeCloseTo(1, 1.5);
    expect(moment(3)).toBeCloseTo(0, 1);
    expect(moment(4)).toBeCloseTo(3, 0.5);
  });

  it('shuffles every order equally often and leaves the argument alone', () => {
    const random = createRandom('s');
    const items = ['a', 'b', 'c'] as const;
    const counts = new Map<string, number>();
    for (let i = 0; i < 60_000; i++) {
      const order = random.shuffle(items).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(items).toEqual(['a', 'b', 'c']);
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 10_000)).toBeLessThan(450);
  });

  it('samples without repeats and refuses the impossible', () => {
    const random = createRandom('sample');
    const taken = random.sample(Array.from({ length: 50 }, (_, i) => i), 20);
    expect(new Set(taken).size).toBe(20);
    expect(() => random.sample([1, 2], 3)).toThrow('cannot take 3 of 2');
    expect(() => random.int(0)).toThrow(RangeError);
    expect(() => random.int(2.5)).toThrow(RangeError);
    expect(() => createRandom(NaN)).toThrow(RangeError);
    expect(random.int(1)).toBe(0);
  });
});
