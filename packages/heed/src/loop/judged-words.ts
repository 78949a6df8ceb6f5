/** What a round of judged answers came to, in numbers and in words. */
import { type Failure, failed } from '../judge/respondent.js';
import type { Rated } from '../reward/reward.js';
import { counted } from './ratings.js';
import type { Sample } from './rows-of.js';

const ADVICE = 'Where the reward is the same for all answers, it cannot tell them apart: '
  + 'look at its reasons, teach its judge (docs/labels.md), or draw more answers (generate.samples).';

const CLOSE = 'The best and the worst answer to a prompt are closer than rows.minGap: lower it, or draw more answers (generate.samples).';

/** Prompts whose answers became no row, by reason. */
export type Unused = Readonly<Record<string, number>>;

/** What to do where the answers teach nothing. */
export const adviceFor = (unused: Unused = {}): string => ((unused['close'] ?? 0) > 0 ? CLOSE : ADVICE);

/** Mean value of the rated answers; null where there are none. */
export function meanValue(given: readonly (Rated | Failure)[]): number | null {
  const values = given.flatMap((one) => (failed(one) ? [] : [one.value]));
  return values.length === 0 ? null : values.reduce((sum, x) => sum + x, 0) / values.length;
}

export const countSatisfied = (samples: readonly Sample[]): number => samples.filter(({ rated }) => rated.satisfied === true).length;

export interface JudgedAnswers {
  /** Whole answers that got a rating. */
  readonly samples: readonly Sample[];
  /** Why the other whole answers got none. */
  readonly failures: readonly Failure[];
  /** All answers, and those of them that were cut off or empty. */
  readonly answers: number;
  readonly unfinished: number;
  /** Mean value of the rated answers, before costs are taken off. */
  readonly reward: number | null;
  readonly unused?: Unused | undefined;
}

/** What became of a round's answers, for people. */
export function describeJudged({ samples, failures, answers, unfinished, reward, unused = {} }: JudgedAnswers): string {
  const line = samples.some(({ rated }) => rated.satisfied !== undefined);
  const marked = line
    ? `${countSatisfied(samples)} of ${samples.length} answers satisfy the reward`
    : `${samples.length} answers with a mean reward of ${reward?.toPrecision(3)}`;
  return [
    samples.length === 0 ? `none of ${answers} answers can be learnt from` : marked,
    ...(unfinished > 0 ? [`${unfinished} were cut off or empty`] : []),
    ...(failures.length > 0 ? [`${failures.length} got no rating (${counted(failures)})`] : []),
    ...describeUnused(unused),
  ].join(', ');
}

/** Why a prompt's answers became no row, in words. */
const WITHOUT: Readonly<Record<string, string>> = {
  tie: 'equal rewards', close: 'rewards closer than rows.minGap', single: 'one answer alone', duplicate: 'the row of another prompt',
};

function describeUnused(unused: Unused): string[] {
  const total = Object.values(unused).reduce((sum, n) => sum + n, 0);
  const reasons = Object.entries(unused).map(([reason, n]) => `${n} with ${WITHOUT[reason] ?? reason}`).join(', ');
  return total === 0 ? [] : [`${total} ${total === 1 ? 'prompt' : 'prompts'} without a row (${reasons})`];
}
