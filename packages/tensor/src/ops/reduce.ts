import { type Dim, type Shape, numel, sameDim, sameShape, showShape } from '../dims.js';
import { type Tensor, constant, op1 } from '../tensor.js';
import { div, mul, sub } from './elementwise.js';
import { expandTo, reshape } from './shape.js';

const normalise = (axes: readonly number[], rank: number): number[] => axes.map((a) => (a < 0 ? a + rank : a)).sort((a, b) => a - b);

function reducedShape(shape: Shape, axes: readonly number[], keep: boolean): Shape {
  const reduced = keep ? [1] : [];
  return shape.flatMap((d, i): Dim[] => (axes.includes(i) ? reduced : [d]));
}

/** Sum over `axes` (all of them by default). */
export function sum(x: Tensor, axes: readonly number[] = x.shape.map((_, i) => i), keep = false): Tensor {
  if (axes.length === 0) return x;
  const over = normalise(axes, x.shape.length);
  const kept = reducedShape(x.shape, over, true);
  return op1('ReduceSum', [x, constant(over, [over.length], 'int64')], { dtype: x.dtype, shape: reducedShape(x.shape, over, keep) }, {
    attributes: { keepdims: { int: keep ? 1 : 0 } },
    gradient: ({ inputs: [p], dOutputs: [d] }) => [expandTo(reshape(d!, kept), p!.shape)],
  });
}

/** Mean over axes of known size. */
export function mean(x: Tensor, axes: readonly number[], keep = false): Tensor {
  const count = numel(normalise(axes, x.shape.length).map((a) => x.shape[a]!));
  if (typeof count !== 'number') throw new Error(`mean over axes of unknown size ${count}: divide a sum by a fed count.`);
  return div(sum(x, axes, keep), count);
}

/** Largest value along an axis; no gradient. */
export function max(x: Tensor, axis: number, keep = false): Tensor {
  const over = normalise([axis], x.shape.length);
  return op1('ReduceMax', [x, constant(over, [1], 'int64')], { dtype: x.dtype, shape: reducedShape(x.shape, over, keep) }, {
    attributes: { keepdims: { int: keep ? 1 : 0 } },
  });
}

/** Sums away what broadcasting added: the gradient of an expansion to `x.shape` from `shape`. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const extra = x.shape.length - shape.length;
  const axes = x.shape.flatMap((d, i) => (i < extra || (shape[i - extra] === 1 && !sameDim(d, 1)) ? [i] : []));
  if (extra < 0) throw new Error(`${showShape(x.shape)} cannot be summed to ${showShape(shape)}.`);
  return reshape(sum(x, axes, true), shape);
}

/** Softmax over the last axis. dX = Y·(dY − Σ dY·Y). */
export function softmax(x: Tensor): Tensor {
  return op1('Softmax', [x], { dtype: x.dtype, shape: x.shape }, {
    attributes: { axis: { int: -1 } },
    gradient: ({ outputs: [y], dOutputs: [d] }) => [mul(y!, sub(d!, sum(mul(d!, y!), [-1], true)))],
  });
}

/** Log-softmax over the last axis. dX = dY − softmax(X)·Σ dY. */
export function logSoftmax(x: Tensor): Tensor {
  return op1('LogSoftmax', [x], { dtype: x.dtype, shape: x.shape }, {
    attributes: { axis: { int: -1 } },
    gradient: ({ inputs: [p], dOutputs: [d] }) => [sub(d!, mul(softmax(p!), sum(d!, [-1], true)))],
  });
}
