import { describe, expect, it } from 'vitest';
import type { Failure } from '../../src/judge/respondent.js';
import { type RewardPart, combineRewards } from '../../src/reward/combined.js';
import { describeReward, openReward, openRewards } from '../../src/reward/open.js';
import type { Rated, Reward } from '../../src/reward/reward.js';
import { scratchFolder } from '../support/scratch.js';

const { write } = scratchFolder();
const items = ['a', 'b', 'c', 'd', 'e'].map((response) => ({ prompt: [{ role: 'user' as const, content: 'Why?' }], response }));
const silent: Failure = { failure: 'not-applicable', detail: 'null' };
const usage = { questions: 2, reused: 1, asked: 1, promptTokens: 5, completionTokens: 3, milliseconds: 7 };

/** A reward that says these things, and notes when it is asked and closed. */
const scripted = (name: string, results: readonly (Rated | Failure)[], log: string[] = [], more: Partial<Reward> = {}): Reward => ({
  name, drawsLine: results.some((one) => 'satisfied' in one),
  async rate(all, { onProgress } = {}) {
    log.push(`rates ${name}`);
    await Promise.resolve();
    onProgress?.(all.length, all.length);
    log.push(`rated ${name}`);
    return results;
  },
  async close() { log.push(`closed ${name}`); },
  ...more,
});

const log: string[] = [];
const style = scripted('style', [
  { value: 1, reason: null, satisfied: true, findings: [] },
  { value: 0.5, reason: 'It has "!".', satisfied: false, findings: [{ rule: 'loud', quote: '!', start: 3, end: 4 }] },
  silent, silent,
  { value: 1, reason: null, satisfied: true, findings: [] },
], log, { asking: { ...usage, earlier: { promptTokens: 1, completionTokens: 2 } } });
const short = scripted('short', [
  { value: -4, reason: null }, { value: -8, reason: 'It is long.' }, { value: -2, reason: null }, silent,
  { failure: 'timeout', detail: 'slow' },
], log, { asking: { ...usage, earlier: { promptTokens: 10, completionTokens: 20 } } });
const parts: RewardPart[] = [{ name: 'style', reward: style, weight: 2 }, { name: 'short', reward: short, weight: 0.25 }];

describe('several rewards as one', () => {
  it('keep what places earned, by weight, and the attention of one of them', async () => {
    const one = items.slice(0, 1);
    const places = (value: number) => [{ start: 0, end: 1, value }];
    const first = scripted('first', [{ value: 1, reason: null, spans: places(-0.5) }]);
    const second = scripted('second', [{ value: 1, reason: null, spans: places(0.25), attention: places(0.3) }]);
    const both = combineRewards([{ name: 'first', reward: first, weight: 2 }, { name: 'second', reward: second, weight: -1 }]);
    const [rated] = await both.rate(one);
    expect(rated).toMatchObject({ value: 1, spans: [...places(-1), ...places(-0.25)], attention: places(0.3) });
    const twice = combineRewards([{ name: 'a', reward: second, weight: 1 }, { name: 'b', reward: second, weight: 1 }]);
    await expect(twice.rate(one)).rejects.toThrow('a and b both give their attention on an answer.');
  });

  it('sum what applies, keep the raw values, and join lines, reasons and findings', async () => {
    const progress: number[] = [];
    const both = combineRewards(parts);
    expect(both).toMatchObject({ drawsLine: true, weights: { style: 2, short: 0.25 }, name: '2 × style (style) + 0.25 × short (short)' });
    expect(await both.rate(items, { onProgress: (done) => progress.push(done) })).toEqual([
      { value: 1, reason: null, parts: { style: 1, short: -4 }, satisfied: true, findings: [] },
      {
        value: -1, reason: 'style: It has "!".\nshort: It is long.', parts: { style: 0.5, short: -8 }, satisfied: false,
        findings: [{ rule: 'loud', quote: '!', start: 3, end: 4 }],
      },
      // The reward that draws a line does not apply, so there is no line.
      { value: -0.5, reason: null, parts: { short: -2 }, satisfied: undefined, findings: undefined },
      { failure: 'not-applicable', detail: 'style: null; short: null' },
      { failure: 'timeout', detail: 'short: slow' },
    ]);
    expect(progress).toEqual([2, 5]);
    expect(both.asking).toEqual({
      questions: 4, reused: 2, asked: 2, promptTokens: 10, completionTokens: 6, milliseconds: 14,
      earlier: { promptTokens: 11, completionTokens: 22 },
    });
    // One after another: two local models do not compete for memory.
    expect(log).toEqual(['rates style', 'rated style', 'rates short', 'rated short']);
  });

  it('is satisfied only where every reward that draws a line is', async () => {
    const line = (satisfied: boolean): Reward => scripted(String(satisfied), [{ value: 1, reason: null, satisfied }]);
    for (const [a, b] of [[true, true], [true, false], [false, true]] as const) {
      const [rated] = await combineRewards([{ name: 'a', reward: line(a), weight: 1 }, { name: 'b', reward: line(b), weight: 0 }])
        .rate(items.slice(0, 1));
      expect(rated).toMatchObject({ satisfied: a && b, value: 1 });
    }
  });

  it('has those rest that hold memory', async () => {
    const rested: string[] = [];
    const resting = scripted('model', [], [], { rest: async () => { rested.push('model'); } });
    const whole = combineRewards([{ name: 'x', reward: scripted('x', []), weight: 1 }, { name: 'y', reward: resting, weight: 1 }]);
    await whole.rest!();
    expect(rested).toEqual(['model']);
  });

  it('closes every reward even where one refuses', async () => {
    const closed: string[] = [];
    const broken = scripted('broken', [], closed, { close: () => Promise.reject(new Error('stuck')) });
    const whole = combineRewards([{ name: 'x', reward: broken, weight: 1 }, { name: 'y', reward: scripted('y', [], closed), weight: 1 }]);
    await expect(whole.close()).rejects.toThrow('stuck');
    expect(closed).toEqual(['closed y']);
  });

  it('refuses no reward, two of one name, a weight that is no number, and results that are too few', async () => {
    expect(() => combineRewards([])).toThrow('no rewards');
    expect(() => combineRewards([parts[0]!, parts[0]!])).toThrow('two rewards are called "style"');
    expect(() => combineRewards([{ ...parts[0]!, weight: NaN }])).toThrow('the weight of "style" is NaN');
    await expect(combineRewards(parts).rate(items.slice(0, 2))).rejects.toThrow('The reward "style" gave 5 results for 2 responses.');
  });
});

