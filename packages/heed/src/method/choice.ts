import {
  type Tensor, atLeast, div, exp, expandTo, greater, logSoftmax, max, mul, neg, square, sub, sum, toFloat, where,
} from '@heed/tensor';
import { z } from 'zod';
import { UnfitError, UserError } from '../errors.js';
import type { ChoiceRow } from '../data/rows.js';
import type { TokenSequence } from '../text/token-sequence.js';
import { type Loss, type Respond, type Scored, defineMethod } from './method.js';
import { TIE } from './pairs.js';

export const choiceOptions = {
  /** What an answer weighs: the sum of its tokens' log-probabilities, log p(answer), or their mean, which does not favour short answers. */
  normalise: z.enum(['sum', 'mean']).default('sum'),
  /**
   * Whether the end of turn is part of an answer. With it "1" and "10" are different whole answers; without it an answer that
   * another begins with counts that one too, so that such answers are refused. Judges read by their next token (RLAIF) want false.
   */
  endOfTurn: z.boolean().default(true),
};
const options = z.strictObject(choiceOptions);
export type ChoiceOptions = z.infer<typeof options>;

/** Stands for log 0 where a softmax must not see an absent answer. */
const ABSENT = -1e9;

/**
 * Each answer of a row as a response to the row's prompt.
 *
 * @throws UnfitError where two answers have the same tokens; UserError where, without the end of turn, one is the beginning of another.
 */
export function choiceSequences(
  { prompt, choices }: Pick<ChoiceRow, 'prompt' | 'choices'>, text: Respond, { endOfTurn }: ChoiceOptions,
): { answers: readonly TokenSequence[] } {
  const whole = choices.map((choice) => text.respond(prompt, choice));
  const keys = whole.map(({ response }) => response.join());
  const same = keys.findIndex((key, i) => keys.indexOf(key) !== i);
  if (same >= 0) throw new UnfitError(`the choice ${JSON.stringify(choices[same])} has the same tokens as another`);
  if (endOfTurn) return { answers: whole };
  const answers = whole.map((s) => ({ prompt: s.prompt, response: s.response.slice(0, -1) }));
  answers.forEach(({ response }, i) => {
    const longer = answers.findIndex((other, j) => j !== i && response.every((id, t) => other.response[t] === id));
    if (longer >= 0) {
      const [short, long] = [JSON.stringify(choices[i]), JSON.stringify(choices[longer])];
      const fault = `without its end of turn the answer ${short} is the beginning of ${long}`;
      throw new UserError(`${fault}, so its probability holds that of the other`, [
        'Set method.endOfTurn: true, or name the answers so that none begins another.',
      ]);
    }
  });
  return { answers };
}

/** The targets of a row; what their sum lacks of 1, by rounding, is made up for. */
export function choiceTargets({ targets }: Pick<ChoiceRow, 'targets'>): { target: readonly number[] } {
  const total = targets.reduce((a, b) => a + b, 0);
  return { target: targets.map((t) => t / total) };
}

/** The loss and metrics of `choice`, for `answers` [B, K, T] and the column `target` [B, K]. */
export function choiceLoss({ logp, columns, present, rows }: Scored<'answers'>, { normalise }: ChoiceOptions): Loss {
  const there = present.answers;
  const target = columns['target']!;
  const whole = logp.answers.sum();
  const z = where(greater(there, 0.5), normalise === 'sum' ? whole : logp.answers.mean(), ABSENT);
  const logq = logSoftmax(z);
  const q = exp(logq);
  const nll = neg(sum(mul(target, logq), [-1]));

  // The answer that should be likeliest, where there is one: at a tie of targets there is nothing to get right.
  const best = (x: Tensor, tie = 0): Tensor => toFloat(atLeast(x, sub(expandTo(max(x, -1, true), x.shape), tie)));
  const wanted = best(where(greater(there, 0.5), target, -1));
  const decided = toFloat(greater(1.5, sum(wanted, [-1])));
  const given = best(z, TIE);
  const right = mul(decided, div(sum(mul(wanted, given), [-1]), sum(given, [-1])));
  const over = (x: Tensor): { sum: Tensor; count: Tensor } => ({ sum: sum(x), count: rows });
  return {
    terms: [over(nll)],
    metrics: {
      nll: over(nll),
      accuracy: { sum: sum(right), count: sum(decided) },
      brier: over(sum(square(sub(q, target)), [-1])),
      confidence: over(max(q, -1)),
      answer_mass: over(sum(mul(exp(whole), there), [-1])),
    },
  };
}

/**
 * Choice: teach a judge to answer with one of given answers. Of a prompt x with answers a_1 … a_K and the probabilities t_k that they
 * should have:
 *
 *   z_k = Σ log p(a_k | x)   (over all its tokens; `mean`: divided by their number)
 *   L   = −Σ t_k log softmax(z)_k        mean over rows
 *
 * With "1" and "2" and an AI judge's averaged probabilities, the loss distils that judge (RLAIF, arXiv 2309.00267, §2.1). With "A" and
 * "B" the model becomes a pairwise reward model that is read by decoding. The loss sees only the answers' shares of each other;
 * `answer_mass` watches their total. Unit: row.
 *
 * Metrics: `nll`, the loss; `accuracy`, over rows with one likeliest target (of n answers that the model finds equally likely, up to `TIE`,
 * each counts 1/n); `brier`, Σ (q − t)²;
 * `confidence`, the largest q (confidence − accuracy is how overconfident the model is); `answer_mass`, Σ_k p(a_k | x).
 */
export const choice = defineMethod({
  name: 'choice',
  paper: 'Lee et al., RLAIF vs. RLHF, ICML 2024, arXiv 2309.00267, §2.1 (the labeler\'s soft label over answer tokens)',
  row: 'choice',
  options,
  names: ['answers'],
  lists: ['answers'],
  columns: ['target'],
  listColumns: ['target'],
  sequences: choiceSequences,
  columnsOf: choiceTargets,
  loss: choiceLoss,
});
