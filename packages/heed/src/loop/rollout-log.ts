import type { PromptRow } from '../data/rows.js';
import { type Failure, failed } from '../judge/respondent.js';
import { meanOf } from '../method/advantages.js';
import type { Credit, Rollout } from '../method/rollout.js';
import type { Rated } from '../reward/reward.js';
import { atomicWrite } from '../run/files.js';
import { type LogRow, openLog, readLog } from '../run/metrics.js';
import type { Answer } from './answer-log.js';

/** An answer of a round with its rating and measurements. */
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
  /** Called before the first round of a process: prints which answers of earlier rounds the file has lost. */
  check(k: number): Promise<void>;
  /** Adds the answers of a round that was learnt from. Lines of this round and of later ones, which a resume makes again, are removed. */
  append(k: number, rated: readonly RatedAnswer[]): Promise<void>;
}

/** @param answers of each round */
export function openRolloutLog(path: string, answers: number, say: (line: string) => void): RolloutLog {
  let [checked, clean] = [false, false];
  return {
    async check(k) {
      if (checked) return;
      checked = true;
      const rows = k === 1 ? [] : await readLog(path);
      for (let round = 1; round < k; round++) {
        const n = rows.filter((row) => row['round'] === round).length;
        if (n !== answers) say(`${path} has ${n} of the ${answers} answers of round ${round}: the others were lost.`);
      }
    },
    async append(k, rated) {
      if (!clean) {
        const rows = await readLog(path);
        const kept = rows.filter(({ round }) => Number(round) < k);
        if (kept.length < rows.length) await atomicWrite(path, kept.map((row) => `${JSON.stringify(row)}\n`).join(''));
        clean = true;
      }
      const log = openLog<LogRow>(path);
      for (const one of rated) log.append(lineOf(k, one));
      log.close();
    },
  };
}

function lineOf(round: number, { answer, prompt, result, costs, credit }: RatedAnswer): LogRow {
  const { id, source, prompt: messages } = prompt;
  return {
    round, row: id ?? String(source.line), sample: answer.sample, prompt: messages.at(-1)!.content,
    // Of a longer conversation the last turn alone does not say what was asked.
    ...(messages.length === 1 ? {} : { messages }),
    completion: answer.text,
    reward: failed(result) ? null : result.value,
    ...(failed(result) ? { failure: result.failure, reason: result.detail } : { rewards: result.parts ?? {}, reason: result.reason }),
    costs,
    advantage: meanOf(credit.advantages), tokens: answer.ids.length, finish: answer.finish,
    // Most methods give all tokens of an answer one advantage.
    ...(credit.advantages.every((a) => a === credit.advantages[0]) ? {} : { ids: answer.ids, advantages: credit.advantages }),
  };
}
