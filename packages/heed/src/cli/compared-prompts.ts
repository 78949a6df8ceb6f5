/** The prompts that `heed compare` has answered: those of a file, or those that a run held out. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

import type { PromptRow } from '../data/rows.js';
import { UserError } from '../errors.js';
import { heldOutPrompts } from '../loop/held-out-prompts.js';
import type { Model } from '../model/load.js';
import { readPrompts } from './prompts.js';

interface Asked {
  /** Default: the prompts of the first of `folders` that is a run. */
  readonly file?: string;
  readonly folders: readonly string[];
  readonly model: Model;
  /** Tokens of the context that an answer may take. */
  readonly maxNewTokens: number;
  readonly limit?: number;
}

/** @throws UserError where there are no prompts, or one does not fit the model's context */
export async function promptsOf({ file, folders, model, maxNewTokens, limit }: Asked): Promise<readonly PromptRow[]> {
  if (file !== undefined) return (await readPrompts(file, model, { maxNewTokens, limit })).rows;
  const run = folders.flatMap((folder) => [folder, resolve(folder, '..')]).find((folder) => existsSync(join(folder, 'recipe.yaml')));
  if (run === undefined)
    throw new UserError('Nothing says which prompts to answer: none of these is a run.', ['Name some: --prompts FILE.']);
  return (await heldOutPrompts(run)).slice(0, limit);
}
