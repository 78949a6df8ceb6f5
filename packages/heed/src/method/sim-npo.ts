import { add, mul, softplus, sum } from '@heed/tensor';
import { z } from 'zod';
import { defineMethod } from './method.js';
import { NEGATIVE, NEGATIVE_LISTS, OF_BAD, lacksPositives, negativeSequences, retain, retaining } from './negatives.js';
import { ofRows } from './pairs.js';

const options = z.strictObject({
  /** β, on the scale of one token's log-probability. The authors' code 2.5, open-unlearning 4.5. */
  beta: z.number().positive().default(2.5),
  /** γ: the negative log-likelihood of a token from which on a response is let go. The authors use 0. */
  gamma: z.number().min(0).default(0),
  retain,
});

/**
 * Simple negative preference optimisation: NPO without a reference, of the mean over tokens. Fan et al., arXiv 2410.07163:
 *
 *   L = −(2/β) log σ(β (−(1/|y|) Σ_t log π(y_t) − γ))
 *
 * with γ inside the bracket, as in the authors' code. `retain` adds the likelihood of the row's own positives; the authors always
 * retain (other data), with NPO's term at 0.1375 of it. Unit: row.
 */
export const simNpo = defineMethod({
  name: 'sim-npo',
  paper: 'Fan et al., Simplicity Prevails: Rethinking Negative Preference Optimization for LLM Unlearning, arXiv 2410.07163',
  row: 'negative',
  options,
  names: NEGATIVE,
  lists: NEGATIVE_LISTS,
  columns: [],
  ...OF_BAD,
  sequences: (row, text, given) => negativeSequences(row, text, given.retain),
  unfit: (row, given) => lacksPositives(row, given.retain),

  loss(scored, given) {
    const { logp: { negative }, rows } = scored;
    const reward = mul(add(negative.mean(), given.gamma), given.beta);
    const kept = retaining(scored, given.retain);
    return {
      terms: [ofRows(mul(softplus(reward), 2 / given.beta), rows), ...kept.terms],
      metrics: {
        rewards_rejected: ofRows(reward, rows),
        logp_rejected: { sum: sum(negative.sum()), count: rows },
        nll_rejected: { sum: mul(sum(negative.sum()), -1), count: sum(negative.count()) },
        ...kept.metrics,
      },
    };
  },
});
