/** The controller's policy π(a | x), a softmax over actions, and its policy gradient (Williams 1992). */
import { type NetworkShape, backward, forward } from './network.js';

/** One choice of the controller and what came of it. */
export interface Choice {
  /** What the controller saw. */
  readonly features: ArrayLike<number>;
  /** Index of the action. */
  readonly action: number;
  /** Its probability when it was drawn. */
  readonly probability: number;
  /** How much better the answer was than expected. */
  readonly advantage: number;
}

export function softmax(logits: ArrayLike<number>): number[] {
  const largest = Math.max(...Array.from(logits));
  const weights = Array.from(logits, (z) => Math.exp(z - largest));
  const total = weights.reduce((a, b) => a + b, 0);
  return weights.map((w) => w / total);
}

/** −Σ p log p, in nats. */
export const entropyOf = (p: readonly number[]): number => -p.reduce((sum, x) => sum + (x === 0 ? 0 : x * Math.log(x)), 0);

/** π(· | x). */
export const probabilities = (shape: NetworkShape, parameters: Float64Array, features: ArrayLike<number>): number[] =>
  softmax(forward(shape, parameters, features).at(-1)!);

/** The index of the largest; of several the first. */
export const indexOfMost = (values: readonly number[]): number => values.indexOf(Math.max(...values));

/**
 * How much better each of a prompt's answers is than the mean of the others: r_i − mean of r_j, j ≠ i (Kool et al. 2019). A single answer
 * has nothing to be compared with: 0.
 */
export function leaveOneOut(rewards: readonly number[]): number[] {
  const n = rewards.length;
  if (n < 2) return rewards.map(() => 0);
  const sum = rewards.reduce((a, b) => a + b, 0);
  return rewards.map((r) => r - (sum - r) / (n - 1));
}

/** The gradient of V = Σ π_a r_a by the logits, π_a (r_a − V), where the mean reward of every action is known. */
export function exactGradient(p: readonly number[], rewards: readonly number[]): number[] {
  const value = p.reduce((sum, x, a) => sum + x * rewards[a]!, 0);
  return p.map((x, a) => x * (rewards[a]! - value));
}

/** The loss of a batch, its gradient by the parameters, and the mean entropy of the policy over the batch. */
export interface PolicyLoss {
  readonly loss: number;
  readonly gradient: Float64Array;
  readonly entropy: number;
}

/** How far the probability of a choice may move from where it was drawn before the choice has no more say (PPO's ε). */
const CLIP = 0.2;

/**
 * L = −(1/N) Σ [ min(r A, clip(r, 1 − ε, 1 + ε) A) + β H(π(· | x)) ], r = π(a | x) / probability when drawn, ε = 0.2 (Schulman et al.
 * 2017, eq. 7), with its exact gradient. Where r = 1, as on fresh choices, that is the gradient of −A log π(a | x). Nothing but the
 * controller's own probabilities has a part in it: how the language model's tokens were drawn belongs to the environment.
 *
 * @param bonus β, the weight of the entropy H.
 */
export function policyLoss(shape: NetworkShape, parameters: Float64Array, choices: readonly Choice[], bonus: number): PolicyLoss {
  const gradient = new Float64Array(parameters.length);
  const n = choices.length;
  let [loss, total] = [0, 0];
  for (const { features, action, probability, advantage } of choices) {
    const values = forward(shape, parameters, features);
    const p = softmax(values.at(-1)!);
    const h = entropyOf(p);
    const ratio = p[action]! / probability;
    const clipped = Math.min(1 + CLIP, Math.max(1 - CLIP, ratio));
    total += h;
    loss -= (Math.min(ratio * advantage, clipped * advantage) + bonus * h) / n;
    const pull = ratio * advantage <= clipped * advantage ? ratio * advantage : 0;
    // ∂ r / ∂ z_j = r ([j = a] − π_j), and ∂ H / ∂ z_j = −π_j (log π_j + H).
    const outputs = Float64Array.from(p, (x, j) => {
      const spread = x === 0 ? 0 : x * (Math.log(x) + h);
      return (-pull * (Number(j === action) - x) + bonus * spread) / n;
    });
    backward(shape, parameters, values, outputs, gradient);
  }
  return { loss, gradient, entropy: total / n };
}
