import { type Shape, sameDim, showShape } from '../dims.js';
import type { DType } from '../onnx/model.js';
import { type Tensor, call, op1, scalar } from '../tensor.js';
import { sumTo } from './reduce.js';
import { reshape } from './shape.js';

/** A tensor, or a number that stands for a float32 scalar. */
type Operand = Tensor | number;
const lift = (x: Operand): Tensor => (typeof x === 'number' ? scalar(x) : x);
const like = (x: Tensor, dtype: DType = x.dtype) => ({ dtype, shape: x.shape });

/** The shape two operands broadcast to (NumPy's rule). */
export function broadcastShapes(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const p = a[i - rank + a.length] ?? 1;
    const q = b[i - rank + b.length] ?? 1;
    if (sameDim(p, q) || q === 1) return p;
    if (p === 1) return q;
    throw new Error(`Shapes ${showShape(a)} and ${showShape(b)} do not broadcast.`);
  });
}

/**
 * a + b, element by element. Shapes broadcast as NumPy's do; both sides must be of one dtype, which is the result's.
 *
 * @throws Error where the shapes do not broadcast
 */
export function add(a: Operand, b: Operand): Tensor {
  const [x, y] = [lift(a), lift(b)];
  return op1('Add', [x, y], { dtype: x.dtype, shape: broadcastShapes(x.shape, y.shape) }, {
    gradient: ({ inputs: [p, q], dOutputs: [d] }) => [sumTo(d!, p!.shape), sumTo(d!, q!.shape)],
  });
}

/** a − b, as `add`. */
export function sub(a: Operand, b: Operand): Tensor {
  const [x, y] = [lift(a), lift(b)];
  return op1('Sub', [x, y], { dtype: x.dtype, shape: broadcastShapes(x.shape, y.shape) }, {
    gradient: ({ inputs: [p, q], dOutputs: [d] }) => [sumTo(d!, p!.shape), sumTo(neg(d!), q!.shape)],
  });
}

/** a · b, element by element, as `add`; for products of matrices see `matmul`. */
export function mul(a: Operand, b: Operand): Tensor {
  const [x, y] = [lift(a), lift(b)];
  return op1('Mul', [x, y], { dtype: x.dtype, shape: broadcastShapes(x.shape, y.shape) }, {
    gradient: ({ inputs: [p, q], dOutputs: [d] }) => [sumTo(mul(d!, q!), p!.shape), sumTo(mul(d!, p!), q!.shape)],
  });
}

/** a / b, as `add`. Division by 0 gives ±∞ or NaN, as in IEEE 754. */
export function div(a: Operand, b: Operand): Tensor {
  const [x, y] = [lift(a), lift(b)];
  return op1(
    'Div',
    [x, y],
    { dtype: x.dtype, shape: broadcastShapes(x.shape, y.shape) },
    {
      gradient: ({ inputs: [p, q], outputs: [o], dOutputs: [d] }) => [
        sumTo(div(d!, q!), p!.shape),
        sumTo(neg(div(mul(d!, o!), q!)), q!.shape),
      ],
    },
  );
}

/** An operation on each element; `derivative(x, y)` is dy/dx, traced. */
function unary(name: string, x: Tensor, derivative: (x: Tensor, y: Tensor) => Tensor): Tensor {
  return op1(name, [x], like(x), { gradient: ({ inputs: [p], outputs: [y], dOutputs: [d] }) => [mul(d!, derivative(p!, y!))] });
}

/** −x. */
export const neg = (x: Tensor): Tensor => op1('Neg', [x], like(x), { gradient: ({ dOutputs: [d] }) => [neg(d!)] });
/** eˣ. */
export const exp = (x: Tensor): Tensor => unary('Exp', x, (_, y) => y);
/** Natural logarithm. Slow on large tensors (about 10 GB/s); for log-probabilities use `logSoftmax` or `tokenLogProbs`. */
export const log = (x: Tensor): Tensor => op1('Log', [x], like(x), { gradient: ({ inputs: [p], dOutputs: [d] }) => [div(d!, p!)] });
/** √x; NaN below 0, and no finite gradient at 0. */
export const sqrt = (x: Tensor): Tensor => unary('Sqrt', x, (_, y) => div(0.5, y));
/** Hyperbolic tangent. */
export const tanh = (x: Tensor): Tensor => unary('Tanh', x, (_, y) => sub(1, mul(y, y)));
/** σ(x) = 1 / (1 + e⁻ˣ). */
export const sigmoid = (x: Tensor): Tensor => unary('Sigmoid', x, (_, y) => mul(y, sub(1, y)));
/** log(1 + eˣ), stable for large |x|. */
export const softplus = (x: Tensor): Tensor => unary('Softplus', x, (p) => sigmoid(p));
/** log σ(x) = −softplus(−x). */
export const logSigmoid = (x: Tensor): Tensor => neg(softplus(neg(x)));
/** max(x, 0); its derivative at 0 is 0. */
export const relu = (x: Tensor): Tensor => unary('Relu', x, (p) => toFloat(greater(p, 0)));
/** |x|; its derivative at 0 is 0. */
export const abs = (x: Tensor): Tensor => unary('Abs', x, (p) => op1('Sign', [p], like(p)));
/** x². */
export const square = (x: Tensor): Tensor => mul(x, x);

