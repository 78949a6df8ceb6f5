import { type Tensor, add, logSigmoid, mul, neg, relu, sigmoid, sort, square, sub } from '@heed/tensor';

/**
 * The losses of `dpo`, of the log-ratios w = log π/π_ref of the better response and l of the worse one, [B] each. `lengths` says
 * whether log-ratios are sums over tokens or means.
 */
export interface PairLoss {
  /** [B]. `beta` > 0, `epsilon` in [0, ½). */
  readonly of: (w: Tensor, l: Tensor, beta: number, epsilon: number) => Tensor;
  /** The loss of every row while policy and reference are equal, w = l = 0; soft labels do not change it. */
  readonly atReference: (beta: number) => number;
  /** Log-ratios are divided by the response's tokens. */
  readonly perToken?: true;
  /** It reads `labelSmoothing`. */
  readonly smooths?: true;
  /**
   * It sorts over the rows of an optimizer step, so that no pair is left for a soft label to speak of. `responses`: w and l;
   * `pairs`: it is given log π(chosen)/π(rejected) for w and the same of π_ref for l.
   */
  readonly sorts?: 'pairs' | 'responses';
}

const ln2 = () => Math.LN2;
const nll = (x: Tensor): Tensor => neg(logSigmoid(x));
const conservative = (margin: Tensor, epsilon: number): Tensor =>
  epsilon === 0 ? nll(margin) : add(mul(nll(margin), 1 - epsilon), mul(nll(neg(margin)), epsilon));
const squared = (w: Tensor, l: Tensor, beta: number): Tensor => square(sub(sub(w, l), 1 / (2 * beta)));
const sorted: PairLoss['of'] = (w, l, beta, epsilon) => conservative(mul(sub(sort(w), sort(l)), beta), epsilon);
const quarter = (beta: number): number => 1 / (4 * beta ** 2);

export const DPO_LOSSES = {
  sigmoid: { of: (w, l, beta, epsilon) => conservative(mul(sub(w, l), beta), epsilon), atReference: ln2, smooths: true },
  robust: {
    of(w, l, beta, epsilon) {
      const margin = mul(sub(w, l), beta);
      return mul(sub(mul(nll(margin), 1 - epsilon), mul(nll(neg(margin)), epsilon)), 1 / (1 - 2 * epsilon));
    },
    atReference: ln2,
    smooths: true,
  },
  'ipo-sum': { of: squared, atReference: quarter },
  'ipo-mean': { of: squared, atReference: quarter, perToken: true },
  hinge: { of: (w, l, beta) => relu(sub(1, mul(sub(w, l), beta))), atReference: () => 1 },
  'apo-zero': { of: (w, l, beta) => add(sub(1, sigmoid(mul(w, beta))), sigmoid(mul(l, beta))), atReference: () => 1 },
  'apo-down': { of: (w, l, beta) => add(sigmoid(mul(w, beta)), sub(1, sigmoid(mul(sub(w, l), beta)))), atReference: () => 1 },
  nca: {
    of(w, l, beta) {
      const [good, bad] = [mul(w, beta), mul(l, beta)];
      return add(nll(good), mul(add(nll(neg(good)), nll(neg(bad))), 0.5));
    },
    atReference: () => 2 * Math.LN2,
  },
  aot: { of: sorted, atReference: ln2, smooths: true, sorts: 'pairs' },
  'aot-unpaired': { of: sorted, atReference: ln2, smooths: true, sorts: 'responses' },
} as const satisfies Record<string, PairLoss>;

export type DpoLoss = keyof typeof DPO_LOSSES;
