/** What training by a recipe will take: steps, time and memory. */
import { findKnown } from '../model/checkpoint/known.js';
import { listCached } from '../model/checkpoint/cache.js';
import { type DryRun, dryRunTraining } from './dry-run.js';
import { loadTrainRecipe } from './train-recipe.js';

/** The estimate, or in words why there is none. */
export type Foresight = { readonly unknown: string } | {
  readonly steps: number;
  readonly rows: number;
  /** On two cores like those of docs/numbers.md. */
  readonly minutes: number;
  readonly memory: DryRun['memory'];
};

/** Tokens a second of training on two cores (docs/numbers.md), and the bytes of weights of the model that it was measured with. */
const MEASURED = { tokensPerSecond: 1024 / 6.12, weights: 538e6 };
/** Loading, compiling and saving. */
const SECONDS_AROUND = 20;

/**
 * Checks a recipe as `heed train --dry-run` does. A model that is not here yet is not fetched for it.
 *
 * @param overrides Values in place of the recipe's: `key=value`.
 * @throws UserError as a dry run does
 */
export async function foresee(file: string, say: (line: string) => void, overrides: readonly string[] = []): Promise<Foresight> {
  const { recipe } = await loadTrainRecipe(file, overrides);
  if (recipe.rows) return { unknown: 'the model writes a part of the rows first, so time and memory are known only when it trains' };
  const known = findKnown(recipe.model);
  const hub = /^[\w-][\w.-]*\/[\w-][\w.-]*$/.test(recipe.model);
  const cached = await listCached();
  if ((known !== undefined || hub) && !cached.some(({ id }) => id.toLowerCase() === recipe.model.toLowerCase())) {
    return { unknown: `the model ${recipe.model} is not here yet; heed train fetches it, and --dry-run then foresees time and memory` };
  }
  const run = await dryRunTraining(recipe, say);
  const { batch } = recipe.train;
  const trained = run.tokens * ((run.steps * Math.min(batch, run.rows)) / run.rows);
  // Held-out rows are scored twice, forward alone: a third of a step's work each.
  const scored = (2 / 3) * run.tokens * (run.heldOut / run.rows);
  const perSecond = MEASURED.tokensPerSecond * (MEASURED.weights / run.memory.needed.parts.weights);
  const seconds = (trained + scored) / perSecond + SECONDS_AROUND;
  return { steps: run.steps, rows: run.rows, minutes: seconds / 60, memory: run.memory };
}
