import { exp, neg, sub } from '@heed/tensor';
import { z } from 'zod';
import { leaveOneOut } from './advantages.js';
import { defineMethod } from './method.js';
import {
  OLD, ROLLOUTS, type RolloutScored, clipMetrics, epsilonHigh, epsilonLow, klInReward, perAnswer, returnsOf, rolloutMetrics, spread,
  surrogate, withKl,
} from './rollout.js';
import { bySegment } from './segments.js';

const options = z.strictObject({
  /** β: weight of KL(π‖π_ref) in the reward; π_ref is the model without the adapter. 0: no reference is scored. */
  beta: klInReward,
  /** One ratio for the whole `sequence`, as TRL has it, or one for each `token`, which clips less of a long answer. */
  ratio: z.enum(['sequence', 'token']).default('sequence'),
  /** ε_low: a ratio below 1 − ε_low earns nothing more. */
  epsilonLow,
  /** ε_high: a ratio above 1 + ε_high earns nothing more. */
  epsilonHigh,
});

/**
 * REINFORCE with a leave-one-out baseline. Ahmadian et al., ACL 2024, arXiv 2402.14740.
 *
 * Z = r − β Σ_t log π/π_ref; Â = Z − mean of the Z of the other answers to the prompt. Its gradient has no bias. The loss of an answer is
 * −min(ρ Â, clip(ρ, 1 − ε_low, 1 + ε_high) Â), where ρ = π(y)/π_old(y) of the whole answer; with `ratio: token` the sum over its tokens
 * with each token's own ratio. Both have the same gradient at a round's first step. The mean is over answers. Unit: row, a group.
 */
export const rloo = defineMethod({
  name: 'rloo',
  paper: 'Ahmadian et al., Back to Basics: Revisiting REINFORCE Style Optimization for RLHF in LLMs, ACL 2024, arXiv 2402.14740',
  ...ROLLOUTS,
  options,
  references: () => OLD,
  reads: ({ beta }) => ({ reference: beta > 0 }),
  averagesAdvantages: ({ ratio }) =>
    (ratio === 'token' ? undefined : 'one ratio for a whole answer takes the mean of its tokens\' advantages; set method.ratio: token'),
  credit(rollouts, { beta }) {
    const groups = rollouts.map(({ group }) => group);
    return spread(rollouts, bySegment(returnsOf(rollouts, (one) => withKl(one, beta), beta), (z) => leaveOneOut(z, groups)));
  },

  loss(scored: RolloutScored, { ratio: kind, epsilonLow: low, epsilonHigh: high }) {
    const { logp, under, tokens } = scored;
    const old = under['old']!.completions;
    const advantages = tokens['advantages']!;
    const ratio = logp.completions.sub(old).exp();
    const ofSequence = surrogate(exp(sub(logp.completions.sum(), old.sum())), advantages.mean(), low, high);
    const ofTokens = ratio.with(advantages, (r, a) => surrogate(r, a, low, high)).sum();
    return {
      terms: [perAnswer(neg(kind === 'sequence' ? ofSequence : ofTokens), logp.completions)],
      metrics: { ...rolloutMetrics(scored), ...clipMetrics(ratio, advantages, low, high) },
    };
  },
});
