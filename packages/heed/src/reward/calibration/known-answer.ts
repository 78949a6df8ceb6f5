import { z } from 'zod';
import type { Failure } from '../../judge/respondent.js';
import { MATCHES, matchesAnswer } from '../../text/short-answer.js';
import type { RewardItem } from '../reward.js';
import { lacking, textsOf } from '../text-reward.js';

/** How a reward knows whether a response is right. */
export const knownAnswer = {
  /** The column of the data with the right answer: a text, a number, or a list of answers that are all right. */
  answer: z.string().min(1).default('answer'),
  /** `exact`: the same words; `substring`: the right answer's words stand in the response; `number`: the last number is the same. */
  match: z.enum(MATCHES).default('exact'),
};
export type KnownAnswer = z.infer<z.ZodObject<typeof knownAnswer>>;

/** The right answers of an item's row, or why there are none. */
export const rightAnswers = ({ row }: RewardItem, { answer }: KnownAnswer): readonly string[] | Failure =>
  textsOf(row, answer) ?? lacking(row, answer, 'right answer');

/** Whether `said` is one of the right answers. */
export const isRight = (said: string, right: readonly string[], { match }: KnownAnswer): boolean =>
  right.some((one) => matchesAnswer(said, one, match));
