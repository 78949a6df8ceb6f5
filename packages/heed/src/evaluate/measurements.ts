import type { Measured } from '../run/job.js';
import type { Estimate } from '../run/statistics.js';
import type { Answer, AnswerReport } from './answers.js';
import { changeOfStandings, standingsOf } from './standing.js';

/** Answers with what was said of them. */
interface RatedAnswers { readonly answers: readonly Pick<Answer, 'rated'>[] }

/** Measurements that have a value, by name: a reward does not give all of them, and answers of one word have no pairs of words to count. */
export function withValue(all: Readonly<Record<string, Measured | undefined>>): Record<string, Measured> {
  const has = (entry: [string, Measured | undefined]): entry is [string, Measured] =>
    typeof entry[1] === 'number' ? Number.isFinite(entry[1]) : entry[1] !== undefined;
  return Object.fromEntries(Object.entries(all).filter(has));
}

/** A report's measurements by name, for `summary.json`. */
export function measurements({ satisfied, value, findings, fluency }: AnswerReport): Record<string, Measured> {
  return withValue({ satisfied, value, findings, ...fluency });
}

/**
 * What changed, prompt by prompt, of what has one number for each answer, with a 95 % bootstrap interval drawn with the seed; where no
 * verdict changed, an exact one (`bootstrapInterval`). Prompts of which an answer has no rating are left out, so the change may differ from
 * after − before; and measurements that the reward does not give.
 */
export const changeOf = ({ answers: before }: RatedAnswers, { answers: after }: RatedAnswers, seed: number): Record<string, Estimate> =>
  changeOfStandings(standingsOf(before.map(({ rated }) => rated)), standingsOf(after.map(({ rated }) => rated)), seed);
