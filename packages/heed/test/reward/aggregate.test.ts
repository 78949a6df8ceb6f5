import { describe, expect, it } from 'vitest';
import { aggregate } from '../../src/method/aggregate.js';

// Numbers by Python's statistics (sample deviations, + 1e-4), from TRL's definition.
const close = (values: readonly (number | null)[]): unknown[] =>
  values.map((value) => (value === null ? null : (expect.closeTo(value, 11) as number)));
const rewards = [
  { a: 1, b: 100 }, { a: 0, b: 300 }, { a: 0, b: 200 }, { a: 1, b: null }, { a: 0.2, b: 10 }, { a: 0.9, b: 10 }, { a: null, b: null },
];
const groups = [7, 7, 7, 7, 3, 3, 3];

describe('several rewards of a batch', () => {
  it('sum-then-normalize: the weighted sum, without rewards that do not apply', () => {
    expect(aggregate(rewards, groups, { a: 1, b: -0.5 }, 'sum-then-normalize')).toEqual(close([-49, -150, -100, 1, -4.8, -4.1, null]));
  });

  it('normalize-then-sum: each reward z-scored in its group, the sum z-scored over the batch', () => {
    expect(aggregate(rewards, groups, { a: 1, b: -0.5 }, 'normalize-then-sum')).toEqual(close([
      1.22349548206, -1.22349548206, -0.77561616606, 0.77561616606, -0.633269696591, 0.633269696591, null,
    ]));
    const one = [1, 0, 0, 1, 0.2, 0.9].map((a) => ({ a }));
    expect(aggregate(one, [1, 1, 1, 1, 2, 2], { a: 1 }, 'normalize-then-sum')).toEqual(close([
      0.968144551263, -0.968144551263, -0.968144551263, 0.968144551263, -0.790463934435, 0.790463934435,
    ]));
  });

  it('normalize-then-sum does not depend on the unit of a reward, but for the 1e-4', () => {
    const inUnits = (unit: number): (number | null)[] => aggregate(
      [3, 8, 1, 4].map((a, i) => ({ a, b: unit * [1, 0, 2, 9][i]! })), [0, 0, 1, 1], { a: 1, b: 2 }, 'normalize-then-sum',
    );
    for (const [i, value] of inUnits(1).entries()) expect(inUnits(1000)[i]).toBeCloseTo(value!, 2);
  });

  it('groups of one, and rewards that are the same for all, teach nothing', () => {
    expect(aggregate([{ a: 5 }, { a: 9 }], [0, 1], { a: 1 }, 'normalize-then-sum')).toEqual([0, 0]);
    expect(aggregate([{ a: 5 }, { a: 5 }], [0, 0], { a: 1 }, 'normalize-then-sum')).toEqual([0, 0]);
    expect(aggregate([], [], { a: 1 }, 'normalize-then-sum')).toEqual([]);
    // What has no weight has no part in the sum.
    expect(aggregate([{ a: 1, c: 100 }], [0], { a: 2 }, 'sum-then-normalize')).toEqual([2]);
  });

  it('refuses lists of different lengths and numbers that are none', () => {
    expect(() => aggregate([{ a: 1 }], [0, 0], { a: 1 }, 'sum-then-normalize')).toThrow('1 responses, 2 groups');
    expect(() => aggregate([{ a: 1 }, { a: NaN }], [0, 0], { a: 1 }, 'sum-then-normalize')).toThrow('"a" of response 2 is NaN');
    expect(() => aggregate([{ a: 1 }], [0], { a: Infinity }, 'sum-then-normalize')).toThrow('weight of "a" is Infinity');
  });
});
