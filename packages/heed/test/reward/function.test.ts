import { describe, expect, it } from 'vitest';
import type { PromptRow } from '../../src/data/rows.js';
import { UserError } from '../../src/errors.js';
import { describeReward, openReward } from '../../src/reward/open.js';
import type { RewardItem } from '../../src/reward/reward.js';
import { loadExport } from '../../src/run/user-module.js';
import { scratchFolder } from '../support/scratch.js';

const { write } = scratchFolder();
const file = write('rewards.ts', `
  import { defineReward, type RewardFunction } from '@heed/heed';
  import { z } from 'zod';
  export const seen: object[] = [];
  export const short: RewardFunction = (input) => { seen.push(input); return input.completions.map((text) => -text.length); };
  export const later: RewardFunction = async ({ answer, completions }) =>
    completions.map((text, i) => (answer[i] === null ? null : Number(text === answer[i])));
  export const few: RewardFunction = () => [1];
  export const text = () => 'good';
  export const nan: RewardFunction = ({ completions }) => completions.map((_, i) => (i === 1 ? NaN : 0));
  export const words = ({ completions }) => completions.map(() => '1');
  export const throws: RewardFunction = () => {
    throw new Error('no such model');
  };
  export const rejects: RewardFunction = async () => { throw new RangeError('out of range'); };
  export const huge: RewardFunction = ({ completions }) => completions.map(() => 1e39);
  export const bigint = ({ completions }) => completions.map(() => 1n);
  export const typed = ({ completions }) => Float32Array.from(completions, () => 1);
  export const empties = (input) => { input.completions.length = 0; return []; };
  export const changes = (input) => {
    input.prompts[0].push({ role: 'user', content: 'more' });
    input.level[0] = 9;
    return input.completions.sort().map((text) => text.length);
  };
  export const three = 3;
  export const long = defineReward({
    name: 'long',
    options: z.strictObject({ words: z.int().min(1).default(2) }),
    open: async ({ words }) => ({
      name: 'long ' + words, drawsLine: true, close: async () => undefined,
      rate: async (items) => items.map(({ response }) => response.split(' ').length)
        .map((value) => ({ value, reason: 'counted', satisfied: value >= words })),
    }),
  });
`);
const row = (line: number, extra: Record<string, unknown>): PromptRow =>
  ({ source: { file: 'f', line }, prompt: [{ role: 'user', content: `p${line}` }], extra });
const items: RewardItem[] = [
  { prompt: [{ role: 'user', content: 'p1' }], response: 'four', ids: [7, 8], row: row(1, { answer: 'four', level: 2 }) },
  { prompt: [{ role: 'user', content: 'p2' }], response: 'sevens', row: row(2, { answer: 'eight' }) },
  { prompt: [{ role: 'user', content: 'p3' }], response: 'x', row: row(3, { level: 1 }) },
];

