import { describe, expect, it } from 'vitest';

import { grown } from '../../../../apps/studio/src/pages/run/grown.js';
import { smooth } from '../../../../apps/studio/src/smooth.js';
import { wordDiff } from '../../../../apps/studio/src/word-diff.js';
import type { Curves } from '../../src/studio/api.js';

describe('smoothing', () => {
  it('is the moving average without the pull of its start', () => {
    // By hand, s = ½: m = 1, 2, 3.5 without the correction 0.5, 1.5, 2.75 … divided by ½, ¾, ⅞.
    const [first, second, third] = smooth([1, 2, 4], 0.5);
    expect([first, second, third]).toEqual([1, 1.25 / 0.75, 2.625 / 0.875].map((x) => expect.closeTo(x, 12) as number));
  });

  it('passes over what is no number, and a constant stays what it is', () => {
    expect(smooth([2, null, 2], 0.9)).toEqual([2, null, 2].map((x) => (x === null ? null : (expect.closeTo(x, 12) as number))));
    expect(smooth([3, 1], 0)).toEqual([3, 1]);
  });
});

describe('what differs between two texts', () => {
  it('is found word by word, and both texts can be put together again', () => {
    const [first, second] = ['We offer a warm lamp, today.', 'This is a warm, bright lamp.'];
    const pieces = wordDiff(first, second);
    const textOf = (side: 'first' | 'second'): string =>
      pieces.filter(({ of }) => of === 'both' || of === side).map(({ text }) => text).join('');
    expect([textOf('first'), textOf('second')]).toEqual([first, second]);
    expect(pieces.filter(({ of }) => of === 'both').map(({ text }) => text.trim())).toContain('a warm');
  });

  it('is found in a script without blanks', () => {
    expect(wordDiff('这盏灯很温暖', '这盏灯很明亮').filter(({ of }) => of !== 'both').map(({ text }) => text)).toEqual(['温暖', '明亮']);
  });

  it('is all of two long texts that have little in common', () => {
    const long = (word: string): string => Array.from({ length: 4000 }, (_, i) => `${word}${i}`).join(' ');
    expect(wordDiff(long('a'), long('b')).map(({ of }) => of)).toEqual(['first', 'second']);
  });
});

describe('curves that grow', () => {
  const before: Curves = { lines: 2, steps: 2, curves: [
    { name: 'loss', title: 'loss', x: [1, 2], y: [3, 2] }, { name: 'kl', title: 'kl', x: [2], y: [0.1], low: [0], high: [0.2] },
  ] };

  it('have new lines at their end, those alone that name them', () => {
    expect(grown(before, [{ step: 3, loss: null }, { step: 4, loss: 1, kl: 0.3 }], 4)).toEqual({
      lines: 4, steps: 4, curves: [
        { name: 'loss', title: 'loss', x: [1, 2, 3, 4], y: [3, 2, null, 1] },
        { name: 'kl', title: 'kl', x: [2, 4], y: [0.1, 0.3], low: [0, 0.3], high: [0.2, 0.3] },
      ],
    });
  });

  it('are asked for again where a name is new, or lines are missing between', () => {
    expect(grown(before, [{ step: 3, reward: 1 }], 3)).toBeUndefined();
    expect(grown(before, [{ step: 9, loss: 1 }], 9)).toBeUndefined();
    expect(grown(before, [{ step: 2, loss: 2 }], 2)).toBe(before);
  });
});
