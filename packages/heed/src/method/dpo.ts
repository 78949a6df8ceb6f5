import { type Tensor, mul, sub } from '@heed/tensor';
import { z } from 'zod';
import { DPO_LOSSES, type DpoLoss, type PairLoss } from './dpo-losses.js';
import { defineMethod } from './method.js';
import { optionsWith, reference, referenceOf } from './options.js';
import {
  PAIR, PREFERENCES, SOFT_LABEL, equalPair, likelihood, logRatio, notCertain, ofRows, pairMetrics, softly, weighted,
} from './pairs.js';

const names = Object.keys(DPO_LOSSES) as [DpoLoss, ...DpoLoss[]];
const lossOf = (name: DpoLoss): PairLoss => DPO_LOSSES[name];
const smoothing = names.filter((name) => lossOf(name).smooths).join(', ');

const options = optionsWith({
  /** Which loss; see below. */
  loss: z.enum(names).default('sigmoid'),
  /** β: how strongly the policy is held to the reference. DPO's paper takes 0.1 (0.5 for summaries); IPO's calls it τ. */
  beta: z.number().positive().default(0.1),
  /**
   * ε: the share of pairs assumed to be labelled the wrong way round. Of `sigmoid` (cDPO), `robust`, `aot` and `aot-unpaired`. Where it
   * is used, 0.1 is usual; `robust` needs more than 0.
   */
  labelSmoothing: z.number().min(0).lt(0.5).default(0),
  /**
   * How much imitation of the better response is added: its −log π, a mean over tokens (RPO, Pang et al. 2404.19733; TRL's losses
   * `sigmoid` and `sft` together). 0: none. It keeps the likelihood of the better response, and of its end, from falling.
   */
  sft: z.number().min(0).default(0),
  reference,
}, {
  ignored: {
    labelSmoothing: ({ loss }) =>
      lossOf(loss).smooths ? undefined : `this loss has no labelSmoothing; leave it out or use one that has: ${smoothing}`,
  },
  wrong: {
    labelSmoothing({ loss, labelSmoothing }) {
      if (loss !== 'robust' || labelSmoothing !== 0) return undefined;
      return 'the loss "robust" needs the share of pairs labelled the wrong way round, between 0 and 0.5; without any, use loss: sigmoid';
    },
  },
});

/**
 * Direct preference optimisation and its variants. Rafailov et al., NeurIPS 2023, arXiv 2305.18290.
 *
 * Of a prompt x with a chosen response y_w and a rejected one y_l: w = log π(y_w|x)/π_ref(y_w|x), l likewise, Δ = w − l,
 * log-probabilities summed over the response's tokens with the end of turn; σ the logistic function.
 *
 *   sigmoid       −(1−ε) log σ(βΔ) − ε log σ(−βΔ)                        DPO Eq. 7; ε > 0: conservative DPO (Mitchell 2023)
 *   robust        [ −(1−ε) log σ(βΔ) + ε log σ(−βΔ) ] / (1 − 2ε)         Chowdhury et al. 2403.00409
 *   ipo-sum       (Δ − 1/2β)²                                            Azar et al. 2310.12036, Eq. 17
 *   ipo-mean      the same, w and l each divided by its response's tokens
 *   hinge         max(0, 1 − βΔ)                                         SLiC as in RSO, Liu et al. 2309.06657
 *   apo-zero      1 − σ(βw) + σ(βl)                                      D'Oosterlinck et al. 2408.06266, Eq. 7
 *   apo-down      σ(βw) + 1 − σ(βΔ)                                      Eq. 8
 *   nca           −log σ(βw) − ½ log σ(−βw) − ½ log σ(−βl)               Chen et al. 2402.05369, K = 2
 *   aot           `sigmoid` of the i-th smallest log π(y_w)/π(y_l) less the i-th smallest log π_ref(y_w)/π_ref(y_l) of the step's rows
 *   aot-unpaired  `sigmoid` of the i-th smallest w less the i-th smallest l of the step's rows       Melnyk et al. 2406.05882
 *
 * With `sft`, −log π(y_w|x) a token is added, times `sft`: Σ over the step's tokens of better responses, over their number.
 *
 * With a soft label p = P(y_w is better) the loss is p·ℓ(y_w, y_l) + (1 − p)·ℓ(y_l, y_w). The losses that sort take no rows with soft
 * labels. Unit: row.
 */
export const dpo = defineMethod({
  name: 'dpo',
  paper: 'Rafailov et al., Direct Preference Optimization: Your Language Model is Secretly a Reward Model, NeurIPS 2023, arXiv 2305.18290',
  ...PREFERENCES,
  options,
  references: (given) => ({ reference: { is: referenceOf(given.reference), scores: PAIR } }),
  scope: ({ loss }) => (lossOf(loss).sorts !== undefined ? 'step' : 'row'),
  lossAtReference: ({ loss, beta, sft }) => (sft === 0 ? lossOf(loss).atReference(beta) : undefined),
  unfit: (row, { loss }) => equalPair(row) ?? (lossOf(loss).sorts !== undefined ? notCertain(row, `dpo with loss: ${loss}`) : undefined),

  loss(scored, { loss, beta, labelSmoothing = 0, sft }) {
    const { logp, under, columns, rows } = scored;
    const base = under['reference']!;
    const [chosen, rejected] = [logRatio(logp.chosen, base.chosen), logRatio(logp.rejected, base.rejected)];
    const { of, perToken, sorts } = lossOf(loss);
    const each = (w: Tensor, l: Tensor): Tensor => of(w, l, beta, labelSmoothing);
    const ofPair = (): Tensor => {
      if (sorts === 'pairs') return each(sub(logp.chosen.sum(), logp.rejected.sum()), sub(base.chosen.sum(), base.rejected.sum()));
      if (sorts === 'responses') return each(chosen, rejected);
      const soft = columns[SOFT_LABEL]!;
      if (!perToken) return softly(soft, chosen, rejected, each);
      return softly(soft, logp.chosen.sub(base.chosen).mean(), logp.rejected.sub(base.rejected).mean(), each);
    };
    const nll = likelihood(scored);
    return {
      terms: [ofRows(ofPair(), rows), ...weighted(nll, sft)],
      metrics: { ...pairMetrics(scored, mul(chosen, beta), mul(rejected, beta)), ...(sft > 0 && { nll }) },
    };
  },
});
