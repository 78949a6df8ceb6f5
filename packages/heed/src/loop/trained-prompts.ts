/** The prompts that a run learnt from. */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { promptKey } from '../data/hash.js';
import { type AnyRow, type Message, rowDefinition } from '../data/rows.js';
import { adapterFolder } from '../model/adapter-folder.js';
import type { AdapterOptions } from '../run/recipe-schemas.js';
import { createRandom } from '../run/random.js';
import { loadRecipe } from '../run/recipe.js';
import { loadAlignRecipe } from './align-recipe.js';
import { loadRows } from './items.js';
import { openMethod } from './method-of.js';
import { loadPrompts } from './teaching.js';
import { loadTrainRecipe } from './train-recipe.js';

/** Keys by which a recipe of `heed align` is told from one of `heed train`. */
const Raw = z.looseObject({ method: z.unknown().optional(), evaluate: z.unknown().optional() });

/**
 * The prompts in the rows that a run learnt from, as `promptKey` names them, with those of the runs whose adapters it went on from. A run
 * keeps its recipe and no rows, so that the files are read again, as they are now.
 *
 * @param folder Of a run or of its adapter. Paths in its recipe are relative to the folder where it was started, as they were then.
 * @returns undefined where no recipe says what the adapter learnt from
 * @throws UserError where the recipe or its files cannot be read
 */
export async function trainedPrompts(folder: string): Promise<ReadonlySet<string> | undefined> {
  const run = dirname(resolve(adapterFolder(folder)));
  const file = join(run, 'recipe.yaml');
  if (!existsSync(file)) return undefined;
  const { recipe: { method, evaluate } } = await loadRecipe(file, [], Raw);
  if (method === undefined) return undefined;
  const { prompts, adapter } = await (evaluate === undefined ? ofTraining(file) : ofAlignment(file));
  const earlier = 'from' in adapter ? await trainedPrompts(adapter.from) : undefined;
  return new Set([...prompts.map(promptKey), ...(earlier ?? [])]);
}

interface Learnt { readonly prompts: readonly (readonly Message[])[]; readonly adapter: AdapterOptions }

async function ofTraining(file: string): Promise<Learnt> {
  const { recipe } = await loadTrainRecipe(file, []);
  const method = await openMethod(recipe.method);
  const { train } = await loadRows(recipe.data, method);
  const rows = method.select(train, createRandom('select', recipe.train.seed)).filter((row) => method.uses(row));
  return { prompts: rows.flatMap((row) => promptsIn(row, rowDefinition(method.row).prompt(row))), adapter: recipe.adapter };
}

async function ofAlignment(file: string): Promise<Learnt> {
  const { recipe } = await loadAlignRecipe(file, []);
  const { prompts } = await loadPrompts(recipe, () => undefined);
  return { prompts: prompts.map(({ prompt }) => prompt), adapter: recipe.adapter };
}

/** What stands before each answer that is learnt: of a conversation every turn of the assistant is one. */
const promptsIn = (row: AnyRow, prompt: readonly Message[]): (readonly Message[])[] => (!('messages' in row) ? [prompt]
  : row.messages.flatMap(({ role, weight }, i) => (role === 'assistant' && weight !== 0 ? [row.messages.slice(0, i)] : [])));