describe("a user's function as a reward", () => {
  it('is given lists of prompts, completions, their tokens and the other columns of the rows', async () => {
    const reward = await openReward(`${file}#short`);
    expect(reward.drawsLine).toBe(false);
    expect(await reward.rate(items)).toEqual([{ value: -4, reason: null }, { value: -6, reason: null }, { value: -1, reason: null }]);
    expect(await loadExport(`${file}#seen`)).toEqual([{
      prompts: items.map(({ prompt }) => prompt), completions: ['four', 'sevens', 'x'], completionIds: [[7, 8], null, null],
      answer: ['four', 'eight', null], level: [2, null, 1],
    }]);
    expect(await reward.rate([])).toEqual([]);
    expect(reward.name).toMatch(/^fn:.*rewards\.ts#short [0-9a-f]{12}$/);
    expect(describeReward(`${file}#short`)).toBe(`${file}#short`);
  });

  it('may be asynchronous; null is a failure with a name of its own, and never 0', async () => {
    const reward = await openReward({ fn: `${file}#later` });
    expect(await reward.rate(items)).toEqual([
      { value: 1, reason: null }, { value: 0, reason: null },
      { failure: 'not-applicable', detail: `${reward.name} gives null for this response` },
    ]);
  });

  it('draws a line where it is given a threshold', async () => {
    const reward = await openReward({ fn: { module: `${file}#short`, threshold: -4 } });
    expect(reward.drawsLine).toBe(true);
    expect(await reward.rate(items)).toEqual([
      { value: -4, reason: null, satisfied: true },
      { value: -6, reason: 'Its reward is -6, below -4.', satisfied: false },
      { value: -1, reason: null, satisfied: true },
    ]);
    // Another line is another reward.
    expect(reward.name).not.toBe((await openReward(`${file}#short`)).name);
  });

  it.each([
    ['few', /#few [0-9a-f]+ returned 1 values for 3 responses\./],
    ['text', /#text [0-9a-f]+ returned "good"; expected a list of 3 numbers\./],
    ['nan', /#nan [0-9a-f]+ returned NaN for response 2 of 3; expected a finite number or null\./],
    ['words', /#words [0-9a-f]+ returned "1" for response 1 of 3/],
    ['huge', /#huge [0-9a-f]+ returned 1e\+39 for response 1 of 3/],
    ['bigint', /#bigint [0-9a-f]+ returned 1n for response 1 of 3/],
    ['typed', /#typed [0-9a-f]+ returned Float32Array\(3\) \[ 1, 1, 1 \]; expected a list of 3 numbers\./],
    ['empties', /#empties [0-9a-f]+ returned 0 values for 3 responses\./],
    ['throws', /#throws [0-9a-f]+ failed: no such model, at .*rewards\.ts:13/],
    ['rejects', /#rejects [0-9a-f]+ failed: out of range/],
  ])('stops with an error that names it: %s', async (name, message) => {
    const reward = await openReward(`${file}#${name}`);
    const problem: unknown = await reward.rate(items).catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(UserError);
    expect((problem as Error).message).toMatch(message);
  });

  it('may change what it is given: nothing else is changed by that', async () => {
    const before = structuredClone(items);
    await (await openReward(`${file}#changes`)).rate(items);
    expect(items).toEqual(before);
  });

  it('refuses a column with the name of an argument', async () => {
    const reward = await openReward(`${file}#short`);
    await expect(reward.rate([{ ...items[0]!, row: row(1, { completions: 'x' }) }])).rejects.toThrow(
      'The data has a column "completions", which is the name of an argument',
    );
  });

  it('is refused where it is none', async () => {
    await expect(openReward(`${file}#three`)).rejects.toThrow(`${file}#three is neither a function nor a reward.`);
    await expect(openReward({ fn: { module: `${file}#short`, options: {} } })).rejects.toThrow('is a function and takes no options');
    await expect(openReward(`${file}#shor`)).rejects.toThrow('did you mean "short"?');
  });
});

describe("a reward that a user's module defines", () => {
  it('opens with its defaults or with options', async () => {
    const rate = async (spec: Parameters<typeof openReward>[0]) => (await openReward(spec)).rate([{ prompt: [], response: 'a b' }]);
    expect(await rate(`${file}#long`)).toEqual([{ value: 2, reason: 'counted', satisfied: true }]);
    const longer = { fn: { module: `${file}#long`, options: { words: 3 } } };
    expect(await rate(longer)).toEqual([{ value: 2, reason: 'counted', satisfied: false }]);
  });

  it.each([
    ['few', /#few gave 1 results for 3 responses; expected a list of as many/],
    ['bare', /#bare gave 1 for response 1 of 3/],
    ['infinite', /#infinite gave \{ value: Infinity, reason: null \} for response 1 of 3/],
  ])('is held to what a reward promises: %s', async (name, message) => {
    const own = write(`${name}.ts`, `
      import { defineReward } from '@heed/heed';
      import { z } from 'zod';
      const of = (rate) => defineReward({
        name: 'own', options: z.strictObject({}), open: async () => ({ name: 'own', drawsLine: false, rate, close: async () => {} }),
      });
      export const few = of(async () => [{ value: 1, reason: null }]);
      export const bare = of(async (items) => items.map(() => 1));
      export const infinite = of(async (items) => items.map(() => ({ value: Infinity, reason: null })));
    `);
    const problem: unknown = await (await openReward(`${own}#${name}`)).rate(items).catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(UserError);
    expect((problem as Error).message).toMatch(message);
  });

  it('says which option is wrong', async () => {
    const mistyped = { fn: { module: `${file}#long`, options: { word: 3 } } };
    await expect(openReward(mistyped)).rejects.toThrow('#long: unknown key "word"; did you mean "words"?');
    await expect(openReward({ fn: { module: `${file}#long`, threshold: 1 } })).rejects.toThrow('draws its own line');
  });
});
