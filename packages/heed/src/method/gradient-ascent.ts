import { neg, sum } from '@heed/tensor';
import { z } from 'zod';
import { defineMethod } from './method.js';
import { NEGATIVE, NEGATIVE_LISTS, OF_BAD, lacksPositives, negativeSequences, retain, retaining } from './negatives.js';

const options = z.strictObject({
  /**
   * What the loss is a mean over. `token`: as unlearning code computes it. `row`: log-probabilities are summed over a response, which is
   * the limit of `npo` at β → 0.
   */
  per: z.enum(['token', 'row']).default('token'),
  retain,
});

/**
 * Gradient ascent: make a bad response unlikely, L = Σ log p(y_t|y_<t, x) / N, the supervised loss with its sign turned. It has no
 * lower bound: with no more than this the model falls apart ("catastrophic unlearning"), which is why it is a baseline of D2O and NPO.
 * `retain` adds −Σ log p / N of the row's own positives ("GradDiff"). Unit: token, or row.
 */
export const gradientAscent = defineMethod({
  name: 'gradient-ascent',
  paper: 'Jang et al., Knowledge Unlearning for Mitigating Privacy Risks in Language Models, ACL 2023, arXiv 2210.01504; ' +
    'Maini et al., arXiv 2401.06121 (GradDiff)',
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
    const [total, tokens] = [sum(negative.sum()), sum(negative.count())];
    const kept = retaining(scored, given.retain);
    return {
      terms: [{ sum: total, count: given.per === 'token' ? tokens : rows }, ...kept.terms],
      metrics: { logp_rejected: { sum: total, count: rows }, nll_rejected: { sum: neg(total), count: tokens }, ...kept.metrics },
    };
  },
});
