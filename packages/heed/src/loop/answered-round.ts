/** What sources have in common whose rounds begin with answers of the policy. */
import type { View } from '@heed/tensor';
import type { PromptRow } from '../data/rows.js';
import type { SamplingOptions } from '../generate/options.js';
import type { BoundMethod, Respond } from '../method/method.js';
import type { RunFolder } from '../run/folder.js';
import type { KnownTokens } from '../text/respond.js';
import type { Message } from '../text/template.js';
import { type Length, describeLength } from '../train/order.js';
import type { Hooks } from '../run/job.js';
import type { Answer } from './answer-log.js';
import type { Answerer } from './answerer.js';
import { type Degenerate, degenerate, describeDegenerate } from '../evaluate/degenerate.js';
import type { Limits } from './items.js';
import { promptsOf } from './prompt-order.js';

/** The parts of such a source. */
export interface AnswersRounds {
  readonly rounds: number;
  /** What the model answers. */
  readonly prompts: readonly PromptRow[];
  /** Prompts of a round, taken from shuffled passes over all. Default: all of them. */
  readonly each?: number;
  /** Answers to each prompt. */
  readonly samples: number;
  readonly sampling: Omit<SamplingOptions, 'seed'>;
  readonly method: BoundMethod;
  /** Turns words into tokens; `known` gives those that need not be made of words. */
  readonly text: (known?: KnownTokens) => Respond;
  readonly limits: Limits;
  /** How long a round trains. */
  readonly length: Length;
  readonly seed: number;
  readonly answerer: Answerer;
  readonly run: Pick<RunFolder, 'path'>;
  readonly hooks: Hooks;
}

/** The prompts of a round, and the policy's answers to them in the order of prompts and samples: `answer.row` is a place in `chosen`. */
export interface AnsweredPrompts {
  readonly chosen: readonly PromptRow[];
  readonly answers: readonly Answer[];
}

/** Has the policy answer the prompts of round `k`. The answers are in `work/round-<k>/answers.jsonl`, where a resume finds them. */
export async function answerRound(
  k: number, policy: View | undefined, { rounds, prompts, each = prompts.length, samples, sampling, seed, answerer, run }: AnswersRounds,
): Promise<AnsweredPrompts> {
  const chosen = promptsOf(prompts, k, each, seed);
  const answers = await answerer.answer({
    file: run.path('work', `round-${k}`, 'answers.jsonl'), round: k, rows: chosen, samples, policy,
    doing: `round ${k} of ${rounds}: answering`,
    sampling: { ...sampling, seed: seed + k },
  });
  return { chosen, answers };
}

/**
 * The tokens of a round's answers as the policy drew them, by prompt and text: the template would make other ones of some texts. Of answers
 * that are equal but for their tokens the first counts.
 */
export function drawnTokens({ chosen, answers }: AnsweredPrompts): KnownTokens {
  const keyOf = (prompt: readonly Message[], response: string): string => JSON.stringify([prompt, response]);
  const drawn = new Map<string, readonly number[]>();
  for (const { row, text, ids } of answers.filter(isWhole)) {
    const key = keyOf(chosen[row]!.prompt, text);
    if (!drawn.has(key)) drawn.set(key, ids);
  }
  return (prompt, response) => drawn.get(keyOf(prompt, response));
}

/** Prints what a round learnt from, and which rows were left out. */
export function sayTrained(
  k: number, rows: number, steps: number, { length, hooks: { say } }: Pick<AnswersRounds, 'length' | 'hooks'>,
): void {
  if (steps === 0) return;
  say?.(`round ${k}: trained on ${rows} rows in ${steps} steps.`);
  for (const line of describeLength(rows, length)) say?.(`round ${k}: ${line}`);
}

/** Counts a round's answers that are empty or repeat themselves, and says so. */
export function countDegenerate(k: number, answers: readonly Answer[], { say }: Hooks): Degenerate {
  const counted = degenerate(answers);
  const worry = describeDegenerate(counted, answers.length);
  if (worry !== undefined) say?.(`round ${k}: ${worry}`);
  return counted;
}

/** Whether an answer can be learnt with its end of turn: it was not cut off, and it is not empty. */
export const isWhole = ({ finish, text }: Answer): boolean => finish === 'stop' && text.trim() !== '';
