import { type Dim, type Shape, numel, plus, sameDim, sameShape, showShape } from '../dims.js';
import { type Tensor, constant, op, op1, sizes } from '../tensor.js';
import { sum, sumTo } from './reduce.js';

const vector = (values: readonly Dim[]): Tensor =>
  values.every((v) => typeof v === 'number') ? constant(values, [values.length], 'int64') : sizes(values);

/** The same elements in another shape; sizes must agree as polynomials, so a wrong reshape fails while tracing. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  if (!sameDim(numel(x.shape), numel(shape)))
    throw new Error(`Cannot reshape ${showShape(x.shape)} to ${showShape(shape)}: the sizes differ.`);
  return op1('Reshape', [x, vector(shape)], { dtype: x.dtype, shape }, {
    gradient: ({ inputs: [p], dOutputs: [d] }) => [reshape(d!, p!.shape)],
  });
}

/** Repeats along dimensions of size 1 (and new leading ones). */
export function expandTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  return op1('Expand', [x, vector(shape)], { dtype: x.dtype, shape }, {
    gradient: ({ inputs: [p], dOutputs: [d] }) => [sumTo(d!, p!.shape)],
  });
}

/** Axes in another order: axis i of the result is axis `order[i]` of x. A pass over memory; `matmul` transposes by a flag, without one. */
export function transpose(x: Tensor, order: readonly number[]): Tensor {
  const back = order.map((_, i) => order.indexOf(i));
  return op1('Transpose', [x], { dtype: x.dtype, shape: order.map((i) => x.shape[i]!) }, {
    attributes: { perm: { ints: order } },
    gradient: ({ dOutputs: [d] }) => [transpose(d!, back)],
  });
}

/** Parts of the given sizes along an axis. The gradient joins the parts' gradients. */
export function split(x: Tensor, axis: number, parts: readonly Dim[]): readonly Tensor[] {
  if (!sameDim(plus(...parts), x.shape[axis]!))
    throw new Error(`Parts ${showShape(parts)} do not add up to axis ${axis} of ${showShape(x.shape)}.`);
  if (parts.length === 1) return [x];
  const shapes = parts.map((part) => x.shape.map((d, i) => (i === axis ? part : d)));
  return op('Split', [x, vector(parts)], shapes.map((shape) => ({ dtype: x.dtype, shape })), {
    attributes: { axis: { int: axis } },
    gradient: ({ dOutputs }) => [concat(dOutputs.map((d, i) => d ?? zeros(shapes[i]!)), axis)],
  });
}

/** Parts one after the other along an axis; along the others their sizes must agree. The gradient is split again. */
export function concat(parts: readonly Tensor[], axis: number): Tensor {
  if (parts.length === 1) return parts[0]!;
  const along = parts.map((p) => p.shape[axis]!);
  const shape = parts[0]!.shape.map((d, i) => (i === axis ? plus(...along) : d));
  return op1('Concat', parts, { dtype: parts[0]!.dtype, shape }, {
    attributes: { axis: { int: axis } },
    gradient: ({ dOutputs: [d] }) => split(d!, axis, along),
  });
}

/** Zeros of a shape that may be symbolic. */
export function zeros(shape: Shape): Tensor {
  return expandTo(constant([0], shape.map(() => 1)), shape);
}

/**
 * Rows of `x` [n, …] picked by `index` (int32, any shape S) → [S, …]. The inverse of the pick makes the gradient a pick as
 * well: `inverse` (int32) says for each row of x in which slot of S it went: [n] where each row went exactly `once`, [n] with
 * the slot count standing for "nowhere" where it went `atMostOnce`, and [n, m], padded likewise, where it went `often`. A
 * scatter is never used: ScatterND-add races where indices repeat.
 */
export function takeRows(
  x: Tensor,
  index: Tensor,
  inverse?: { readonly index: Tensor; readonly went: 'once' | 'atMostOnce' | 'often' },
): Tensor {
  const row = x.shape.slice(1);
  const shape = [...index.shape, ...row];
  return op1(
    'Gather',
    [x, index],
    { dtype: x.dtype, shape },
    {
      attributes: { axis: { int: 0 } },
      ...(inverse === undefined
        ? {}
        : {
            gradient: ({ dOutputs: [d] }) => {
              const slots = reshape(d!, [numel(index.shape), ...row]);
              if (inverse.went === 'once') return [takeRows(slots, inverse.index)];
              const taken = takeRows(concat([slots, zeros([1, ...row])], 0), inverse.index);
              return [inverse.went === 'often' ? sum(taken, [1]) : taken];
            },
          }),
    },
  );
}

/**
 * Rows of a trainable table [V, H] by id (int32 [n]). Its gradient adds rows that share an id, by ScatterElements, which is
 * correct with repeated ids on several threads (ScatterND with reduction=add is not).
 */
export function embedding(table: Tensor, ids: Tensor): Tensor {
  const width = table.shape[1]!;
  return op1('Gather', [table, ids], { dtype: table.dtype, shape: [...ids.shape, width] }, {
    attributes: { axis: { int: 0 } },
    gradient: ({ inputs: [t, i], dOutputs: [d] }) => {
      const rows = numel(i!.shape);
      const wide = expandTo(reshape(i!, [rows, 1]), [rows, width]);
      return [op1('ScatterElements', [zeros(t!.shape), wide, reshape(d!, [rows, width])], { dtype: t!.dtype, shape: t!.shape }, {
        attributes: { axis: { int: 0 }, reduction: { string: 'add' } },
      })];
    },
  });
}

/** The numbers along the last axis in ascending order; of equal ones the earlier comes first. The gradient goes back the way each came. */
export function sort(x: Tensor): Tensor {
  if (x.shape.length === 1) return ascending(x).sorted;
  const n = x.shape.at(-1);
  if (n === undefined) throw new Error('A scalar has no axis to sort along.');
  const rows = numel(x.shape.slice(0, -1));
  // ONNX Runtime's TopK divides by the number of rows, which ends the process (SIGFPE) where there are none: one row more.
  const { sorted } = ascending(concat([reshape(x, [rows, n]), zeros([1, n])], 0));
  return reshape(split(sorted, 0, [rows, 1])[0]!, x.shape);
}

function ascending(x: Tensor): { readonly sorted: Tensor; readonly order: Tensor } {
  const axis = x.shape.length - 1;
  const [sorted, order] = op(
    'TopK',
    [x, vector([x.shape[axis]!])],
    [
      { dtype: x.dtype, shape: x.shape },
      { dtype: 'int64', shape: x.shape },
    ],
    {
      attributes: { axis: { int: axis }, largest: { int: 0 }, sorted: { int: 1 } },
      gradient: ({ outputs: [, places], dOutputs: [d] }) => [pick(d!, ascending(places!).order)], // sorting a permutation gives its inverse
    },
  ) as [Tensor, Tensor];
  return { sorted, order };
}

/** Along the last axis, the numbers at `places`; no gradient. */
const pick = (x: Tensor, places: Tensor): Tensor =>
  op1('GatherElements', [x, places], { dtype: x.dtype, shape: places.shape }, { attributes: { axis: { int: x.shape.length - 1 } } });