/** x·σ(x), as one fast kernel; its derivative is σ(x)·(1 + x·(1 − σ(x))). */
export function silu(x: Tensor): Tensor {
  return op1('QuickGelu', [x], like(x), {
    domain: 'com.microsoft',
    attributes: { alpha: { float: 1 } },
    gradient: ({ inputs: [p], outputs: [y], dOutputs: [d] }) => {
      const s = sigmoid(p!);
      return [mul(d!, add(s, mul(y!, sub(1, s))))];
    },
  });
}

/**
 * GELU, tanh approximation: y = x/2·(1 + t) with t = tanh(c·x·(1 + k·x²)), c = √(2/π), k = 0.044715, as one fast kernel. Its
 * derivative is (1 + t)/2 + x/2·(1 − t²)·c·(1 + 3k·x²).
 */
export function geluTanh(x: Tensor): Tensor {
  // The kernel does not take a single number.
  if (x.shape.length === 0) return reshape(geluTanh(reshape(x, [1])), []);
  const [c, k] = [Math.sqrt(2 / Math.PI), 0.044715];
  return op1('FastGelu', [x], like(x), {
    domain: 'com.microsoft',
    gradient: ({ inputs: [p], dOutputs: [d] }) => {
      const squared = square(p!);
      const t = tanh(mul(mul(p!, c), add(1, mul(squared, k))));
      const inner = mul(sub(1, square(t)), mul(mul(p!, c), add(1, mul(squared, 3 * k))));
      return [mul(d!, mul(0.5, add(add(1, t), inner)))];
    },
  });
}

/** x limited to [low, high]; no gradient flows where it is limited. */
export function clamp(x: Tensor, low: number, high: number): Tensor {
  return op1('Clip', [x, scalar(low), scalar(high)], like(x), {
    gradient: ({ inputs: [p], dOutputs: [d] }) => [mul(d!, mul(toFloat(atLeast(p!, low)), sub(1, toFloat(greater(p!, high)))))],
  });
}

/**
 * log(1 − eˣ) for x < 0: the log-probability of "not this token". Uses 1 − eˣ = −2t/(1 − t) with t = tanh(x/2), which keeps
 * its relative precision as x → 0, where 1 − exp(x) cancels. x is limited to ≤ −`gap` so that p = 1 gives a finite value.
 */
export function log1mexp(x: Tensor, gap = 1e-6): Tensor {
  return call(
    [x],
    (p) => {
      const t = tanh(mul(clamp(p, -Infinity, -gap), 0.5));
      return [log(div(mul(t, -2), sub(1, t)))];
    },
    ({ inputs: [p], outputs: [y], dOutputs: [d] }) => [neg(mul(d!, exp(sub(clamp(p!, -Infinity, -gap), y!))))],
  )[0]!;
}

/** Comparisons give bool tensors, through which no gradient flows. */
export const greater = (a: Operand, b: Operand): Tensor => compare('Greater', a, b);
export const atLeast = (a: Operand, b: Operand): Tensor => compare('GreaterOrEqual', a, b);

function compare(name: string, a: Operand, b: Operand): Tensor {
  const [x, y] = [lift(a), lift(b)];
  return op1(name, [x, y], { dtype: 'bool', shape: broadcastShapes(x.shape, y.shape) });
}

const TYPE_CODES: Partial<Record<DType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  bfloat16: 16,
};

/** Converts element types. Gradients flow between float types only. */
export function cast(x: Tensor, dtype: DType): Tensor {
  if (x.dtype === dtype) return x;
  const differentiable = [x.dtype, dtype].every((t) => t.includes('float'));
  return op1('Cast', [x], like(x, dtype), {
    attributes: { to: { int: TYPE_CODES[dtype]! } },
    ...(differentiable ? { gradient: ({ inputs: [p], dOutputs: [d] }) => [cast(d!, p!.dtype)] } : {}),
  });
}

/** `cast` to float32: 1 and 0 of a comparison. */
export const toFloat = (x: Tensor): Tensor => cast(x, 'float32');

/** condition ? a : b, for a bool condition. Written as arithmetic it would turn ∞·0 into NaN; this selects. */
export function where(condition: Tensor, a: Operand, b: Operand): Tensor {
  const [x, y] = [lift(a), lift(b)];
  const shape = broadcastShapes(condition.shape, broadcastShapes(x.shape, y.shape));
  return op1('Where', [condition, x, y], { dtype: x.dtype, shape }, {
    gradient: ({ inputs: [c, p, q], dOutputs: [d] }) => [undefined, sumTo(where(c!, d!, 0), p!.shape), sumTo(where(c!, 0, d!), q!.shape)],
  });
}

/** Element-wise smaller / larger of two, by selection: where equal the gradient goes to the first. */
export const minimum = (a: Tensor, b: Tensor): Tensor => where(greater(a, b), b, a);
export const maximum = (a: Tensor, b: Tensor): Tensor => where(greater(b, a), b, a);

