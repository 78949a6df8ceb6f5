import { describe, expect, it } from 'vitest';
import { describeEndings, endedResponses } from '../../src/loop/endings.js';
import { dpo } from '../../src/method/dpo.js';
import { bind } from '../../src/method/bind.js';
import { rewardModel } from '../../src/method/reward-model.js';

const END = 9;
const model = { template: { stopIds: [END] } } as unknown as Parameters<typeof endedResponses>[2];
const item = (index: number, response: number[], supervised?: boolean[]) => (
  {
    index, where: `row ${index}`, columns: {},
    sequences: { chosen: [{ prompt: [1], response, supervised }], rejected: [{ prompt: [1], response: [4, END] }] },
  }
);

describe('whether answers still end', () => {
  it('is looked at behind responses that end and are learnt, spread over the rows', () => {
    const items = [item(0, [2, END]), item(1, [2, 3]), item(2, [5, END], [true, false]), item(3, [6, END])];
    expect(endedResponses(items, bind(dpo), model).map(({ response }) => response[0])).toEqual([2, 6]);
    expect(endedResponses(items, bind(rewardModel), model)).toEqual([]);
    const many = Array.from({ length: 100 }, (_, i) => item(i, [i + 10, END]));
    const looked = endedResponses(many, bind(dpo), model).map(({ response }) => response[0]!);
    expect([looked.length, looked[0], looked[1], looked.at(-1)]).toEqual([16, 10, 16, 100]);
  });

  it('is said of a fall to a third alone, and where endings have become rare', () => {
    expect(describeEndings(0.5, 0.04)).toContain('had a probability of 50 % and has 4 % now');
    expect(describeEndings(0.4235, 0.0966)).toContain('had a probability of 42 % and has 9.7 % now'); // 69 % of the answers were cut off
    expect(describeEndings(0.5, 0.18)).toBeUndefined();
    expect(describeEndings(0.9, 0.25)).toBeUndefined();
    expect(describeEndings(undefined, 0.001)).toBeUndefined();
  });
});
