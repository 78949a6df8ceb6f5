import { type Dim, type Shape, numel, sameDim, sameShape, showShape } from '../dims.js';
import { type Tensor, call, op1 } from '../tensor.js';
import { add, cast } from './elementwise.js';
import { sumTo } from './reduce.js';
import { expandTo, reshape } from './shape.js';

/** Of `matmul`: whether a factor's last two axes are swapped, and what the product is multiplied by. Default: neither, and 1. */
export interface Flags { readonly transA?: boolean; readonly transB?: boolean; readonly alpha?: number }

/**
 * alpha · op(A)·op(B) over the last two axes, batched over the others (which must agree, or be absent from B).
 * Transposition is a flag of the kernel: a Transpose before it would cost a pass over memory.
 *
 * @throws Error where the shapes do not fit
 */
export function matmul(a: Tensor, b: Tensor, { transA = false, transB = false, alpha = 1 }: Flags = {}): Tensor {
  const [m, k] = ends(a.shape, transA);
  const [k2, n] = ends(b.shape, transB);
  const batch = a.shape.slice(0, -2);
  const batchB = b.shape.slice(0, -2);
  if (!sameDim(k, k2) || (batchB.length > 0 && !sameShape(batch, batchB))) {
    throw new Error(`Cannot multiply ${showShape(a.shape)}${transA ? 'ᵀ' : ''} by ${showShape(b.shape)}${transB ? 'ᵀ' : ''}.`);
  }
  const shape = [...batch, m, n];
  return op1('FusedMatMul', [a, b], { dtype: a.dtype, shape }, {
    domain: 'com.microsoft',
    attributes: { transA: { int: Number(transA) }, transB: { int: Number(transB) }, alpha: { float: alpha } },
    gradient: ({ inputs: [p, q], dOutputs: [d] }) => {
      // As the left factor, a B without batch axes needs them.
      const dA = transA
        ? matmul(expandTo(q!, [...batch, ...q!.shape.slice(-2)]), d!, { transA: transB, transB: true, alpha })
        : matmul(d!, q!, { transB: !transB, alpha });
      const dB = transB ? matmul(d!, p!, { transA: true, transB: transA, alpha }) : matmul(p!, d!, { transA: !transA, alpha });
      return [dA, sumTo(dB, q!.shape)];
    },
  });
}

const ends = (shape: Shape, trans: boolean): [Dim, Dim] => {
  const [r, c] = [shape.at(-2)!, shape.at(-1)!];
  return trans ? [c, r] : [r, c];
};

/** A frozen weight ready for a product: stored f16 and bf16 are widened at each use, so the f32 copy is short-lived. */
const widened = (w: Tensor): Tensor => cast(w, 'float32');

/** y = x·Wᵀ for x [n, in] and a weight in the stored layout [out, in]; W may be f16 or bf16. No gradient reaches a frozen W. */
export function linear(x: Tensor, weight: Tensor): Tensor {
  return call(
    [x, weight],
    (p, w) => [matmul(p, widened(w), { transB: true })],
    ({ inputs: [, w], dOutputs: [d] }) => [matmul(d!, widened(w!)), undefined],
  )[0]!;
}

/** y = x·Wᵀ with a trainable f32 W [out, in]. */
export function trainableLinear(x: Tensor, weight: Tensor): Tensor {
  return matmul(x, weight, { transB: true });
}

/** W + s·B·A [out, in] for LoRA factors A [r, in], B [out, r]; W may be f16 or bf16. */
export function mergedWeight(weight: Tensor, a: Tensor, b: Tensor, s: number): Tensor {
  return op1(
    'Gemm',
    [b, a, widened(weight)],
    { dtype: 'float32', shape: weight.shape },
    { attributes: { alpha: { float: s }, beta: { float: 1 } } },
  );
}

/**
 * LoRA: y = x·(W + s·B·A)ᵀ with frozen W [out, in] and trainable A [r, in], B [out, r] (Hu et al. 2021). The factors are merged
 * into a short-lived weight, once forward and once backward: that is cheaper than a thin product beside the wide one. With
 * G = dY: dX = G·W_eff, dB = s·Gᵀ(xAᵀ), dA = s·(GB)ᵀx.
 */
export function loraLinear(x: Tensor, weight: Tensor, a: Tensor, b: Tensor, s: number): Tensor {
  return call(
    [x, weight, a, b],
    (p, w, f, g) => [matmul(p, mergedWeight(w, f, g, s), { transB: true })],
    ({ inputs: [p, w, f, g], dOutputs: [d] }) => [
      matmul(d!, mergedWeight(w!, f!, g!, s)),
      undefined,
      matmul(matmul(d!, g!), p!, { transA: true, alpha: s }),
      matmul(d!, matmul(p!, f!, { transB: true }), { transA: true, alpha: s }),
    ],
  )[0]!;
}

/** LoRA beside the frozen product, for a dropped-out input: y = x·Wᵀ + s·(dropped·Aᵀ)·Bᵀ. */
export function loraBeside(x: Tensor, dropped: Tensor, weight: Tensor, a: Tensor, b: Tensor, s: number): Tensor {
  return add(linear(x, weight), matmul(matmul(dropped, a, { transB: true }), b, { transB: true, alpha: s }));
}

/** Rows [n, d] seen as [n, heads, d/heads] head rows [n·heads, d/heads]. */
export function headRows(x: Tensor, heads: number): Tensor {
  const [n, d] = x.shape as [Dim, number];
  return reshape(x, [numel([n, heads]), d / heads]);
}
