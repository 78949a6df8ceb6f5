import type { PromptRow } from '../data/rows.js';
import { type Failure, failed } from '../judge/respondent.js';
import { meanOf } from '../method/advantages.js';
import type { Credit, Rollout } from '../method/rollout.js';
import type { Rated } from '../reward/reward.js';
import { atomicWrite } from '../run/files.js';
import { type LogRow, openLog, readLog } from '../run/metrics.js';
import type { Answer } from './answer-log.js';

/** An answer of a round with all that was found out about it. */
export interface RatedAnswer {
  readonly answer: Answer;
  readonly prompt: PromptRow;
  /** Tokens of the prompt. */
  readonly promptTokens: number;
  readonly result: Rated | Failure;
  /** Costs of the constraints, by name. */
  readonly costs?: Readonly<Record<string, number>>;
  /** Its reward is that of `result` less the costs. */
  readonly rollout: Rollout;
  readonly credit: Credit;
}

/** `rollouts.jsonl`: a line for each answer of each finished round. */
export interface RolloutLog {
  /** Removes the lines of round `k` and later: a resume makes these rounds again. */
  forget(k: number): Promise<void>;
  append(k: number, rated: readonly RatedAnswer[]): void;
}

export function openRolloutLog(path: string): RolloutLog {
  return {
    async forget(k) {
      const rows = await readLog(path);
      const kept = rows.filter((row) => Number(row['round']) < k);
      if (kept.length < rows.length) await atomicWrite(path, kept.map((row) => `${JSON.stringify(row)}\n`).join(''));
    },
    append(k, rated) {
      const log = openLog<LogRow>(path);
      for (const one of rated) log.append(lineOf(k, one));
      log.close();
    },
  };
}

function lineOf(round: number, { answer, prompt, result, costs, credit }: RatedAnswer): LogRow {
  const { id, source, prompt: messages } = prompt;
  return {
    round, row: id ?? String(source.line), sample: answer.sample, prompt: messages.at(-1)!.content, completion: answer.text,
    reward: failed(result) ? null : result.value,
    ...(failed(result) ? { failure: result.failure, reason: result.detail } : { rewards: result.parts ?? {}, reason: result.reason }), costs,
    advantage: meanOf(credit.advantages), tokens: answer.ids.length, finish: answer.finish,
  };
}
