import { type Tensor, mul, sum } from '@heed/tensor';
import { z } from 'zod';
import { aggregate } from './aggregate.js';
import { type Term, defineMethod } from './method.js';
import { optionsWith } from './options.js';
import {
  OLD, ROLLOUTS, type RolloutScored, clipMetrics, epsilonHigh, epsilonLow, klTokens, perAnswer, perToken, returnsOf, rolloutMetrics,
  spread, surrogate,
} from './rollout.js';
import { groupRelativeBySegment } from './segments.js';
import type { Tokens } from './tokens.js';

const LOSSES = ['grpo', 'dr-grpo', 'dapo', 'bnpo'] as const;

const options = optionsWith({
  /** What the tokens' losses are divided by; see below. */
  lossType: z.enum(LOSSES).default('grpo'),
  /** What a group's centred rewards are divided by: the deviation of the `group`, of the whole `batch`, or nothing (`none`). */
  scaleRewards: z.enum(['group', 'batch', 'none']).default('group'),
  /**
   * How several `rewards:` become one. `sum-then-normalize`: weighted and summed, then as above. `normalize-then-sum`: each in its group
   * less its mean over its deviation, then weighted and summed, and the sums so over the batch (GDPO, Liu et al. 2601.05242).
   */
  aggregation: z.enum(['sum-then-normalize', 'normalize-then-sum']).default('sum-then-normalize'),
  /** ε_low: a ratio below 1 − ε_low earns nothing more. */
  epsilonLow,
  /** ε_high: a ratio above 1 + ε_high earns nothing more. DAPO takes 0.28. */
  epsilonHigh,
  /** β: weight of k3 against the model without the adapter, token by token in the loss. 0: no reference is scored. */
  beta: z.number().min(0).default(0),
}, {
  ignored: {
    scaleRewards: ({ aggregation }) =>
      (aggregation === 'normalize-then-sum' ? 'normalize-then-sum divides by deviations of its own; leave it out' : undefined),
  },
});

/** The total of the tokens' losses over the answers, and the number that divides it. */
function normalised(loss: Tokens, type: (typeof LOSSES)[number], maxTokens: Tensor): Term {
  if (type === 'grpo') return perAnswer(loss.mean(), loss);
  if (type === 'dr-grpo') return { sum: sum(loss.sum()), count: sum(mul(maxTokens, loss.present())) };
  return perToken(loss);
}

/**
 * Group relative policy optimisation. Shao et al., 2024, arXiv 2402.03300, section 4.1; without critic.
 *
 * Of G answers to a prompt with rewards r: Â = (r − mean r) / (std r + 10⁻⁴), the same for every token (where the
 * reward came whole; see `segments.ts`); std is the sample deviation.
 * ρ_t = π(y_t)/π_old(y_t), where π_old is the policy that sampled; ℓ_t = −min(ρ_t Â, clip(ρ_t, 1 − ε_low, 1 + ε_high) Â) + β k3_t,
 * with k3 = π_ref/π − log π_ref/π − 1 and π_ref the model without the adapter. `lossType` is TRL's:
 *
 *   grpo      mean over answers of (Σ_t ℓ_t / tokens of the answer)
 *   dr-grpo   Σ ℓ_t / (answers · maxNewTokens)                              Liu et al. 2503.20783; with `scaleRewards: none`
 *   dapo      Σ ℓ_t / tokens of all answers of the optimizer step           Yu et al. 2503.14476
 *   bnpo      the same: Heed's batch is the optimizer step, in whatever pieces it is computed
 *
 * k3 in the loss has the gradient of KL(π_ref‖π), the forward KL, where π = π_old. Unit: row, a group.
 */
export const grpo = defineMethod({
  name: 'grpo',
  paper: 'Shao et al., DeepSeekMath: Pushing the Limits of Mathematical Reasoning in Open Language Models, 2024, arXiv 2402.03300',
  ...ROLLOUTS,
  options,
  references: () => OLD,
  reads: ({ beta }) => ({ reference: beta > 0 }),
  credit(rollouts, { scaleRewards = 'none', aggregation }) {
    const groups = rollouts.map(({ group }) => group);
    if (aggregation === 'sum-then-normalize')
      return spread(rollouts, groupRelativeBySegment(returnsOf(rollouts, ({ reward }) => reward, 0), groups, scaleRewards));
    // An answer whose reward failed has no parts, and the advantage 0.
    const parts = rollouts.map(({ parts: own = {} }) => own);
    return spread(rollouts, aggregate(parts, groups, rollouts[0]!.partWeights ?? {}, aggregation).map((a) => [a ?? 0]));
  },

  loss(scored: RolloutScored, { lossType, epsilonLow: low, epsilonHigh: high, beta }) {
    const { logp, under, tokens, columns } = scored;
    const ratio = logp.completions.sub(under['old']!.completions).exp();
    const gain = ratio.with(tokens['advantages']!, (r, a) => surrogate(r, a, low, high));
    const kl = klTokens(logp.completions, tokens['reference']!);
    const loss = beta === 0 ? gain.neg() : kl.mul(beta).sub(gain);
    return {
      terms: [normalised(loss, lossType, columns['max_tokens']!)],
      metrics: {
        ...rolloutMetrics(scored), ...clipMetrics(ratio, tokens['advantages']!, low, high), ...(beta === 0 ? {} : { kl: perToken(kl) }),
      },
    };
  },
});
