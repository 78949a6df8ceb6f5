import { describe, expect, it } from 'vitest';
import { withModuleOptions } from '../../src/reward/module-options.js';
import { loaded } from '../../src/run/recipe.js';
import { scratchFolder } from '../support/scratch.js';

const { write } = scratchFolder();
const file = write('rewards.ts', `
  import { defineReward } from '@heed/heed';
  import { z } from 'zod';
  const open = async () => ({ name: 'own', drawsLine: false, rate: async () => [], close: async () => undefined });
  export const own = defineReward({
    name: 'own', options: z.strictObject({ words: z.int().min(1).default(50), of: z.array(z.string()).default(['a']) }), open,
  });
  export const needs = defineReward({ name: 'needs', options: z.strictObject({ words: z.int(), more: z.int().default(1) }), open });
  export const length = ({ completions }) => completions.map((text) => text.length);
`);
const own = `${file}#own`;
const all = { words: 50, of: ['a'] };

describe('the options of a module that a recipe does not say', () => {
  it('stand in the recipe that a run keeps, wherever a reward or a cost is', async () => {
    const read = loaded({
      reward: own,
      rewards: { one: { fn: own, weight: 2 }, two: { fn: { module: own, options: { words: 3 } } }, rules: 'rules:a.yaml' },
      constraints: [{ name: 'c', cost: own, limit: 1 }],
      tasks: { a: { reward: { fn: own } } },
    });
    const { recipe, text } = await withModuleOptions({ ...read, notes: ['kept'] });
    expect(recipe).toEqual({
      reward: { fn: { module: own, options: all } },
      rewards: {
        one: { fn: { module: own, options: all }, weight: 2 }, two: { fn: { module: own, options: { words: 3, of: ['a'] } } },
        rules: 'rules:a.yaml',
      },
      constraints: [{ name: 'c', cost: { fn: { module: own, options: all } }, limit: 1 }],
      tasks: { a: { reward: { fn: { module: own, options: all } } } },
    });
    expect(text).toBe(loaded(recipe).text);
  });

  it.each([
    ['of a function', `${file}#length`],
    ['that are not there', `${file}#none`],
    ['of a module that is not there', './nowhere.ts#none'],
    ['where one is missing that has no default', `${file}#needs`],
    ['that are said already', { fn: { module: own, options: all } }],
  ])('are left alone %s', async (_, reward) => {
    const read = loaded({ reward });
    expect(await withModuleOptions(read)).toBe(read);
  });
});
