import { z } from 'zod';
import { failed } from '../../judge/respondent.js';
import { abstentionsIn } from '../../text/abstention.js';
import { defineReward } from '../define.js';
import type { Rated } from '../reward.js';
import { shortened, textReward } from '../text-reward.js';
import { type KnownAnswer, isRight, knownAnswer, rightAnswers } from './known-answer.js';
import { readStated } from './stated.js';

const Options = z.strictObject({
  ...knownAnswer,
  /** What an answer that says "I don't know" is worth, between −1 (wrong) and 1 (right). */
  abstained: z.number().min(-1).max(1).default(0),
});

/**
 * `abstention`: 1 for a right answer, −1 for a wrong one, `abstained` for one that says that it does not know (TruthRL; Wei et al. 2025,
 * arXiv 2509.25760). A policy that maximises it answers where its chance of being right is above (1 + abstained) / 2. Draws a line: right.
 * What counts as "I don't know" is a closed list of phrases; a response with one of them abstains, whatever else it says.
 */
export const abstention = defineReward({
  name: 'abstention',
  options: Options,
  describe: ({ match, answer }) => `abstention: ${match} match with "${answer}"`,
  open: async (options) => textReward('abstention', options, true, (items) => items.map((item) => {
    const right = rightAnswers(item, options);
    return failed(right) ? right : rateAbstention(item.response, right, options);
  })),
});

/** One response by the table of `abstention`. */
export function rateAbstention(response: string, right: readonly string[], options: KnownAnswer & { readonly abstained: number }): Rated {
  const [phrase] = abstentionsIn(response);
  if (phrase !== undefined) {
    return { value: options.abstained, satisfied: false, parts: { abstained: 1 }, reason: `It says "${phrase.text}" and gives no answer.` };
  }
  const { answer } = readStated(response);
  if (isRight(answer, right, options)) return { value: 1, satisfied: true, parts: { abstained: 0 }, reason: null };
  const reason = `It answers "${shortened(answer)}"; the right answer is "${right[0]}".`;
  return { value: -1, satisfied: false, parts: { abstained: 0 }, reason };
}
