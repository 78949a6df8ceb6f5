/** Every action on the validation prompts: the best fixed action, and what choosing per prompt could gain over it. */
import { type Headroom, splitHeadroom, staticMeans } from '../../control/headroom.js';
import { UserError } from '../../errors.js';
import { indexOfMost } from '../../control/policy.js';
import { createRandom } from '../../run/random.js';
import { type AskTools, ask } from './answer-and-rate.js';
import type { TaskPrompt } from './tasks.js';

/** What the grid search found. */
export interface Grid {
  /** The mean reward of each action over all validation prompts. */
  readonly means: Readonly<Record<string, number>>;
  /** The action with the largest mean. */
  readonly best: string;
  /** The best action of each task, by its own prompts alone. */
  readonly bestOf: ReadonlyMap<string, string>;
  readonly headroom: Headroom;
  /** The standard deviation of all rewards of each task: the unit of its advantages. */
  readonly deviations: ReadonlyMap<string, number>;
  /** Validation prompts that every action has rated answers to. */
  readonly prompts: number;
}

/** Has every action answer every validation prompt. One file of answers for each action. */
export async function searchGrid(tools: AskTools, validation: readonly TaskPrompt[]): Promise<Grid> {
  const { recipe: { actions, grid: { samples }, learn } } = tools;
  const names = Object.keys(actions);
  const seed = createRandom('grid', learn.seed).int(2 ** 31);
  const table: number[][][] = validation.map(() => []);
  for (const [a, action] of names.entries()) {
    const wanted = validation.flatMap((prompt, x) => Array.from({ length: samples }, (_, m) => ({ prompt, action, row: x * samples + m })));
    const doing = `trying ${action} (${a + 1} of ${names.length} actions)`;
    const told = await ask(tools, `grid/${action}`, seed, wanted, doing);
    validation.forEach((_, x) => {
      table[x]!.push(told.slice(x * samples, (x + 1) * samples).flatMap(({ value }) => value ?? []));
    });
  }
  return summarise(names, table, validation.map(({ task }) => task));
}

/**
 * @param table Rewards, `[prompt][action][sample]`. A prompt with fewer than 2 rated answers of an action is left out.
 * @param tasks The task of each prompt.
 * @throws UserError where none is left
 */
export function summarise(names: readonly string[], table: readonly (readonly (readonly number[])[])[], tasks: readonly string[]): Grid {
  const whole = table.flatMap((row, x) => (row.every((samples) => samples.length >= 2) ? [{ row, task: tasks[x]! }] : []));
  if (whole.length === 0) {
    throw new UserError(`None of ${table.length} validation prompts has two rated answers of every action: none can be chosen.`, [
      'Take rewards that rate the answers to these prompts, or more answers: grid.samples.',
    ]);
  }
  const means = staticMeans(whole.map(({ row }) => row));
  const byTask = [...new Set(tasks)].map((task) => ({ task, rows: whole.filter((one) => one.task === task).map(({ row }) => row) }));
  const best = names[indexOfMost(means)]!;
  return {
    means: Object.fromEntries(names.map((name, a) => [name, means[a]!])),
    best,
    bestOf: new Map(byTask.map(({ task, rows }) => [task, rows.length === 0 ? best : names[indexOfMost(staticMeans(rows))]!])),
    headroom: splitHeadroom(whole.map(({ row }) => row)),
    deviations: new Map(byTask.map(({ task, rows }) => [task, deviationOf(rows.flat(2))])),
    prompts: whole.length,
  };
}

/** The standard deviation; 1 where all values are the same, which then teach nothing. */
function deviationOf(values: readonly number[]): number {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length);
  return deviation > 0 ? deviation : 1;
}
