import { failed } from '../judge/respondent.js';
import type { Rated } from '../reward/reward.js';
import type { Measured } from '../run/job.js';
import { type Estimate, pairedDifference } from '../run/statistics.js';
import type { Answer, AnswerReport } from './answers.js';

/** Answers with what was said of them. */
interface RatedAnswers { readonly answers: readonly Pick<Answer, 'rated'>[] }

/** A report's measurements by name, for `summary.json`, without those that the reward does not give. */
export function measurements({ satisfied, value, findings, fluency }: AnswerReport): Record<string, Measured> {
  const all: Record<string, Measured | undefined> = { satisfied, value, findings, ...fluency };
  return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, Measured] => entry[1] !== undefined));
}

/**
 * What changed, prompt by prompt, of what has one number for each answer, with a 95 % bootstrap interval drawn with the seed; where no
 * verdict changed, an exact one (`bootstrapInterval`). Prompts of which an answer has no rating are left out, so the change may differ from
 * after − before; and measurements that the reward does not give.
 */
export function changeOf({ answers: before }: RatedAnswers, { answers: after }: RatedAnswers, seed: number): Record<string, Estimate> {
  const pairs = before.flatMap(({ rated: a }, i): [Rated, Rated][] => {
    const b = after[i]!.rated;
    return failed(a) || failed(b) ? [] : [[a, b]];
  });
  const change = (numberOf: (rated: Rated) => number | undefined, bounds?: readonly [number, number]): Estimate | undefined => {
    const values = pairs.flatMap(([a, b]) => {
      const [from, to] = [numberOf(a), numberOf(b)];
      return from === undefined || to === undefined ? [] : [[from, to] as const];
    });
    const options = { seed, ...(bounds === undefined ? {} : { bounds }) };
    return values.length === 0 ? undefined : pairedDifference(values.map(([from]) => from), values.map(([, to]) => to), options);
  };
  const all = {
    satisfied: change(({ satisfied }) => (satisfied === undefined ? undefined : Number(satisfied)), [-1, 1]),
    value: change(({ value }) => value),
    findings: change(({ findings }) => findings?.length),
  };
  return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, Estimate] => entry[1] !== undefined));
}
