import { type Dim, sym } from './dims.js';
import { lower } from './lower.js';
import { add, div, minimum, mul, sqrt, square, sub } from './ops/elementwise.js';
import { sum } from './ops/reduce.js';
import { reshape } from './ops/shape.js';
import type { Program } from './program.js';
import { input, scalar } from './tensor.js';

export interface AdamWOptions {
  /** Decay rates of the two moments, default [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Default 1e-8, added to √v̂ as in PyTorch. */
  readonly epsilon?: number;
  /** Decoupled decay, default 0. */
  readonly weightDecay?: number;
  /** Largest global gradient norm, or undefined for none. */
  readonly clip?: number;
}

/**
 * One AdamW step (Loshchilov & Hutter 2019) over all parameters laid end to end: inputs `parameters`, `gradients`, `m`, `v` [n],
 * `learningRate`, `correction1` = 1 − β₁ᵗ and `correction2` = 1 − β₂ᵗ (scalars); outputs the same three names with `new_`, safe
 * to bind in place, and `norm`, the gradients' L2 norm before clipping. One flat array makes this a dozen kernels, not thousands.
 */
export function adamw({ betas: [beta1, beta2] = [0.9, 0.999], epsilon = 1e-8, weightDecay = 0, clip }: AdamWOptions = {}): Program {
  const n: Dim = sym('n');
  const parameters = input('parameters', [n]);
  const raw = input('gradients', [n]);
  const m = input('m', [n]);
  const v = input('v', [n]);
  const learningRate = input('learningRate', []);
  const correction1 = input('correction1', []);
  const correction2 = input('correction2', []);

  const norm = sqrt(sum(square(raw)));
  // PyTorch's clip_grad_norm_ divides by norm + 1e-6.
  const gradients = clip === undefined ? raw : mul(raw, minimum(scalar(1), div(clip, add(norm, 1e-6))));
  const newM = add(mul(m, beta1), mul(gradients, 1 - beta1));
  const newV = add(mul(v, beta2), mul(square(gradients), 1 - beta2));
  const denominator = add(div(sqrt(newV), sqrt(correction2)), epsilon);
  const stepped = sub(mul(parameters, sub(1, mul(learningRate, weightDecay))), mul(div(learningRate, correction1), div(newM, denominator)));
  return lower({ new_parameters: stepped, new_m: newM, new_v: newV, norm: reshape(norm, [1]) });
}
