import { mul } from '@heed/tensor';
import { z } from 'zod';
import { DPO_LOSSES } from './dpo-losses.js';
import { defineMethod } from './method.js';
import { optionsWith } from './options.js';
import { PREFERENCES, SOFT_LABEL, likelihood, ofRows, pairMetrics, softly, weighted } from './pairs.js';

const options = optionsWith({
  /** `sigmoid` is the paper's. */
  loss: z.enum(['sigmoid', 'hinge']).default('sigmoid'),
  /** β. The paper takes 0.1. */
  beta: z.number().positive().default(0.1),
  /** α: weight of imitating the chosen response. The paper has 1; 0 switches it off. */
  alpha: z.number().min(0).default(1),
  /** ε: the share of pairs assumed to be labelled the wrong way round. Of `sigmoid` alone. */
  labelSmoothing: z.number().min(0).lt(0.5).default(0),
}, {
  ignored: {
    labelSmoothing: ({ loss }) =>
      loss === 'hinge' ? 'the loss "hinge" has no labelSmoothing; leave it out or use loss: sigmoid' : undefined,
  },
});

/**
 * Contrastive preference optimisation: DPO with a uniform reference, and imitation. Xu et al., ICML 2024, arXiv 2401.08417.
 *
 *   L = −(1−ε) log σ(βd) − ε log σ(−βd)  − α log π(y_w|x),    d = log π(y_w|x) − log π(y_l|x), sums over tokens      (Eq. 3)
 *
 * `hinge` has max(0, 1 − βd) in its place. With a soft label p both parts are taken p times for (y_w, y_l) and 1 − p times for (y_l, y_w).
 * Units: row for the preference, token for the imitation, as TRL has it (the paper's is a row's sum).
 */
export const cpo = defineMethod({
  name: 'cpo',
  paper: 'Xu et al., Contrastive Preference Optimization: Pushing the Boundaries of LLM Performance in Machine Translation, ' +
    'ICML 2024, arXiv 2401.08417',
  ...PREFERENCES,
  options,

  loss(scored, { loss, beta, alpha, labelSmoothing = 0 }) {
    const { logp, columns, rows } = scored;
    const [chosen, rejected] = [logp.chosen.sum(), logp.rejected.sum()];
    const preference = softly(columns[SOFT_LABEL]!, chosen, rejected, (w, l) => DPO_LOSSES[loss].of(w, l, beta, labelSmoothing));
    const nll = likelihood(scored);
    return {
      terms: [ofRows(preference, rows), ...weighted(nll, alpha)],
      metrics: { ...pairMetrics(scored, mul(chosen, beta), mul(rejected, beta)), preference: ofRows(preference, rows), nll },
    };
  },
});
