import { describe, expect, it } from 'vitest';
import type { Rated, RewardItem } from '../../src/reward/reward.js';
import { inParts } from '../../src/reward/spans.js';
import { item, rated } from './survey/rate.js';

// Which places of a response cost it what: with `credit: { by: spans }` their tokens learn from it.
const placed = ({ response }: RewardItem, { spans = [] }: Rated): [string, number][] =>
  spans.map(({ start, end, value }) => [response.slice(start, end), Number(value.toFixed(6))]);

describe('the places that rewards name', () => {
  it('have equal parts, and none where there is no place', () => {
    expect(inParts([{ start: 1, end: 3 }, { start: 5, end: 6 }], -0.5)).toEqual([
      { start: 1, end: 3, value: -0.25 }, { start: 5, end: 6, value: -0.25 },
    ]);
    expect(inParts([], -1)).toEqual([]);
  });

  it('truth: each detector takes its weight times its confidence off at what it objects to', async () => {
    const evidence = 'The tower is 40 metres high.';
    const lie = item('How high is it?', 'It is 70 metres high. Karl Obst built it. 2 + 2 = 5.', { evidence });
    const fact = item('How high is it?', evidence, { evidence }, 2);
    const [bad, good] = await rated({ truth: { weights: { arithmetic: 2 } } }, [lie, fact]);
    const { support, arithmetic } = bad!.parts as { support: number; arithmetic: number };
    const found = placed(lie, bad!);
    expect(found.at(-1)).toEqual(['2 + 2 = 5', -2 * arithmetic]);
    expect(found.slice(0, 2).map(([text]) => text)).toEqual(['70', 'Karl Obst']);
    const ofSupport = found.slice(0, -1).map(([, value]) => value);
    expect(ofSupport.reduce((a, b) => a + b, 0)).toBeCloseTo(-support, 5);
    expect(new Set(ofSupport).size).toBe(1);
    // Both detectors name places, so nothing is left for the response as a whole.
    expect(found.reduce((sum, [, value]) => sum + value, 0)).toBeCloseTo(bad!.value, 5);
    expect([good!.value, good!.spans]).toEqual([0, []]);
  });

  it('sincerity and clarify: what is said although it should not be, and a question that is right', async () => {
    const feigns = item('Who wrote Emma?', "Well, I don't know.", { answerable: true });
    const [feigned] = await rated({ sincerity: {} }, [feigns]);
    expect(placed(feigns, feigned!)).toEqual([["I don't know", -1]]);
    const needless = item('Convert 50 euros into dollars.', 'Which euros? At what rate?');
    const right = item('Set an alarm', 'Sure. At what time?', {}, 2);
    const [asks, asked] = await rated({ clarify: {} }, [needless, right]);
    expect(placed(needless, asks!)).toEqual([['Which euros?', -0.25], ['At what rate?', -0.25]]);
    expect(placed(right, asked!)).toEqual([['At what time?', 1]]);
  });

  it('persona: the facts that contradict it; what it is worth beside belongs to the whole', async () => {
    const speaks = item('Who are you?', 'Good day. I have no dogs.', { p: ['I have two dogs.'] });
    const [drifts] = await rated({ persona: { persona: 'p' } }, [speaks]);
    expect(drifts!.value).toBe(0);
    expect(placed(speaks, drifts!)).toEqual([[expect.stringContaining('I have no dogs') as string, -1]]);
  });
});
