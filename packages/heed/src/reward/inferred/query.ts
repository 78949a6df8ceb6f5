/** What a question would tell: predictions of a posterior over weights, and which question to ask next. */
import { type Vector, dot, quadratic, times } from './matrix.js';
import type { Posterior } from './posterior.js';

/** What a posterior says of a comparison before it is made. */
export interface Prediction {
  /** Mean and variance of the difference in reward, w · d. */
  readonly mean: number;
  readonly variance: number;
  /** Probability that the first is preferred: E σ(w · d). */
  readonly probability: number;
  /**
   * Expected information of the answer about the weights, in nats (BALD; Houlsby et al. 2011, arXiv 1112.5745):
   * H[E σ(f)] − E H[σ(f)] with f = w · d. 0 for two equal responses, and where the posterior is certain.
   */
  readonly information: number;
}

/** Less than this is the rounding of the quadrature. */
const ROUNDING = 1e-12;

/** Predicts a comparison by the difference d = φ(a) − φ(b). Expectations by Gauss–Hermite quadrature with 64 nodes. */
export function predict({ mean: w, covariance }: Posterior, difference: Vector): Prediction {
  const mean = dot(difference, w);
  const variance = Math.max(0, quadratic(covariance, difference));
  let [probability, entropy] = [0, 0];
  for (const [node, weight] of hermite64()) {
    const f = mean + Math.sqrt(variance) * node;
    const p = sigmoid(f);
    probability += weight * p;
    entropy += weight * (softplus(f) - f * p);
  }
  const information = binaryEntropy(probability) - entropy;
  return { mean, variance, probability, information: information > ROUNDING ? information : 0 };
}

/**
 * The `n` comparisons that tell most about the weights, best first, as indices. Each next one is chosen as if those before it had been
 * answered: the answer is unknown, so the mean stays; the covariance shrinks by p (1 − p) d dᵀ of information, p being the prediction. So a
 * question is not asked twice in other words.
 *
 * @param differences φ(a) − φ(b) of each comparison that could be asked.
 */
export function mostInformative(
  posterior: Posterior, differences: readonly Vector[], n: number,
): { readonly index: number; readonly prediction: Prediction }[] {
  const chosen: { index: number; prediction: Prediction }[] = [];
  const left = new Set(differences.keys());
  let { covariance } = posterior;
  while (chosen.length < n && left.size > 0) {
    let best: { index: number; prediction: Prediction } | undefined;
    for (const index of left) {
      const prediction = predict({ mean: posterior.mean, covariance }, differences[index]!);
      if (best === undefined || prediction.information > best.prediction.information) best = { index, prediction };
    }
    if (best === undefined || best.prediction.information === 0) break;
    chosen.push(best);
    left.delete(best.index);
    const along = times(covariance, differences[best.index]!);
    const { probability: p, variance } = best.prediction;
    const shrink = (p * (1 - p)) / (1 + p * (1 - p) * variance);
    covariance = covariance.map((row, i) => row.map((x, k) => x - shrink * along[i]! * along[k]!));
  }
  return chosen;
}

const sigmoid = (x: number): number => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const binaryEntropy = (p: number): number => (p <= 0 || p >= 1 ? 0 : -p * Math.log(p) - (1 - p) * Math.log1p(-p));

let nodes: readonly (readonly [node: number, weight: number])[] | undefined;

/** Nodes and weights with which Σ weight · f(node) is E f(z) for a standard normal z. */
const hermite64 = (): NonNullable<typeof nodes> => (nodes ??= hermite(64));

/**
 * Gauss–Hermite quadrature for the standard normal: the roots x of the normalised Hermite polynomial h_n, and 1 / Σ_k h_k(x)² over k < n.
 * Roots by bisection between those of h_(n−1), which separate them.
 */
function hermite(n: number): [number, number][] {
  let roots: number[] = [];
  for (let degree = 1; degree <= n; degree++) {
    const bound = 2 * Math.sqrt(degree) + 1;
    const ends = [-bound, ...roots, bound];
    roots = Array.from({ length: degree }, (_, i) => rootBetween(ends[i]!, ends[i + 1]!, (x) => normalised(degree, x)[degree]!));
  }
  return roots.map((x) => [x, 1 / normalised(n - 1, x).reduce((sum, h) => sum + h * h, 0)]);
}

/** h_0 … h_n at x, orthonormal under the standard normal: h_(k+1) = (x h_k − √k h_(k−1)) / √(k+1). */
function normalised(n: number, x: number): number[] {
  const h = [1];
  for (let k = 0; k < n; k++) h.push((x * h[k]! - Math.sqrt(k) * (h[k - 1] ?? 0)) / Math.sqrt(k + 1));
  return h;
}

function rootBetween(from: number, to: number, f: (x: number) => number): number {
  let [low, high] = [from, to];
  const rising = f(high) > 0;
  for (let step = 0; step < 200; step++) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (f(middle) > 0 === rising) high = middle;
    else low = middle;
  }
  return (low + high) / 2;
}
