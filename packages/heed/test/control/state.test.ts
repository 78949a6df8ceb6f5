import { describe, expect, it } from 'vitest';
import { encodeState, stateSize } from '../../src/control/state.js';

describe('the state of an answer', () => {
  const place = (...p: number[]) => p.map((x, id) => ({ id, logprob: Math.log(x) }));
  const sofar = { ids: [1, 2, 3, 1, 2, 3], tops: [place(0.9, 0.1), place(0.5, 0.25), place(0.5, 0.25)], most: 24, last: 1 };

  it('is 0 before the first token', () => {
    expect(encodeState(undefined, 2, 3)).toEqual(new Array(9).fill(0));
    expect(stateSize(3)).toBe(9);
  });

  it('is of the last segment, with the rest of the vocabulary as one', () => {
    const [entropy, top1, margin, mass, used, repeated, ...last] = encodeState(sofar, 2, 3);
    // 0.5 and twice 0.25: 1.5 bits.
    expect(entropy).toBeCloseTo((1.5 * Math.LN2) / Math.log(21), 12);
    [[top1, 0.5], [margin, 0.25], [mass, 0.75], [used, 0.25]].forEach(([x, wanted]) => expect(x).toBeCloseTo(wanted!, 12));
    // Of 123, 231, 312, 123 the last stood there before.
    expect(repeated).toBe(0.25);
    expect(last).toEqual([0, 1, 0]);
  });
});
