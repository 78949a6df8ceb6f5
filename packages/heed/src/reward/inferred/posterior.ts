import { type Matrix, type Vector, cholesky, dot, inverse, solve } from './matrix.js';

/**
 * What somebody chose, as evidence about the weights w of a linear reward r(y) = w · φ(y). P(option j) = softmax_j(w · φ_j): the person is
 * taken to choose better options more often, by the logistic law (Bradley–Terry for two options).
 */
export interface Choice {
  /** φ of each option; two or more. */
  readonly options: readonly Vector[];
  /** The share of each option in what was chosen; the shares add up to 1. A certain choice is 1 for one option. */
  readonly chosen: Vector;
}

/** A normal distribution over weights. */
export interface Posterior {
  readonly mean: Vector;
  readonly covariance: Matrix;
}

/** `a` was preferred to `b`; with probability `certainty`, default 1. */
export const preferred = (a: Vector, b: Vector, certainty = 1): Choice => ({ options: [a, b], chosen: [certainty, 1 - certainty] });

/** A demonstration, or an edit: chosen before every one of the others. */
export const demonstrated = (demonstration: Vector, others: readonly Vector[]): Choice => ({
  options: [demonstration, ...others], chosen: [1, ...others.map(() => 0)],
});

/**
 * A vote: P(good) = σ(w · φ − t). The last weight is the threshold t, so φ has −1 at the end; bad is the option of value 0.
 */
export const voted = (phi: Vector, good: boolean): Choice => preferred(
  good ? [...phi, -1] : [...phi.map(() => 0), 0], good ? [...phi.map(() => 0), 0] : [...phi, -1],
);

const MOST_STEPS = 100;
const GRADIENT = 1e-11;
/** Near the maximum the sum changes by less than this share of it: a full step is then right, whatever its last bits say. */
const ROUNDING = 1e-13;

/**
 * The posterior over weights by Laplace's approximation. Prior: independent normal distributions around 0. Its mean is the maximum of
 * Σ_i Σ_j q_ij log p_ij(w) − Σ_k w_k² / 2 s_k², found by Newton's method; its covariance is the inverse of the negative second derivative
 * there. The sum is strictly concave, so that there is one maximum.
 *
 * Source: cooperative inverse reinforcement learning (Hadfield-Menell et al. 2016, arXiv 1606.03137) with a literal person; MacKay 1992.
 *
 * @param deviations s_k, the prior's standard deviation of each weight.
 */
export function inferWeights(choices: readonly Choice[], deviations: Vector): Posterior & { readonly negLogPosterior: number } {
  const precision = deviations.map((s) => 1 / (s * s));
  let mean: Vector = deviations.map(() => 0);
  let now = objective(choices, mean, precision);
  for (let step = 0; step < MOST_STEPS; step++) {
    const { gradient, hessian } = derivatives(choices, mean, precision);
    const lower = cholesky(hessian);
    if (Math.max(...gradient.map(Math.abs)) <= GRADIENT * (1 + choices.length))
      return { mean, covariance: inverse(lower), negLogPosterior: now };
    const direction = solve(lower, gradient);
    const slope = dot(gradient, direction);
    let scale = 1;
    let [next, value] = [mean, now];
    // A full step may overshoot where the person's choices are all but certain: halve it until it goes down.
    do {
      next = mean.map((w, i) => w - scale * direction[i]!);
      value = objective(choices, next, precision);
      scale /= 2;
    } while (value > now - 1e-4 * scale * slope + ROUNDING * (1 + Math.abs(now)) && scale > 1e-12);
    [mean, now] = [next, value];
  }
  throw new Error(`inferWeights: no maximum after ${MOST_STEPS} steps`);
}

/** −log of posterior, without its constant. */
function objective(choices: readonly Choice[], w: Vector, precision: Vector): number {
  let sum = 0;
  for (const [k, one] of w.entries()) sum += (precision[k]! * one * one) / 2;
  for (const { options, chosen } of choices) {
    const values = options.map((phi) => dot(phi, w));
    const total = logSumExp(values);
    for (const [j, q] of chosen.entries()) if (q > 0) sum -= q * (values[j]! - total);
  }
  return sum;
}

function derivatives(
  choices: readonly Choice[], w: Vector, precision: Vector,
): { readonly gradient: number[]; readonly hessian: number[][] } {
  const n = w.length;
  const gradient = w.map((one, k) => precision[k]! * one);
  const hessian = precision.map((p, i) => Array.from({ length: n }, (_, k) => (i === k ? p : 0)));
  for (const { options, chosen } of choices) {
    const values = options.map((phi) => dot(phi, w));
    const total = logSumExp(values);
    const p = values.map((value) => Math.exp(value - total));
    const middle = Array.from({ length: n }, (_, k) => options.reduce((sum, phi, j) => sum + p[j]! * phi[k]!, 0));
    for (const [j, phi] of options.entries()) {
      const away = phi.map((x, k) => x - middle[k]!);
      for (let i = 0; i < n; i++) {
        gradient[i]! -= (chosen[j]! - p[j]!) * phi[i]!;
        for (let k = 0; k < n; k++) hessian[i]![k]! += p[j]! * away[i]! * away[k]!;
      }
    }
  }
  return { gradient, hessian };
}

function logSumExp(values: Vector): number {
  const most = Math.max(...values);
  return most + Math.log(values.reduce((sum, value) => sum + Math.exp(value - most), 0));
}

/** log P(what was chosen) under the weights, summed over choices: how well the weights foresee people, in nats. */
export const logLikelihood = (choices: readonly Choice[], weights: Vector): number =>
  -objective(choices, weights, weights.map(() => 0));
