/** The reward or teacher of a loop of `heed align`, and the prompts that the policy answers. */
import { loadData } from '../data/load.js';
import type { Problem } from '../data/problem.js';
import type { PromptRow } from '../data/rows.js';
import { describeUnused } from '../data/unused.js';
import type { BoundMethod } from '../method/method.js';
import type { RewardTools } from '../reward/define.js';
import type { Hooks } from '../run/job.js';
import { type AlignRecipe, selfPlays } from './align-recipe.js';
import { type Demonstration, loadDemonstrations, selfPlay } from './demonstrations.js';
import { type OpenTeacher, openRevising } from './revising.js';
import { anotherKind } from './rows-of.js';

export interface Prompts {
  /** What the model answers. */
  readonly prompts: readonly PromptRow[];
  readonly skipped: readonly Problem[];
  /** With `rows: { make: self-play }` or `adversary`: a demonstration for each prompt. */
  readonly demonstrations?: readonly Demonstration[];
}

/** Reads `data` of the recipe. @throws UserError as `loadData` does */
export async function loadPrompts(
  { data, rows, adversary }: Pick<AlignRecipe, 'data' | 'rows' | 'adversary'>, say: (line: string) => void,
): Promise<Prompts> {
  if (!selfPlays({ rows }) && adversary === undefined) {
    const { train, skipped, unused = [] } = await loadData(data, 'prompt');
    for (const line of describeUnused(unused)) say(line);
    return { prompts: train, skipped };
  }
  const { demonstrations, bad, skipped, unused } = await loadDemonstrations(data);
  for (const line of describeUnused(unused)) say(line);
  if (bad > 0) say(`${bad} of ${bad + demonstrations.length} conversations are said to be bad and demonstrate nothing; they are left out.`);
  return { prompts: demonstrations.map(({ prompt }) => prompt), skipped, demonstrations };
}

/**
 * Opens what teaches without a reward: demonstrations, or a judge that revises. Undefined where a reward rates the answers.
 *
 * @throws UserError where the method learns from other rows, or the judge cannot be opened
 */
export async function openTeacher(
  { rows, label, judge, allowedFailures }: AlignRecipe, { demonstrations }: Prompts, method: Pick<BoundMethod, 'row'>,
  tools: RewardTools & { readonly store: string }, hooks: Hooks,
): Promise<OpenTeacher | undefined> {
  if (demonstrations !== undefined && selfPlays({ rows })) {
    if (method.row !== 'preference') throw anotherKind('self-play', 'preference', method.row);
    return { ...selfPlay(demonstrations), close: async () => undefined };
  }
  if (label?.name !== 'revisions') return undefined;
  return openRevising({ judge: judge!, options: label, kind: method.row, allowedFailures, tools, hooks });
}
