/** The prompts that a run held out. */
import { join } from 'node:path';
import { z } from 'zod';
import { parseRows } from '../data/parse.js';
import { readRows } from '../data/read.js';
import { loadData } from '../data/load.js';
import { type PromptRow, rowDefinition } from '../data/rows.js';
import { UserError } from '../errors.js';
import { loadRecipe } from '../run/recipe.js';
import { openMethod } from './method-of.js';
import { loadTrainRecipe } from './train-recipe.js';

/** What says where the prompts are, in the recipe of a run of `heed align`, `control` or `quickstart`. */
const Evaluated = z.looseObject({
  evaluate: z.looseObject({ prompts: z.string().optional(), limit: z.int().optional() }).optional(), method: z.unknown().optional(),
});

/**
 * The different prompts that a run measured itself on and did not learn from: `evaluate.prompts` of its recipe, or the prompts of
 * `data.eval`.
 *
 * @param run The run's folder. Paths in its recipe are relative to the folder where it was started, as they were then.
 * @throws UserError where the folder has no recipe, nothing was held out, or the files cannot be read
 */
export async function heldOutPrompts(run: string): Promise<readonly PromptRow[]> {
  const file = join(run, 'recipe.yaml');
  const { recipe: { evaluate, method } } = await loadRecipe(file, [], Evaluated);
  if (evaluate?.prompts !== undefined) {
    return parseRows('prompt', await readRows(evaluate.prompts), {}).rows.slice(0, evaluate.limit);
  }
  const none = new UserError(`The run ${run} held out no prompts.`, ['Name some: --prompts FILE.']);
  if (method === undefined) throw none;
  const { recipe } = await loadTrainRecipe(file, []);
  const { row } = await openMethod(recipe.method);
  const { eval: held } = await loadData(recipe.data, row);
  const different = new Map<string, PromptRow>();
  for (const one of held) {
    const prompt = [...rowDefinition(row).prompt(one)];
    const key = JSON.stringify(prompt);
    if (!different.has(key)) different.set(key, { source: one.source, ...(one.id === undefined ? {} : { id: one.id }), prompt, extra: {} });
  }
  if (different.size === 0) throw none;
  return [...different.values()];
}
