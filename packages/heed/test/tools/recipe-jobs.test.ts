import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { BenchmarkRecipe } from '../../src/evaluate/benchmark-recipe.js';
import { LabelRecipe } from '../../src/label/recipe.js';
import { AlignRecipe } from '../../src/loop/align-recipe.js';
import { ControlRecipe } from '../../src/loop/control/recipe.js';
import { requireRollouts } from '../../src/loop/rollout-requirements.js';
import { TrainRecipe } from '../../src/loop/train-recipe.js';
import { methodOf } from '../../src/method/index.js';
import { loadRecipe } from '../../src/run/recipe.js';
// @ts-expect-error a script without types
import * as script from '../../../../tools/recipe-jobs.js';

interface Job { readonly verb: string; readonly recipe: string; readonly set: readonly string[]; readonly teacher?: Job }
const { jobOf, recipesOf } = script as {
  jobOf(where: { readonly checkout: string; readonly model: string | undefined }, name: string, folder: string): Job;
  recipesOf(checkout: string): string[];
};

// tools/same-numbers.js runs every recipe with a verb that takes it, and with settings that the verb's schema takes.
const checkout = fileURLToPath(new URL('../../../../', import.meta.url));
const SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  train: TrainRecipe, align: AlignRecipe, label: LabelRecipe, control: ControlRecipe, evaluate: BenchmarkRecipe,
};
const job = (name: string, model?: string): Job => jobOf({ checkout, model }, name, `/runs/${name}`);
const names = recipesOf(checkout);

describe('the runs of same-numbers', () => {
  it.each(names)('%s', async (name) => {
    for (const model of [undefined, '/models/tiny']) {
      const { verb, recipe, set, teacher } = job(name, model);
      for (const one of [{ verb, recipe, set }, ...(teacher === undefined ? [] : [teacher])]) {
        const { text, recipe: read } = await loadRecipe(join(checkout, 'recipes', `${one.recipe}.yaml`), one.set, SCHEMAS[one.verb]!);
        // Every model that the recipe names is the one that was asked for.
        if (model !== undefined) expect(text).not.toMatch(/SmolLM2/);
        expect(text).not.toMatch(/adapter: runs\//);
        if (one.verb !== 'align') continue;
        const aligned = read as AlignRecipe;
        const method = methodOf(aligned.method);
        if (method.credit !== undefined) requireRollouts(aligned, method);
      }
    }
  });

  it('have the verb that a recipe names for itself', () => {
    const said = names.map((name) => {
      const text = readFileSync(join(checkout, 'recipes', `${name}.yaml`), 'utf8');
      return [name, new RegExp(`heed (\\w+) recipes/${name}\\.yaml`).exec(text)?.[1]] as const;
    }).filter(([, verb]) => verb !== undefined);
    expect(said.length).toBeGreaterThan(25);
    expect(said.map(([name]) => [name, job(name).verb])).toEqual(said);
    expect(['quickstart', 'dpo', 'd2o'].map((name) => job(name).verb)).toEqual(['align', 'train', 'train']);
  });
});
