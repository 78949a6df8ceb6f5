import { describe, expect, it } from 'vitest';

import { histogram, ridgePlot } from '../../src/run/report/ridge.js';
import { rewardRidges } from '../../src/run/report/rollouts.js';

describe('histogram', () => {
  it('counts each value once, the greatest in the last part', () => {
    // As numpy.histogram([0, 0.03, 0.04, 0.5, 1, 1], bins=25, range=(0, 1)) but for what lies on an edge by rounding.
    const counts = histogram([0, 0.03, 0.05, 0.5, 1, 1], 0, 1);
    expect(counts.flatMap((count, bin) => (count > 0 ? [[bin, count]] : []))).toEqual([[0, 2], [1, 1], [12, 1], [24, 2]]);
  });

  it('puts equal values into the middle', () => {
    expect(histogram([3, 3], 3, 3)[12]).toBe(2);
  });
});

describe('rewardRidges', () => {
  const answers = (rounds: number) => Array.from({ length: 3 * rounds }, (_, i) => ({ round: Math.floor(i / 3) + 1, reward: i }));

  it('groups the rounds in their order, and leaves none out', () => {
    const ridges = rewardRidges(answers(20));
    expect(ridges.map(({ name }) => name)).toEqual(
      ['rounds 1 to 2', 'rounds 3 to 5', 'rounds 6 to 7', 'rounds 8 to 10', 'rounds 11 to 12', 'rounds 13 to 15', 'rounds 16 to 17',
        'rounds 18 to 20'],
    );
    expect(ridges.flatMap(({ values }) => values)).toEqual(Array.from({ length: 60 }, (_, i) => i));
  });

  it('has a line for each of a few rounds', () => {
    expect(rewardRidges(answers(2)).map(({ name }) => name)).toEqual(['round 1', 'round 2']);
  });
});

describe('ridgePlot', () => {
  it('says the mean, and two humps of enough values', () => {
    const { text } = ridgePlot([
      { name: 'few', values: [0, 1] },
      { name: 'two humps', values: Array.from({ length: 100 }, (_, i) => i % 2) },
    ], 'rewards');
    expect(text).toContain('>0.5</text>');
    expect(text).toContain('>0.5 · 0.95</text>');
  });
});
