import { abs, mul, square, sub } from '@heed/tensor';
import { z } from 'zod';
import { gae, whiten } from './advantages.js';
import { type Head, defineMethod } from './method.js';
import {
  OLD, ROLLOUTS, type RolloutScored, clipMetrics, epsilonHigh, epsilonLow, klInReward, perToken, rolloutMetrics, surrogate,
  tokenRewardsOf, valueLoss,
} from './rollout.js';

const options = z.strictObject({
  /** β: weight of log π/π_ref at each token's reward; π_ref is the model without the adapter. 0: no reference is scored. */
  beta: klInReward,
  /** γ: how much a later reward counts. */
  gamma: z.number().gt(0).max(1).default(1),
  /** λ of generalised advantage estimation. 1: the return less the value. */
  lambda: z.number().min(0).max(1).default(0.95),
  /** ε_low: a ratio below 1 − ε_low earns nothing more. */
  epsilonLow,
  /** ε_high: a ratio above 1 + ε_high earns nothing more. */
  epsilonHigh,
  /** How far from its old number the value head is followed. */
  valueClip: z.number().positive().default(0.2),
  /** Weight of the value head's loss beside the policy's. */
  valueCoefficient: z.number().positive().default(0.1),
  /** Advantages less their mean, divided by their deviation, over all tokens of a round. */
  whiten: z.boolean().default(true),
});

/**
 * Proximal policy optimisation with a learned value. Schulman et al. 2017, arXiv 1707.06347; for language models as SALMON uses it
 * (Sun et al., ICLR 2024, arXiv 2310.05910).
 *
 * r_t = −β log π/π_ref, plus the answer's reward at its last token, or at the tokens that earned it (`credit`). V_t: a linear `value`
 * head on the adapted model, before token t. Â by generalised advantage estimation (γ, λ), whitened over the round; return R_t = Â_t +
 * V_t. Loss, both parts the mean over tokens: −min(ρ_t Â_t, clip(ρ_t, 1 − ε_low, 1 + ε_high) Â_t) + c · ½ max((V_t − R_t)²,
 * (clip(V_t, V_t,old ± ε_v) − R_t)²). The reward arrives with the last token itself; TRL lets it arrive one place later. Unit: row, a
 * group.
 */
export const ppo = defineMethod({
  name: 'ppo',
  paper: 'Schulman et al., Proximal Policy Optimization Algorithms, 2017, arXiv 1707.06347',
  ...ROLLOUTS,
  options,
  references: () => OLD,
  heads: (): Record<string, Head> => ({ value: { size: 1, at: 'tokens' } }),
  reads: ({ beta }) => ({ reference: beta > 0, value: 'value' }),
  credit(rollouts, { beta, gamma, lambda, whiten: whitened }) {
    const found = rollouts.map((one) => gae(tokenRewardsOf(one, beta), one.values!, { gamma, lambda }));
    // An answer without a reward teaches nothing and is not counted: its return equals the expected value.
    const taught = rollouts.flatMap(({ reward }, i) => (reward === null ? [] : [i]));
    const scaled = whitened ? whiten(taught.map((i) => found[i]!.advantages)) : taught.map((i) => found[i]!.advantages);
    return rollouts.map(({ reward, values, tokens }, i) => (reward === null
      ? { advantages: new Array<number>(tokens).fill(0), returns: Array.from(values!) }
      : { advantages: scaled[taught.indexOf(i)]!, returns: found[i]!.returns }));
  },

  loss(scored: RolloutScored, { epsilonLow: low, epsilonHigh: high, valueClip, valueCoefficient }) {
    const { logp, under, tokens, values } = scored;
    const logRatio = logp.completions.sub(under['old']!.completions);
    const ratio = logRatio.exp();
    const advantages = tokens['advantages']!;
    const policy = ratio.with(advantages, (r, a) => surrogate(r, a, low, high)).neg();
    const now = values['value']!.completions;
    const value = valueLoss(now, tokens['values']!, tokens['returns']!, valueClip);
    const moved = now.with(tokens['values']!, (v, old) => abs(sub(v, old)));
    return {
      terms: [perToken(policy), perToken(value.map((x) => mul(x, valueCoefficient)))],
      metrics: {
        ...rolloutMetrics(scored), ...clipMetrics(ratio, advantages, low, high),
        'loss/policy': perToken(policy), 'loss/value': perToken(value),
        'policy/approxkl': perToken(logRatio.map(square).mul(0.5)), 'val/clipfrac': perToken(moved.greater(valueClip)),
      },
    };
  },
});
