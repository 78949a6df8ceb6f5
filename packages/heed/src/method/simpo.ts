import { logSigmoid, mul, neg, sub } from '@heed/tensor';
import { z } from 'zod';
import { defineMethod } from './method.js';
import { PREFERENCES, SOFT_LABEL, likelihood, ofRows, pairMetrics, softly, weighted } from './pairs.js';

const options = z.strictObject({
  /** β. The paper takes 2 for base models and 2.5 for chat models. */
  beta: z.number().positive().default(2),
  /** γ: the margin, inside the sigmoid and not multiplied with β. The paper tries 0.3 to 1.6. Other tools ask for γ/β. */
  gamma: z.number().min(0).default(1),
  /** α: weight of imitating the chosen response (CPO-SimPO). The paper has none. */
  alpha: z.number().min(0).default(0),
});

/**
 * SimPO: the reward is the mean log-probability of a token, with a margin and without a reference. Meng et al., NeurIPS 2024, arXiv
 * 2405.14734.
 *
 *   L = −log σ( β/|y_w| log π(y_w|x) − β/|y_l| log π(y_l|x) − γ )  − α log π(y_w|x)            (Eq. 6)
 *
 * With a soft label p both parts are taken p times for (y_w, y_l) and 1 − p times for (y_l, y_w), each with its margin.
 * Units: row for the preference, token for the imitation. TRL's CPOTrainer with loss_type simpo is this with α = 1 unless told otherwise.
 */
export const simpo = defineMethod({
  name: 'simpo',
  paper: 'Meng et al., SimPO: Simple Preference Optimization with a Reference-Free Reward, NeurIPS 2024, arXiv 2405.14734',
  ...PREFERENCES,
  options,

  loss(scored, { beta, gamma, alpha }) {
    const { logp, columns, rows } = scored;
    const [chosen, rejected] = [mul(logp.chosen.mean(), beta), mul(logp.rejected.mean(), beta)];
    const preference = softly(columns[SOFT_LABEL]!, chosen, rejected, (w, l) => neg(logSigmoid(sub(sub(w, l), gamma))));
    const nll = likelihood(scored);
    return {
      terms: [ofRows(preference, rows), ...weighted(nll, alpha)],
      metrics: { ...pairMetrics(scored, chosen, rejected), preference: ofRows(preference, rows), nll },
    };
  },
});
