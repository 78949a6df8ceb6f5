/** The tasks of a recipe, ready: prompts in tokens and in their parts, and rewards that are open. */
import { hashOrder } from '../../data/hash.js';
import { loadData } from '../../data/load.js';
import type { PromptRow } from '../../data/rows.js';
import { UserError } from '../../errors.js';
import type { Model } from '../../model/load.js';
import type { RewardTools } from '../../reward/define.js';
import { openReward } from '../../reward/open.js';
import type { Reward } from '../../reward/reward.js';
import { describeLeftOut, fittingPrompts } from '../fitting-prompts.js';
import type { ControlRecipe } from './recipe.js';

/** A prompt of a task. */
export interface TaskPrompt {
  readonly task: string;
  readonly row: PromptRow;
  readonly tokens: readonly number[];
}

/** The prompts of all tasks: to train on, to validate and to test. */
export interface TaskPrompts {
  readonly training: readonly TaskPrompt[];
  /** The best fixed action is chosen on these. */
  readonly validation: readonly TaskPrompt[];
  readonly heldOut: readonly TaskPrompt[];
  /** Rows left out. */
  readonly skipped: number;
}

/**
 * Reads the prompts of every task. Which are for validation follows from the prompts' words and the seed.
 *
 * @throws UserError where a file cannot be read, a prompt leaves no room for an answer, or a task has too few prompts for its parts
 */
export async function readTasks(
  { tasks, generate: { maxNewTokens }, grid, learn: { seed } }: ControlRecipe, { template, architecture: { context } }: Model,
  say: (line: string) => void,
): Promise<TaskPrompts> {
  const parts = { training: [] as TaskPrompt[], validation: [] as TaskPrompt[], heldOut: [] as TaskPrompt[] };
  let skipped = 0;
  for (const [task, { data, heldOut }] of Object.entries(tasks)) {
    const read = async (options: typeof data): Promise<TaskPrompt[]> => {
      const loaded = await loadData(options, 'prompt');
      const limits = { maxTokens: Math.min(options.maxTokens ?? context, context), onLong: options.onLong, maxNewTokens };
      const fitting = fittingPrompts(loaded.train, loaded.skipped, template, limits);
      for (const line of describeLeftOut(`prompts of ${task}`, fitting.skipped)) say(line);
      skipped += fitting.skipped.length;
      return fitting.prompts.map((row) => ({ task, row, tokens: template.prompt(row.prompt) }));
    };
    const prompts = hashOrder(await read(data), seed, ({ tokens }) => tokens.join());
    const kept = Math.max(1, Math.round(grid.prompts * prompts.length));
    if (prompts.length < kept + 2) {
      throw new UserError(
        `tasks.${task} has ${prompts.length} prompts, of which ${kept} are for validation; 2 or more must be left to learn on.`,
        ['Give it more prompts, or lower grid.prompts.'],
      );
    }
    parts.validation.push(...prompts.slice(0, kept));
    parts.training.push(...prompts.slice(kept));
    parts.heldOut.push(...(await read(heldOut)));
  }
  requireDisjoint(parts);
  return { ...parts, skipped };
}

/** @throws UserError where a held-out prompt is one that the controller learns from */
function requireDisjoint({ training, validation, heldOut }: Omit<TaskPrompts, 'skipped'>): void {
  const key = ({ task, tokens }: TaskPrompt): string => `${task} ${tokens.join()}`;
  const known = new Set([...training, ...validation].map(key));
  const twice = heldOut.filter((one) => known.has(key(one)));
  if (twice.length === 0) return;
  const [{ task, row: { source } }] = twice as [TaskPrompt];
  const first = `the first in ${source.file}:${source.line} (task ${task})`;
  throw new UserError(`${twice.length} held-out prompts are also prompts to learn on, ${first}.`, [
    'Name other prompts under heldOut: on these a gain would prove nothing.',
  ]);
}

/** Opens the reward of each task, by the task's name. */
export async function openTaskRewards({ tasks }: ControlRecipe, tools: RewardTools): Promise<ReadonlyMap<string, Reward>> {
  const rewards = new Map<string, Reward>();
  try {
    for (const [task, { reward }] of Object.entries(tasks)) rewards.set(task, await openReward(reward, tools));
    return rewards;
  } catch (error) {
    for (const reward of rewards.values()) await reward.close();
    throw error;
  }
}
