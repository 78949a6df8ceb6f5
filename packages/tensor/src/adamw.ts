import { type Dim, sym } from './dims.js';
import { lower } from './lower.js';
import { add, div, mul, sqrt, square, sub } from './ops/elementwise.js';
import { sum } from './ops/reduce.js';
import type { Program } from './program.js';
import { input } from './tensor.js';

export interface AdamWOptions {
  /** Decay rates of the two moments, default [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Default 1e-8, added to √v̂ as in PyTorch. */
  readonly epsilon?: number;
  /** Decoupled decay, default 0. */
  readonly weightDecay?: number;
}

/**
 * One AdamW step (Loshchilov & Hutter 2019) over all parameters laid end to end: inputs `parameters`, `gradients`, `m`, `v` [n],
 * `gradientScale` (for clipping), `learningRate`, `correction1` = 1 − β₁ᵗ and `correction2` = 1 − β₂ᵗ (scalars); outputs
 * `new_parameters`, `new_m`, `new_v`, safe to bind in place. One flat array makes this a dozen kernels, not thousands. Each number is
 * updated by itself: a long array can be taken piece by piece.
 */
export function adamw({ betas: [beta1, beta2] = [0.9, 0.999], epsilon = 1e-8, weightDecay = 0 }: AdamWOptions = {}): Program {
  const n: Dim = sym('n');
  const parameters = input('parameters', [n]);
  const m = input('m', [n]);
  const v = input('v', [n]);
  const learningRate = input('learningRate', []);
  const correction1 = input('correction1', []);
  const correction2 = input('correction2', []);

  const gradients = mul(input('gradients', [n]), input('gradientScale', []));
  const newM = add(mul(m, beta1), mul(gradients, 1 - beta1));
  const newV = add(mul(v, beta2), mul(square(gradients), 1 - beta2));
  const denominator = add(div(sqrt(newV), sqrt(correction2)), epsilon);
  const stepped = sub(mul(parameters, sub(1, mul(learningRate, weightDecay))), mul(div(learningRate, correction1), div(newM, denominator)));
  return lower({ new_parameters: stepped, new_m: newM, new_v: newV });
}

/**
 * Half of an L2 norm: input `x` [rows, width], output `squares` [rows], the sum of squares of each row. Rows are added up one by one and
 * then together: one sum over millions of squares would be off by 0.1 %.
 */
export function rowSquares(): Program {
  return lower({ squares: sum(square(input('x', [sym('rows'), sym('width')])), [1]) });
}

/** The other half: input `squares` [rows], output `norm`, a scalar. */
export function normOfSquares(): Program {
  return lower({ norm: sqrt(sum(input('squares', [sym('rows')]))) });
}

/** The shape [rows, width] in which `rowSquares` takes n numbers: the largest width up to 4096 that divides n. */
export function normShape(n: number): [number, number] {
  for (let width = Math.min(n, 4096); width > 1; width--) if (n % width === 0) return [n / width, width];
  return [n, 1];
}

/** The factor that limits a gradient's norm to `limit`, as PyTorch's clip_grad_norm_ computes it. */
export const clipScale = (norm: number, limit: number): number => Math.min(1, limit / (norm + 1e-6));

/**
 * A moving average of parameters laid end to end: inputs `average` and `parameters` [n], `rate`, a scalar; output
 * `new_average` = (1 − rate) · average + rate · parameters, safe to bind in place.
 */
export function movingAverage(): Program {
  const n: Dim = sym('n');
  const rate = input('rate', []);
  return lower({ new_average: add(mul(input('average', [n]), sub(1, rate)), mul(input('parameters', [n]), rate)) });
}
