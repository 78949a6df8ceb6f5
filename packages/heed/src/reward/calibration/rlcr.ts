import { z } from 'zod';
import { failed } from '../../judge/respondent.js';
import { defineReward } from '../define.js';
import type { Rated } from '../reward.js';
import { against, reasonOf, shortened, textReward } from '../text-reward.js';
import { isRight, knownAnswer, rightAnswers } from './known-answer.js';
import { asProbability, readStated } from './stated.js';

const Options = z.strictObject({
  ...knownAnswer,
  /** Responses with at least this value, from 0 to 1.5, are satisfactory. Default: the reward draws no line. */
  threshold: z.number().optional(),
});

/**
 * RLCR (Damani et al. 2025, arXiv 2507.16806): R = ½ format + ½ correct + ½ (1 − (correct − q)²), where q is the stated confidence. Without
 * a confidence in [0, 1] all three are 0. The sum is largest in expectation where q is the probability of being right; the term `correct`
 * must stay, since a wrong answer with q = 0 pays as much for its confidence as a right one with q = 1.
 */
export const rlcrValue = (right: boolean, q: number | undefined): { format: number; correct: number; brier: number; value: number } => {
  if (q === undefined) return { format: 0, correct: 0, brier: 0, value: 0 };
  const correct = Number(right);
  const brier = 1 - (correct - q) ** 2;
  return { format: 1, correct, brier, value: 0.5 + 0.5 * correct + 0.5 * brier };
};

/** `rlcr`: right answers whose stated confidence fits, by the formula of `rlcrValue`. */
export const rlcr = defineReward({
  name: 'rlcr',
  options: Options,
  describe: ({ match, answer }) => `rlcr: ${match} match with "${answer}"`,
  open: async (options) => textReward('rlcr', options, options.threshold !== undefined, (items) => items.map((item) => {
    const right = rightAnswers(item, options);
    if (failed(right)) return right;
    const stated = readStated(item.response);
    const q = asProbability(stated);
    const correct = isRight(stated.answer, right, options);
    const { value, ...parts } = rlcrValue(correct, q);
    return against(options.threshold, { value, reason: reasonOf(said(correct, q, stated, right)), parts } satisfies Rated);
  })),
});

/** What is wrong, in words. */
function said(correct: boolean, q: number | undefined, stated: ReturnType<typeof readStated>, right: readonly string[]): string[] {
  if (q === undefined) {
    return [stated.amount === undefined
      ? 'It states no confidence, such as "Confidence: 0.8".'
      : `It states "${stated.quote}"; a confidence is a number from 0 to 1, or a percentage.`];
  }
  if (!correct) return [`It answers "${shortened(stated.answer)}" with confidence ${q}; the right answer is "${right[0]}".`];
  return q < 0.5 ? [`The answer is right, but its confidence is only ${q}.`] : [];
}
