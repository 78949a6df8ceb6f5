import { type Dim, type Shape, sameShape, showShape } from './dims.js';
import type { Attribute, DType, OnnxInitializer } from './onnx/model.js';

/** The type and shape of a value, known while tracing; a dimension may be symbolic. */
export interface ValueType {
  readonly dtype: DType;
  readonly shape: Shape;
}

/**
 * Derivatives of the inputs, given derivatives of the outputs. `inputs` and `outputs` are the values to use: where a
 * value is not kept for the backward pass they are recomputed copies, so a rule must never close over the originals.
 * `dOutputs[i]` is undefined where nothing depends on output i; the result may be undefined where no gradient flows.
 */
export type GradientRule = (context: {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly dOutputs: readonly (Tensor | undefined)[];
}) => readonly (Tensor | undefined)[];

/** Where a value comes from. */
export type Origin =
  | { readonly kind: 'input'; readonly name: string }
  | { readonly kind: 'constant'; readonly data: OnnxInitializer['data'] }
  | { readonly kind: 'sizes'; readonly values: readonly Dim[] }
  | {
      readonly kind: 'op';
      readonly op: string;
      readonly domain: '' | 'com.microsoft';
      readonly attributes: Readonly<Record<string, Attribute>>;
    }
  | { readonly kind: 'call'; readonly forward: (...inputs: Tensor[]) => readonly Tensor[]; readonly values: readonly Tensor[] };

/** One step of a trace: an ONNX operation, a function with a gradient of its own, or a leaf. */
export interface Node {
  readonly id: number;
  readonly origin: Origin;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly gradient: GradientRule | undefined;
  /** Not kept for the backward pass: computed again where a gradient rule asks for it. */
  recompute: boolean;
}

/** A value in a trace. It holds no numbers: those exist when an engine runs the program made from the trace. */
export interface Tensor extends ValueType {
  readonly node: Node;
  readonly index: number;
}

let nextId = 0;
let recomputing = false;

function makeNode(origin: Origin, inputs: readonly Tensor[], outputs: readonly ValueType[], gradient?: GradientRule): Node {
  const made: Tensor[] = [];
  const node: Node = { id: nextId++, origin, inputs, outputs: made, gradient, recompute: recomputing };
  outputs.forEach((type, index) => made.push({ dtype: type.dtype, shape: type.shape, node, index }));
  return node;
}

const first = (node: Node): Tensor => node.outputs[0]!;

/** A value fed at every run. */
export function input(name: string, shape: Shape, dtype: DType = 'float32'): Tensor {
  return first(makeNode({ kind: 'input', name }, [], [{ dtype, shape }]));
}

/** A value written into the program: numbers, row-major. A Float32Array is taken as it is, not copied. */
export function constant(
  values: readonly number[] | Float32Array,
  shape: readonly number[] = [values.length],
  dtype: 'float32' | 'int32' | 'int64' = 'float32',
): Tensor {
  const expected = shape.reduce((a, b) => a * b, 1);
  if (expected !== values.length)
    throw new Error(`A constant of shape ${showShape(shape)} needs ${expected} values, not ${values.length}.`);
  const typed = {
    float32: () => (values instanceof Float32Array ? values : Float32Array.from(values)),
    int32: () => Int32Array.from(values),
    int64: () => BigInt64Array.from([...values], BigInt),
  }[dtype]();
  const data = new Uint8Array(typed.buffer, typed.byteOffset, typed.byteLength);
  return first(makeNode({ kind: 'constant', data }, [], [{ dtype, shape }]));
}

/** A float32 constant of shape []. */
export const scalar = (value: number): Tensor => constant([value], []);

/**
 * A frozen value that the runtime maps from a file (`data.file` is relative to the program's folder): never copied, shared by every
 * session.
 */
export function mapped(
  dtype: DType,
  shape: readonly number[],
  data: { readonly file: string; readonly offset: number; readonly length: number },
): Tensor {
  return first(makeNode({ kind: 'constant', data }, [], [{ dtype, shape }]));
}

/** An int64 vector of dimensions, computed by the runtime from the shapes it is fed. */
export function sizes(values: readonly Dim[]): Tensor {
  return first(makeNode({ kind: 'sizes', values }, [], [{ dtype: 'int64', shape: [values.length] }]));
}

/** One ONNX operation. Without a gradient rule nothing flows back through it. */
export function op(
  name: string,
  inputs: readonly Tensor[],
  outputs: readonly ValueType[],
  options: {
    readonly attributes?: Readonly<Record<string, Attribute>>;
    readonly domain?: '' | 'com.microsoft';
    readonly gradient?: GradientRule;
  } = {},
): readonly Tensor[] {
  return makeNode(
    { kind: 'op', op: name, domain: options.domain ?? '', attributes: options.attributes ?? {} },
    inputs,
    outputs,
    options.gradient,
  ).outputs;
}

/** `op` with one output: its value. */
export function op1(name: string, inputs: readonly Tensor[], output: ValueType, options: Parameters<typeof op>[3] = {}): Tensor {
  return op(name, inputs, [output], options)[0]!;
}

/** A function with a gradient rule of its own: `forward` is traced, but differentiated only through `gradient`. */
export function call(
  inputs: readonly Tensor[],
  forward: (...inputs: Tensor[]) => readonly Tensor[],
  gradient: GradientRule,
): readonly Tensor[] {
  const values = forward(...inputs);
  return makeNode({ kind: 'call', forward, values }, inputs, values, gradient).outputs;
}

/** The same value, through which no gradient flows. */
export function detach(x: Tensor): Tensor {
  return call([x], (y) => [y], () => [undefined])[0]!;
}

/** Marks values as not kept for the backward pass: they are computed again from what is kept. Returns its argument. */
export function recompute(x: Tensor): Tensor {
  x.node.recompute = true;
  return x;
}

/** Traces `body` so that only its inputs and results are kept for the backward pass (activation checkpointing). */
export function checkpoint(body: () => Tensor): Tensor {
  const before = recomputing;
  recomputing = true;
  try {
    const result = body();
    result.node.recompute = before;
    return result;
  } finally {
    recomputing = before;
  }
}

/** Runs `body` with checkpointing off: what it traces is kept. Gradient rules run under it. */
export function keeping<T>(body: () => T): T {
  const before = recomputing;
  recomputing = false;
  try {
    return body();
  } finally {
    recomputing = before;
  }
}

/** The same operation on other inputs, for recomputation in the backward pass. */
export function retrace(node: Node, inputs: readonly Tensor[]): Node {
  if (node.origin.kind === 'call') {
    const values = node.origin.forward(...inputs);
    return makeNode({ ...node.origin, values }, inputs, values, node.gradient);
  }
  return makeNode(node.origin, inputs, node.outputs, node.gradient);
}

export function requireShape(what: string, x: Tensor, shape: Shape): void {
  if (!sameShape(x.shape, shape)) throw new Error(`${what} has shape ${showShape(x.shape)}, expected ${showShape(shape)}.`);
}
