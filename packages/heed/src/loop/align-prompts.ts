/** The prompts of a run of `heed align`: those that it learns on, and those held out. */
import { loadData } from '../data/load.js';
import type { PromptRow } from '../data/rows.js';
import { at } from '../data/source.js';
import type { Model } from '../model/load.js';
import type { RunFolder } from '../run/folder.js';
import { sameAsBefore } from '../run/same-as-before.js';
import type { AlignRecipe } from './align-recipe.js';
import type { Demonstration } from './demonstrations.js';
import { describeLeftOut, fittingPrompts, requireHeldOutApart } from './fitting-prompts.js';
import type { Limits } from './items.js';
import { type Prompts, loadPrompts } from './teaching.js';

export interface AlignPrompts extends Prompts {
  /** Held out; answered before and after. */
  readonly held: readonly PromptRow[];
}

/**
 * Reads both, and says which rows were left out.
 *
 * @param limits Of rows to learn from.
 * @param whole Answers are learnt from whole, with their prompts. Default: a row may be cut to `limits` once it is answered.
 * @throws UserError as `loadData` does; where a prompt leaves no room for an answer, or is held out and learnt on too
 */
export async function loadAlignPrompts(
  recipe: AlignRecipe, { template, architecture: { context } }: Pick<Model, 'template' | 'architecture'>, limits: Limits, whole: boolean,
  say: (line: string) => void,
): Promise<AlignPrompts> {
  const { generate, evaluate, data } = recipe;
  const found = await loadPrompts(recipe, say);
  const room = { ...limits, maxTokens: whole ? limits.maxTokens : context, maxNewTokens: generate.maxNewTokens };
  const { prompts, skipped } = fittingPrompts(found.prompts, found.skipped, template, room);
  const loaded = await loadData({ ...data, path: evaluate.prompts, limit: evaluate.limit }, 'prompt');
  const { prompts: held, skipped: leftOut } = fittingPrompts(loaded.train, loaded.skipped, template, {
    ...limits, maxTokens: context, maxNewTokens: evaluate.maxNewTokens, section: 'evaluate',
  });
  requireHeldOutApart(prompts, held);
  for (const line of [...describeLeftOut('prompts', skipped), ...describeLeftOut('held-out prompts', leftOut)]) say(line);
  return { prompts, skipped, held, demonstrations: found.demonstrations };
}

/** @throws UserError where a run that goes on is asked other prompts, or shown other demonstrations, than it began with */
export const samePrompts = (run: Pick<RunFolder, 'path'>, asked: readonly (PromptRow | Demonstration)[]): Promise<void> =>
  sameAsBefore(
    run.path('work', 'prompts.json'), asked, 'The prompts are not those', (one) => at('source' in one ? one.source : one.prompt.source),
  );
