import { type Tensor, add, log1mexp, logSigmoid, mul, neg, sub } from '@heed/tensor';
import { z } from 'zod';
import { defineMethod } from './method.js';
import { PREFERENCES, SOFT_LABEL, ofRows, pairMetrics, softly } from './pairs.js';

const options = z.strictObject({
  /** λ: weight of the odds ratio; TRL calls it beta. The paper takes 0.1 for Mistral 7B. */
  lambda: z.number().positive().default(0.1),
});

/** log(p/(1 − p)) of a sequence whose tokens have the mean log-probability `mean`. */
const logOdds = (mean: Tensor): Tensor => sub(mean, log1mexp(mean));

/**
 * ORPO: imitation of the chosen response, and the ratio of its odds to the rejected one's, without a reference. Hong et al.,
 * EMNLP 2024, arXiv 2403.07691.
 *
 *   L = −m_w − λ log σ( log odds(y_w|x) − log odds(y_l|x) ),   odds = p/(1 − p),   log p = m = (1/|y|) log π(y|x)      (Eq. 4, 7)
 *
 * The imitation reads the response alone; the authors' code and TRL imitate the prompt too. With a soft label p the whole is taken p times
 * for (y_w, y_l) and 1 − p times for (y_l, y_w). Unit: row.
 */
export const orpo = defineMethod({
  name: 'orpo',
  paper: 'Hong et al., ORPO: Monolithic Preference Optimization without Reference Model, EMNLP 2024, arXiv 2403.07691',
  ...PREFERENCES,
  options,

  loss(scored, { lambda }) {
    const { logp, columns, rows } = scored;
    const soft = columns[SOFT_LABEL]!;
    const [chosen, rejected] = [logp.chosen.mean(), logp.rejected.mean()];
    const nll = softly(soft, chosen, rejected, neg);
    const ratio = sub(logOdds(chosen), logOdds(rejected));
    const odds = softly(soft, ratio, neg(ratio), (r) => neg(logSigmoid(r)));
    return {
      terms: [ofRows(add(nll, mul(odds, lambda)), rows)],
      metrics: {
        ...pairMetrics(scored, mul(chosen, lambda), mul(rejected, lambda)),
        nll: ofRows(nll, rows), preference: ofRows(odds, rows), log_odds_ratio: ofRows(ratio, rows),
      },
    };
  },
});
