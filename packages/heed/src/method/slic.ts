import { add, mul, neg, relu, sub } from '@heed/tensor';
import { z } from 'zod';
import { defineMethod } from './method.js';
import { PREFERENCES, SOFT_LABEL, ofRows, pairMetrics, softly } from './pairs.js';

const options = z.strictObject({
  /** δ: by how much the chosen response must be likelier, in nats of the whole sequence, before the pair is left alone. */
  delta: z.number().positive().default(1),
  /** λ: weight of imitating the chosen response; 0 leaves the calibration alone. */
  lambda: z.number().min(0).default(0.1),
});

/**
 * Sequence likelihood calibration from human feedback. Zhao et al., arXiv 2305.10425.
 *
 *   L = max(0, δ − log π(y_w|x) + log π(y_l|x)) − λ log π(y_ref|x) 
 *
 * Log-probabilities are sums over tokens. y_ref, the target of fine-tuning, is the chosen response here. With a soft label p the whole
 * is taken p times for (y_w, y_l) and 1 − p times for (y_l, y_w). There is no reference model; `dpo` with loss: hinge is the variant
 * that has one. Unit: row.
 */
export const slic = defineMethod({
  name: 'slic',
  paper: 'Zhao et al., SLiC-HF: Sequence Likelihood Calibration with Human Feedback, arXiv 2305.10425',
  ...PREFERENCES,
  options,

  loss(scored, { delta, lambda }) {
    const { logp, columns, rows } = scored;
    const soft = columns[SOFT_LABEL]!;
    const [chosen, rejected] = [logp.chosen.sum(), logp.rejected.sum()];
    const calibration = softly(soft, chosen, rejected, (w, l) => relu(sub(delta, sub(w, l))));
    const nll = softly(soft, chosen, rejected, neg);
    return {
      terms: [ofRows(lambda === 0 ? calibration : add(calibration, mul(nll, lambda)), rows)],
      metrics: { ...pairMetrics(scored, chosen, rejected), calibration: ofRows(calibration, rows), nll: ofRows(nll, rows) },
    };
  },
});
