import { z } from 'zod';
import { failed } from '../../judge/respondent.js';
import { defineReward } from '../define.js';
import { against, reasonOf, shortened, textReward } from '../text-reward.js';
import { isRight, knownAnswer, rightAnswers } from './known-answer.js';
import { asTenths, readStated } from './stated.js';

const Options = z.strictObject({
  ...knownAnswer,
  /** What the normed score is multiplied by: the authors take 10 for questions with one answer, and 5 for those with several. */
  scale: z.number().positive().default(10),
  /** Responses with at least this value are satisfactory. Default: the reward draws no line. */
  threshold: z.number().optional(),
});

const [LEAST, MOST] = [0.001, 0.999];
/** The best score, and the authors' lower anchor: half of the worst. */
const [BEST, LOW] = [Math.log(MOST), Math.log(LEAST) / 2];

/**
 * Rewarding Doubt (Stangel et al. 2025, arXiv 2503.02623): the logarithmic score of a confidence from 0 to 10.
 * q = clip(confidence / 10, .001, .999); s = ln q where right, ln(1 − q) where wrong; value = scale · ((s − m) / (M − m) + ¼ right), with
 * M = ln .999 and m = ½ ln .001. Without a confidence: −3 · scale.
 */
export function doubtValue(right: boolean, tenths: number | undefined, scale = 10): number {
  if (tenths === undefined) return -3 * scale;
  const q = Math.min(MOST, Math.max(LEAST, tenths / 10));
  const score = Math.log(right ? q : 1 - q);
  return scale * ((score - LOW) / (BEST - LOW) + (right ? 0.25 : 0));
}

/** `rewardingDoubt`: confidences that fit, by the formula of `doubtValue`. */
export const rewardingDoubt = defineReward({
  name: 'rewardingDoubt',
  options: Options,
  describe: ({ match, answer }) => `rewardingDoubt: ${match} match with "${answer}"`,
  open: async (options) => textReward('rewardingDoubt', options, options.threshold !== undefined, (items) => items.map((item) => {
    const right = rightAnswers(item, options);
    if (failed(right)) return right;
    const stated = readStated(item.response);
    const tenths = asTenths(stated);
    const correct = isRight(stated.answer, right, options);
    const value = doubtValue(correct, tenths, options.scale);
    const parts = { correct: Number(correct), ...(tenths !== undefined && { confidence: tenths / 10 }) };
    const words: string[] = [];
    if (tenths === undefined) words.push('It states no confidence as a whole number from 0 to 10, such as "Confidence: 8".');
    else if (!correct && tenths > 0) {
      words.push(`It answers "${shortened(stated.answer)}" with confidence ${tenths} of 10; the right answer is "${right[0]}".`);
    } else if (correct && tenths < 5) words.push(`The answer is right, but its confidence is only ${tenths} of 10.`);
    return against(options.threshold, { value, reason: reasonOf(words), parts });
  })),
});
