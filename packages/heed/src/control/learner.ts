/** Learning of a controller in memory: rounds of choices, for one task or, by Reptile, over several. */
import type { NetworkShape } from './network.js';
import { type Choice, policyLoss } from './policy.js';

/** How a round is learnt from. */
export interface LearnOptions {
  readonly learningRate: number;
  /** Adam steps on each round's choices, all of them in each step. */
  readonly epochs: number;
  /** Weight of the policy's entropy in the loss. */
  readonly bonus: number;
}

/** A network that learns, with what its optimizer keeps. */
export interface Learner {
  readonly shape: NetworkShape;
  parameters: Float64Array;
  adam: AdamState;
}

export const startLearner = (shape: NetworkShape, parameters: Float64Array): Learner =>
  ({ shape, parameters: parameters.slice(), adam: startAdam(parameters.length) });

/** What a round did: the loss of its first step, the mean entropy of the policy then, and the norm of that step's gradient. */
export interface Learnt {
  readonly loss: number;
  readonly entropy: number;
  readonly gradNorm: number;
}

/** Learns from a round of choices; changes the learner. */
export function learn(learner: Learner, choices: readonly Choice[], { learningRate, epochs, bonus }: LearnOptions): Learnt {
  let first: Learnt | undefined;
  for (let epoch = 0; epoch < epochs; epoch++) {
    const { loss, gradient, entropy } = policyLoss(learner.shape, learner.parameters, choices, bonus);
    first ??= { loss, entropy, gradNorm: Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0)) };
    stepAdam(learner.parameters, gradient, learner.adam, learningRate);
  }
  return first!;
}

/**
 * Reptile's outer step (Nichol, Achiam & Schulman 2018): the initialisation moves a part of the way to where a few rounds on one task led,
 * θ ← θ + rate (φ − θ), so that it comes to lie near the solutions of all tasks. The optimizer starts anew for the next task.
 *
 * @param initial θ.
 * @returns The learner at the new θ.
 */
export function reptile({ shape, parameters }: Learner, initial: Float64Array, rate: number): Learner {
  return startLearner(shape, initial.map((x, i) => x + rate * (parameters[i]! - x)));
}

// Adam (Kingma & Ba 2015, algorithm 1) in float64.

/** What Adam keeps between steps. */
export interface AdamState {
  readonly m: Float64Array;
  readonly v: Float64Array;
  steps: number;
}

const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-8];

export const startAdam = (size: number): AdamState => ({ m: new Float64Array(size), v: new Float64Array(size), steps: 0 });

/** One step against the gradient; changes `parameters` and `state`. */
export function stepAdam(parameters: Float64Array, gradient: Float64Array, state: AdamState, learningRate: number): void {
  const { m, v } = state;
  state.steps++;
  const [corrected1, corrected2] = [1 - BETA1 ** state.steps, 1 - BETA2 ** state.steps];
  for (let i = 0; i < parameters.length; i++) {
    const g = gradient[i]!;
    m[i] = BETA1 * m[i]! + (1 - BETA1) * g;
    v[i] = BETA2 * v[i]! + (1 - BETA2) * g * g;
    parameters[i]! -= (learningRate * (m[i]! / corrected1)) / (Math.sqrt(v[i]! / corrected2) + EPSILON);
  }
}