describe('rewards: of a recipe', () => {
  const file = write('rewards.ts', `
    export const closed = [];
    export const short = ({ completions }) => completions.map((text) => -text.length);
    export const apt = ({ completions }) => completions.map((text) => (text === 'aa' ? null : 1));
  `);

  it('opens each by its name, with the weight beside its kind; default 1', async () => {
    const spec = { rewards: { short: { fn: `${file}#short`, weight: 0.5 }, apt: `${file}#apt` } };
    const reward = await openReward(spec);
    expect(await reward.rate(['aa', 'b'].map((response) => ({ ...items[0]!, response })))).toMatchObject([
      { value: -1, parts: { short: -2 } }, { value: 0.5, parts: { short: -1, apt: 1 } },
    ]);
    expect(describeReward(spec)).toBe(`0.5 × short (${file}#short) + 1 × apt (${file}#apt)`);
    // Another weight is another reward.
    expect((await openReward({ rewards: { ...spec.rewards, apt: { fn: `${file}#apt`, weight: 2 } } })).name).not.toBe(reward.name);
    await reward.close();
  });

  it.each([
    [{}, /expected one reward or more/],
    [{ 'a.b': 'rules:x.yaml' }, /expected a name of letters, digits, _ and -/],
    [{ a: { weight: 2 } }, /expected exactly one of rules/],
    [{ a: { rules: 'x', fn: './x.ts#x' } }, /expected exactly one of rules/],
    [{ a: { fn: './x.ts#x', wieght: 2 } }, /unknown key "a\.wieght"; did you mean "a\.weight"\?/],
    [{ a: { fn: './x.ts#x', weight: 'much' } }, /a\.weight.*expected a number/],
    [{ a: 'style' }, /expected rules:FILE/],
  ])('refuses %j', async (map, words) => {
    await expect(openRewards(map as never)).rejects.toThrow(words);
  });

  it('closes what was open where one cannot be opened', async () => {
    const kinds = write('kinds.ts', `
      import { defineReward } from '@heed/heed';
      import { z } from 'zod';
      export const log = [];
      export const kept = defineReward({
        name: 'kept', options: z.strictObject({}),
        open: async () => ({ name: 'kept', drawsLine: false, rate: async () => [], close: async () => { log.push('closed'); } }),
      });
    `);
    await expect(openRewards({ a: `${kinds}#kept`, b: `${kinds}#none` })).rejects.toThrow('exports no "none"');
    const { loadExport } = await import('../../src/run/user-module.js');
    expect(await loadExport(`${kinds}#log`)).toEqual(['closed']);
  });
});
