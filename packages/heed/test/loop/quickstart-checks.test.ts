import { describe, expect, it } from 'vitest';
import { LIMITS, checksOf } from '../../src/cli/quickstart.js';

type Given = Parameters<typeof checksOf>[0];
const GAIN: Given = {
  before: { satisfied: { mean: 0.1, low: 0.05, high: 0.18, n: 80 }, medianWords: 50, distinct2: 0.9, logprobPerToken: -0.8, unfinished: 0 },
  after: { satisfied: { mean: 0.5, low: 0.4, high: 0.6, n: 80 }, medianWords: 45, distinct2: 0.85, logprobPerToken: -1, unfinished: 0 },
};
const after = (change: Given['after']): Given => ({ ...GAIN, after: { ...GAIN.after, ...change } });
const failed = (given: Given): number[] => checksOf(given).flatMap(({ holds }, i) => (holds ? [] : [i]));

describe('the quickstart holds its result against its promises', () => {
  it('all hold for a gain without a price', () => {
    expect(checksOf(GAIN)).toHaveLength(5);
    expect(failed(GAIN)).toEqual([]);
  });

  it.each([
    ['the gain is inside the intervals', after({ satisfied: { mean: 0.5, low: 0.17, high: 0.6, n: 80 } }), 0],
    ['the intervals touch', after({ satisfied: { mean: 0.5, low: 0.18, high: 0.6, n: 80 } }), 0],
    ['the model got worse', after({ satisfied: { mean: 0, low: 0, high: 0.04, n: 80 } }), 0],
    ['answers shrink', after({ medianWords: LIMITS.wordsRatio * 50 - 1 }), 1],
    ['answers are empty', after({ medianWords: 0 }), 1],
    ['the text becomes unlikely under the base', after({ logprobPerToken: -0.81 - LIMITS.logprobDrop }), 2],
    ['there is no likelihood', after({ logprobPerToken: Number.NaN }), 2],
    ['answers repeat themselves', after({ distinct2: LIMITS.distinct2Ratio * 0.9 - 0.01 }), 3],
    ['answers no longer end', after({ unfinished: LIMITS.unfinishedRise + 0.01 }), 4],
  ])('%s', (_, given, check) => {
    expect(failed(given)).toEqual([check]);
  });

  it('at the limits they hold still', () => {
    expect(failed(after({ medianWords: LIMITS.wordsRatio * 50, distinct2: LIMITS.distinct2Ratio * 0.9 }))).toEqual([]);
  });

  it('each says what it compares', () => {
    expect(checksOf(GAIN).map(({ what }) => what)).toEqual([
      'the gain lies outside the 95 % intervals (0.40 > 0.18)',
      `median words ≥ ${LIMITS.wordsRatio} × the base's (45 against 50)`,
      `log p a token under the base falls by at most ${LIMITS.logprobDrop} (-1.00 against -0.80)`,
      `distinct-2 ≥ ${LIMITS.distinct2Ratio} × the base's (0.85 against 0.90)`,
      'answers cut off at the length limit rise by at most 15 points (0 % against 0 %)',
    ]);
  });
});
