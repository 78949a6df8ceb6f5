import { type Tensor, add, atLeast, greater, logSigmoid, mul, neg, square, sub, sum, toFloat } from '@heed/tensor';
import type { Loss, Term } from './method.js';
import { wins } from './pairs.js';

/** Scores of a reward model for pairs of responses; every tensor has the same shape, [B] or [B, K]. */
export interface RewardPairs {
  readonly chosen: Tensor;
  readonly rejected: Tensor;
  /** 1 where there is a pair, else 0. */
  readonly present: Tensor;
  /** P(chosen is the better one). */
  readonly soft: Tensor;
  /** How far the chosen response should be ahead. */
  readonly margin: Tensor;
}

/**
 * Bradley–Terry on rewards r_w of the chosen and r_l of the rejected response:
 *
 *   L = 1/N Σ [ −p log σ(r_w − r_l − m) − (1 − p) log σ(−(r_w − r_l − m)) ]  +  c · 1/N Σ (r_w + r_l)²
 *
 * p is the soft label, m the margin, c the centring coefficient, N the number of pairs: the unit is the pair.
 *
 * Metrics, means over pairs: `rewards_chosen`, `rewards_rejected`, `rewards_margin` (r_w − r_l, m not taken off), `rewards_mean` (of
 * both). `accuracy`: how often the likelier response has the larger reward, over pairs that are no tie. Equal rewards count half, so
 * that a head of zeros has the accuracy of chance.
 */
export function bradleyTerry({ chosen, rejected, present, soft, margin }: RewardPairs, centring: number): Loss {
  const n = sum(present);
  const over = (x: Tensor): Term => ({ sum: sum(mul(x, present)), count: n });
  const difference = sub(chosen, rejected);
  const logit = sub(difference, margin);
  const nll = neg(add(mul(soft, logSigmoid(logit)), mul(sub(1, soft), logSigmoid(neg(logit)))));
  const loss = centring === 0 ? nll : add(nll, mul(square(add(chosen, rejected)), centring));

  const forChosen = mul(present, toFloat(greater(soft, 0.5)));
  const forRejected = mul(present, sub(1, toFloat(atLeast(soft, 0.5))));
  const ahead = wins(difference, 0);
  const right = add(mul(forChosen, ahead), mul(forRejected, sub(1, ahead)));
  return {
    terms: [over(loss)],
    metrics: {
      accuracy: { sum: sum(right), count: sum(add(forChosen, forRejected)) },
      rewards_chosen: over(chosen),
      rewards_rejected: over(rejected),
      rewards_margin: over(difference),
      rewards_mean: over(mul(add(chosen, rejected), 0.5)),
    },
  };
}
