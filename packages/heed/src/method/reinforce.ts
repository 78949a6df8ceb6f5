import { mul, square, sub } from '@heed/tensor';
import { z } from 'zod';
import { batchMean, rewardToGo } from './advantages.js';
import { type Head, defineMethod } from './method.js';
import {
  OLD, ROLLOUTS, type Credit, type Rollout, type RolloutScored, klInReward, perAnswer, perToken, returnsOf, rolloutMetrics, spread,
  tokenRewardsOf, withKl,
} from './rollout.js';
import { bySegment } from './segments.js';

const options = z.strictObject({
  /** β of Z = (1 − β) r − β KL(π‖π_ref); π_ref is the model without the adapter. 0: no reference is scored. */
  beta: klInReward.refine((beta) => beta < 1, 'expected below 1: a larger part of KL than of reward'),
  /** What is subtracted from Z: the mean over the round's answers, or a `value` head that learns to expect it at each token. */
  baseline: z.enum(['batch-mean', 'value']).default('batch-mean'),
  /** Weight of the value head's loss beside the policy's. */
  valueCoefficient: z.number().positive().default(1),
});

/** Z = (1 − β) r − β Σ_t log π/π_ref. */
export const rlaifReturn = (one: Rollout, beta: number): number | null => withKl(one, beta, 1 - beta);

/** Z at every token of an answer (where the reward is known by token, what came from there on), less what the value head expected there. */
function fromValues(rollouts: readonly Rollout[], beta: number): Credit[] {
  return rollouts.map((one) => {
    const z = rlaifReturn(one, beta);
    const values = Array.from(one.values!);
    if (z === null) return { advantages: values.map(() => 0), returns: values };
    const returns = one.tokenRewards === undefined ? values.map(() => z) : rewardToGo(tokenRewardsOf(one, beta, 1 - beta));
    return { advantages: returns.map((r, t) => r - values[t]!), returns };
  });
}

/**
 * REINFORCE, as RLAIF uses it. Williams 1992; Lee et al., ICML 2024, arXiv 2309.00267, appendix.
 *
 * Z = (1 − β) r − β Σ_t log π/π_ref. Loss of an answer: −Σ_t log π(y_t) (Z − b), the mean over answers; b is the mean Z of the round
 * (`batch-mean`), or V_t of a linear `value` head, whose own loss is Σ_t (Z − V_t)². The advantage carries no gradient. Meant for one
 * step a round: there is no ratio to correct for a policy that has moved on. Unit: row, a group.
 */
export const reinforce = defineMethod({
  name: 'reinforce',
  paper: 'Williams, Simple Statistical Gradient-Following Algorithms for Connectionist Reinforcement Learning, 1992; as in Lee et al., '
    + 'RLAIF vs. RLHF, ICML 2024, arXiv 2309.00267',
  ...ROLLOUTS,
  options,
  references: () => OLD,
  heads: ({ baseline }): Record<string, Head> => (baseline === 'value' ? { value: { size: 1, at: 'tokens' } } : {}),
  reads: ({ beta, baseline }) => ({ reference: beta > 0, value: baseline === 'value' ? 'value' : undefined }),
  credit(rollouts, { beta, baseline }) {
    if (baseline === 'value') return fromValues(rollouts, beta);
    return spread(rollouts, bySegment(returnsOf(rollouts, (one) => rlaifReturn(one, beta), beta, 1 - beta), batchMean));
  },

  loss(scored: RolloutScored, { baseline, valueCoefficient }) {
    const { logp, tokens, values } = scored;
    const policy = perAnswer(logp.completions.mul(tokens['advantages']!).neg().sum(), logp.completions);
    if (baseline === 'batch-mean') return { terms: [policy], metrics: rolloutMetrics(scored) };
    const error = values['value']!.completions.with(tokens['returns']!, (v, z) => square(sub(v, z)));
    const value = perAnswer(mul(error.sum(), valueCoefficient), logp.completions);
    return { terms: [policy, value], metrics: { ...rolloutMetrics(scored), 'loss/value': perToken(error) } };
  },
});
