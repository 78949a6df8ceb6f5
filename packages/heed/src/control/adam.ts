/** Adam (Kingma & Ba 2015, algorithm 1) in float64. */

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
