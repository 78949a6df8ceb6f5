/** What `heed inspect` finds in a run of policy gradient: the best, the median and the worst answer of a round, with their advantages. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

import { UserError } from '../errors.js';
import { openCheckpoint } from '../model/checkpoint/open.js';
import { readLog } from '../run/metrics.js';
import { loadRecipe } from '../run/recipe.js';
import { RolloutLine } from '../run/report/rollouts.js';
import { loadTokenizer } from '../text/tokenizer.js';
import { type SeenCredit, creditLegend, renderCredit } from './render-credit.js';
import { visible } from './render-tokens.js';

/** A line as the report reads it, and which answer of its prompt it is. */
const Line = RolloutLine.omit({ costs: true }).extend({ row: z.string(), sample: z.number(), tokens: z.number() });
type Line = z.infer<typeof Line>;

/** An answer, and which of its round it is. */
export interface SeenRollout extends SeenCredit {
  readonly is: 'best' | 'median' | 'worst';
  readonly row: string;
  readonly sample: number;
  readonly prompt: string;
  readonly completion: string;
  readonly reward: number;
  readonly rewards: Readonly<Record<string, number | null>>;
  readonly reason: string | null;
  /** Mean over the answer's tokens. */
  readonly advantage: number;
}

export interface RolloutInspection {
  readonly run: string;
  readonly round: number;
  /** Rounds that are finished. */
  readonly rounds: number;
  /** Answers of the round that got a reward. */
  readonly rated: number;
  readonly answers: readonly SeenRollout[];
}

/**
 * @param run A run's folder.
 * @param wanted The round. Default: the last that is finished.
 * @throws UserError where the run has no such round, or none of its answers got a reward
 */
export async function inspectRollouts(run: string, wanted: number | undefined, say: (line: string) => void): Promise<RolloutInspection> {
  const file = join(run, 'rollouts.jsonl');
  if (!existsSync(file)) {
    throw new UserError(`${run} has no rollouts.jsonl, so there are no answers to show.`, [
      'Name the folder of a policy gradient\'s run (heed align with rloo, grpo, reinforce or ppo), or a recipe.',
    ]);
  }
  const lines = (await readLog(file)).map((row, i) => {
    const { data } = Line.safeParse(row);
    if (data === undefined) throw new UserError(`${file}:${i + 1}: not an answer of a round: ${JSON.stringify(row).slice(0, 80)}`);
    return data;
  });
  const rounds = Math.max(0, ...lines.map(({ round }) => round));
  const round = wanted ?? rounds;
  const all = lines.filter((line) => line.round === round);
  if (all.length === 0) throw new UserError(`${file} has no round ${round}; it has ${rounds === 0 ? 'none yet' : `1 to ${rounds}`}.`);
  const rated = all.filter((line): line is Line & { reward: number } => line.reward !== null).sort((a, b) => b.reward - a.reward);
  if (rated.length === 0) throw new UserError(`No answer of round ${round} got a reward.`);
  // With fewer than three answers there is no median to show, and with one answer no best one.
  const places = new Map([[Math.floor((rated.length - 1) / 2), 'median'], [rated.length - 1, 'worst'], [0, 'best']] as const);
  const chosen = [...places].sort(([a], [b]) => a - b).map(([at, is]) => [is, rated[at]!] as const);
  const textOf = chosen.some(([, { ids }]) => ids !== undefined) ? await tokenTexts(run, say) : undefined;
  return {
    run, round, rounds, rated: rated.length,
    answers: chosen.map(([is, { row, sample, prompt, completion, reward, rewards = {}, reason = null, advantage, ids, advantages }]) => ({
      is, row, sample, prompt, completion, reward, rewards, reason, advantage,
      texts: ids === undefined ? [completion] : ids.map((id) => textOf!(id)), advantages: advantages ?? [advantage],
    })),
  };
}

/** The text of a token, by the tokenizer of the run's model. */
async function tokenTexts(run: string, say: (line: string) => void): Promise<(id: number) => string> {
  const { recipe } = await loadRecipe(join(run, 'recipe.yaml'), [], z.looseObject({ model: z.string() }));
  const { folder } = await openCheckpoint(recipe.model, { log: say });
  const tokenizer = await loadTokenizer(folder);
  return (id) => tokenizer.tokenText(id);
}

/** The inspection as text. */
export function renderRollouts({ run, round, rounds, rated, answers }: RolloutInspection, colour: boolean): string {
  const largest = Math.max(...answers.flatMap(({ advantages }) => advantages.map(Math.abs)));
  return [
    `${run}: round ${round} of ${rounds}, ${rated} rated answers`, '', creditLegend(colour),
    ...answers.flatMap((answer) => {
      const { is, row, sample, prompt, reward, rewards, reason, advantage } = answer;
      const parts = Object.entries(rewards).map(([name, value]) => `${name} ${value?.toFixed(3) ?? '–'}`);
      return [
        '',
        [`${is}  reward ${reward.toFixed(3)}`, `advantage ${advantage.toFixed(3)}`, ...parts, `row ${row}, sample ${sample}`].join('  '),
        visible(`> ${prompt}`), renderCredit(answer, largest, colour),
        ...(reason === null ? [] : [visible(`reason: ${reason}`)]),
      ];
    }),
  ].join('\n');
}
