import type { AnyRow, PromptRow } from '../../data/rows.js';
import type { SamplingOptions } from '../../generate/options.js';
import type { BoundMethod, Respond } from '../../method/method.js';
import type { RunFolder } from '../../run/folder.js';
import type { Hooks } from '../../run/job.js';
import { createRandom } from '../../run/random.js';
import type { Answer } from '../answer-log.js';
import type { Answerer } from '../answerer.js';
import { type Degenerate, degenerate, describeDegenerate } from '../degenerate.js';
import type { Limits } from '../items.js';
import { promptsOf } from '../prompt-order.js';
import { readyItems } from '../ready.js';
import type { Source } from '../source.js';

/** An answer that the policy ended itself and that is not empty, with the prompt that it answers. */
export interface Answered {
  readonly prompt: PromptRow;
  /** Which of the prompt's answers, from 0. */
  readonly sample: number;
  readonly text: string;
}

/** What a teacher made of a round's answers. */
export interface Taught {
  readonly rows: readonly AnyRow[];
  /** Numbers for the round's report. */
  readonly report: Readonly<Record<string, unknown>>;
  /** What became of the answers, for people. */
  readonly words: string;
}

/** Makes rows of answers without a reward: from demonstrations, from revisions. */
export interface Teacher {
  /** Names the teacher and everything that its rows depend on, for a resume. */
  readonly name: string;
  /** What to do where it taught nothing. */
  readonly advice: string;
  /** @param file Where it keeps what it made of the round, for a resume; its folder is there. */
  teach(answers: readonly Answered[], file: string): Promise<Taught>;
}

export interface AnsweredSetup {
  readonly rounds: number;
  readonly prompts: readonly PromptRow[];
  /** Prompts that a round answers. Default: all. */
  readonly each?: number;
  /** Answers to each prompt. */
  readonly samples: number;
  readonly sampling: Omit<SamplingOptions, 'seed'>;
  readonly teacher: Teacher;
  readonly method: BoundMethod;
  readonly text: Respond;
  readonly limits: Limits;
  readonly seed: number;
  readonly answerer: Answerer;
  readonly run: Pick<RunFolder, 'path'>;
  readonly hooks: Hooks;
}

/** What a round did, for `summary.json`; a teacher adds numbers of its own. */
export interface AnsweredRound extends Degenerate {
  /** Answers that the policy ended itself, and that are not empty. */
  readonly answers: number;
  /** Answers that were empty or cut off at maxNewTokens. */
  readonly unfinished: number;
  /** Rows that were learnt from: 0 where a round after the first taught nothing. */
  readonly trainedOn: number;
}

/** A loop in which no reward rates the policy's answers: a teacher makes rows of them. */
export function answeredSource(setup: AnsweredSetup): Source {
  const { rounds, prompts, each = prompts.length, samples, teacher, method, text, limits, seed, answerer, run, hooks } = setup;
  const { say = () => undefined } = hooks;
  const done = new Map<number, AnsweredRound>();

  return {
    rounds,
    async lesson({ k, policy }) {
      const path = (name: string): string => run.path('work', `round-${k}`, name);
      const chosen = promptsOf(prompts, k, each, seed);
      const answers = await answerer.answer({
        file: path('answers.jsonl'), round: k, rows: chosen, samples, policy,
        doing: `round ${k} of ${rounds}: answering`,
        sampling: { ...setup.sampling, seed: seed + k },
      });
      await answerer.rest();
      const whole = answers.filter(isWhole);
      const taught = await teacher.teach(
        whole.map(({ row, sample, text: said }) => ({ prompt: chosen[row]!, sample, text: said })), path('taught.json'),
      );
      const watched = degenerate(answers);
      const worry = describeDegenerate(watched, answers.length);
      if (worry !== undefined) say(`round ${k}: ${worry}`);
      const rows = method.select(taught.rows, createRandom('select', seed, k));
      const unfinished = answers.length - whole.length;
      const words = `${taught.words}${unfinished > 0 ? `, ${unfinished} answers were cut off or empty` : ''}`;
      const items = readyItems(rows, { method, text, limits, k, words, advice: teacher.advice, say });
      done.set(k, { answers: whole.length, unfinished, ...watched, ...taught.report, trainedOn: items.length });
      return { items, rows, seed: seed + k };
    },
    learnt(k, { steps }) {
      const round = done.get(k)!;
      if (steps > 0) say(`round ${k}: trained on ${round.trainedOn} rows in ${steps} steps.`);
      return { ...round };
    },
  };
}

/** Whether an answer can be learnt with its end of turn. */
const isWhole = ({ finish, text }: Answer): boolean => finish === 'stop' && text.trim() !== '';
