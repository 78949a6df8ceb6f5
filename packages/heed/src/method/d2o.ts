import { type Tensor, div, greater, logSigmoid, mul, neg, reshape, sub, sum, where } from '@heed/tensor';
import { z } from 'zod';
import { type Reference, defineMethod } from './method.js';
import { NEGATIVE, NEGATIVE_LISTS, OF_BAD, repeatsNegative } from './negatives.js';
import { optionsWith, reference, referenceOf } from './options.js';
import { logRatio, ofRows, wins } from './pairs.js';

/** A reference that stays as it is, or an exponential moving average of the trained adapter. */
const moving = z.union([reference.unwrap(), z.strictObject({
  /** Optimizer steps from one update to the next. */
  every: z.number().int().positive(),
  /** The share of the policy in an update: average ← (1 − rate) · average + rate · policy. */
  rate: z.number().gt(0).lte(1),
})]).default('base');

const withoutPositives = (option: string, beta: number): string | undefined =>
  beta === 0 ? `with beta 0 the positives have no weight, and ${option} is ignored; leave it out` : undefined;

const options = optionsWith({
  /** K: positives used of each row, its first ones. The paper 11. */
  k: z.number().int().positive().default(11),
  /** α: weight of the negative. The paper 0.1. */
  alpha: z.number().min(0).default(0.1),
  /** β: weight of the positives, all K together. The paper 0.1; at 0 none are needed or scored. */
  beta: z.number().min(0).default(0.1),
  /** r+, the less harmful reference, which scores the negative: `base`, `round`, an adapter's folder, or `{ every, rate }`. */
  rPlus: moving,
  /** r−, the more harmful reference, which scores the positives. */
  rMinus: moving,
  /**
   * `distributional`: one sigmoid of the positives' mean (D2O). `instance`: the mean of one sigmoid for each positive, which is DPO with
   * each of them (the paper's ablation).
   */
  level: z.enum(['distributional', 'instance']).default('distributional'),
}, {
  ignored: {
    rPlus: ({ alpha }) => (alpha === 0 ? 'with alpha 0 the negative has no weight, and rPlus is ignored; leave it out' : undefined),
    k: ({ beta }) => withoutPositives('k', beta),
    rMinus: ({ beta }) => withoutPositives('rMinus', beta),
    level: ({ beta }) => withoutPositives('level', beta),
  },
  wrong: {
    alpha: ({ alpha, beta }) => (alpha === 0 && beta === 0 ? 'with alpha and beta 0 nothing is learnt' : undefined),
  },
});

const movingOf = (given: z.infer<typeof moving>): Reference => (typeof given === 'string' ? referenceOf(given) : { ema: given });

/**
 * Distributional dispreference optimisation: learn from bad responses alone, held by the model's own better ones. Duan et al., Findings
 * of EMNLP 2024, arXiv 2403.03419, Eq. 3. Of a prompt x, a negative y_l and K self-generated positives y_1 … y_K, log-probabilities summed
 * over a response's tokens with the end of turn:
 *
 *   L = −log σ( β/K Σ_i log π(y_i|x)/r−(y_i|x)  −  α log π(y_l|x)/r+(y_l|x) )
 *   instance:  −1/K Σ_i log σ( β log π(y_i|x)/r−(y_i|x) − α log π(y_l|x)/r+(y_l|x) )
 *
 * r− is under the positives and r+ under the negative, as the paper writes it. By Jensen's inequality L is at most the instance loss.
 * Both start as the policy does; as averages, r+ should follow it sooner than r−. Unit: row.
 */
export const d2o = defineMethod({
  name: 'd2o',
  paper: 'Duan et al., Negating Negatives: Alignment with Human Negative Samples via Distributional Dispreference Optimization, ' +
    'Findings of EMNLP 2024, arXiv 2403.03419',
  row: 'negative',
  options,
  names: NEGATIVE,
  lists: NEGATIVE_LISTS,
  columns: [],
  ...OF_BAD,
  references: ({ rPlus, rMinus }) => ({
    ...(rPlus !== undefined && { rPlus: { is: movingOf(rPlus), scores: ['negative'] } }),
    ...(rMinus !== undefined && { rMinus: { is: movingOf(rMinus), scores: ['positives'] } }),
  }),
  lossAtReference: () => Math.LN2,
  sequences: (row, text, { k }) => ({
    negative: text.respond(row.prompt, row.rejected),
    ...(k !== undefined && { positives: row.positives!.slice(0, k).map((positive) => text.respond(row.prompt, positive)) }),
  }),
  unfit(row, { k }) {
    if (k === undefined) return undefined;
    const { positives = [] } = row;
    if (positives.length >= k) return repeatsNegative(row);
    const has = positives.length === 0 ? 'no positives' : `${positives.length} of the ${k} positives`;
    return `it has ${has} that d2o needs (k: ${k}); let the model make more, or use a smaller k`;
  },

  loss({ logp, under, present, rows }, { alpha, beta, level }) {
    const { rPlus, rMinus } = under;
    const ratio = rPlus === undefined ? logp.negative.sum() : logRatio(logp.negative, rPlus.negative);
    const rejected = mul(ratio, alpha); // [B]; without r+, alpha is 0
    const ofNegative = { rewards_rejected: ofRows(rejected, rows), logp_rejected: ofRows(logp.negative.sum(), rows) };
    if (rMinus === undefined) return { terms: [ofRows(neg(logSigmoid(neg(rejected))), rows)], metrics: ofNegative };
    const ofEach = mul(logRatio(logp.positives, rMinus.positives), beta); // [B, K]
    const there = present.positives;
    const k = sum(there, [-1]);
    const overK = (x: Tensor): Tensor => div(sum(mul(x, there), [-1]), where(greater(k, 0.5), k, 1));
    const chosen = overK(ofEach);
    const margin = sub(chosen, rejected);
    const nll = (x: Tensor): Tensor => neg(logSigmoid(x));
    const loss = level === 'distributional' ? nll(margin) : overK(nll(sub(ofEach, reshape(rejected, [...rejected.shape, 1]))));
    return {
      terms: [ofRows(loss, rows)],
      metrics: {
        rewards_chosen: ofRows(chosen, rows),
        rewards_margin: ofRows(margin, rows),
        accuracy: ofRows(wins(chosen, rejected), rows),
        logp_chosen: ofRows(overK(logp.positives.sum()), rows),
        ...ofNegative,
      },
    };
  },
});
