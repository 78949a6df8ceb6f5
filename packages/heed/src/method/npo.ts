import { mul, softplus, sum } from '@heed/tensor';
import { z } from 'zod';
import { defineMethod } from './method.js';
import { NEGATIVE, NEGATIVE_LISTS, OF_BAD, lacksPositives, negativeSequences, retain, retaining } from './negatives.js';
import { reference, referenceOf } from './options.js';
import { logRatio, ofRows } from './pairs.js';

const options = z.strictObject({
  /** β: how soon a response that has become unlikely is let go; at β → 0 the gradient is gradient ascent's. The paper uses 0.1. */
  beta: z.number().positive().default(0.1),
  reference,
  retain,
});

/**
 * Negative preference optimisation: DPO with the rejected half alone. Zhang et al., COLM 2024, arXiv 2404.05868:
 *
 *   L = −(2/β) log σ(−β s) = (2/β) log(1 + (π/π_ref)^β),   s = Σ_t log π(y_t) − log π_ref(y_t)
 *
 * Its gradient is gradient ascent's times W = 2π^β/(π^β + π_ref^β), which fades as the response becomes unlikely. `retain` adds the
 * likelihood of the row's own positives (the paper's "NPO+RT" retains other data). Unit: row.
 */
export const npo = defineMethod({
  name: 'npo',
  paper: 'Zhang et al., Negative Preference Optimization: From Catastrophic Collapse to Effective Unlearning, COLM 2024, arXiv 2404.05868',
  row: 'negative',
  options,
  names: NEGATIVE,
  lists: NEGATIVE_LISTS,
  columns: [],
  ...OF_BAD,
  references: (given) => ({ reference: { is: referenceOf(given.reference), scores: ['negative'] } }),
  lossAtReference: (given) => (given.retain === 0 ? (2 / given.beta) * Math.LN2 : undefined),
  sequences: (row, text, given) => negativeSequences(row, text, given.retain),
  unfit: (row, given) => lacksPositives(row, given.retain),

  loss(scored, given) {
    const { logp: { negative }, under, rows } = scored;
    const reward = mul(logRatio(negative, under['reference']!.negative), given.beta);
    const kept = retaining(scored, given.retain);
    return {
      terms: [ofRows(mul(softplus(reward), 2 / given.beta), rows), ...kept.terms],
      metrics: { rewards_rejected: ofRows(reward, rows), logp_rejected: { sum: sum(negative.sum()), count: rows }, ...kept.metrics },
    };
  },
});
