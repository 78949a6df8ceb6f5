import { type Dim, type Shape, showShape } from '../dims.js';
import type { Program } from '../program.js';
import { onnxType } from './encode.js';
import type { DType, OnnxInitializer, OnnxNode } from './model.js';
import type { DeviceWeight, TablePart } from './webgpu-weight.js';

/** A model in the making. */
export interface Draft {
  readonly nodes: OnnxNode[];
  readonly initializers: OnnxInitializer[];
  readonly weights: DeviceWeight[];
  /** Those of the program, and more. */
  readonly sizes: Program['sizes'][number][];
  /** Values that are 16-bit floats in the program and float32 on the device. */
  readonly widened: Set<string>;
  /** Values that another one stands for: a widening of what is float32 already. */
  readonly same: Map<string, string>;
  /** Tables that are on the device in parts. */
  readonly tables: Map<string, readonly TablePart[]>;
  /** Matrices with a row more. */
  readonly padded: Map<string, string>;
  readonly outputs: ReadonlySet<string>;
  dtypeOf(name: string): DType | undefined;
  shapeOf(name: string): Shape;
  /** Adds an operation of one output; the output's name, which is made up by default. */
  emit(op: string, inputs: readonly string[], attributes?: OnnxNode['attributes'], name?: string): string;
  /** The name of a constant: float32 [], or int64 [n]. */
  number(value: number): string;
  vector(...values: number[]): string;
  /** The name of an int64 vector of dimensions, which the runtime computes where they are not known. */
  size(dims: readonly Dim[]): string;
  /** A value that several nodes need, made once for each key. */
  once(key: string, make: () => string): string;
}

export function draftOf({ model, inputs, values, sizes: given }: Program): Draft {
  const known = new Map<string, { readonly dtype: DType; readonly shape: Shape }>(values);
  for (const one of [...inputs, ...model.initializers]) known.set(one.name, one);
  for (const { name, values: { length } } of given) known.set(name, { dtype: 'int64', shape: [length] });
  const sizes = [...given];
  const made = new Map<string, string>();
  const types = new Map<string, DType>();
  const nodes: OnnxNode[] = [];
  const initializers: OnnxInitializer[] = [];
  const constant = (dtype: 'float32' | 'int64', shape: readonly number[], array: Float32Array | BigInt64Array): string => {
    const name = `:w_${dtype}_${array.join('_')}`;
    if (!known.has(name)) initializers.push({ name, dtype, shape, data: new Uint8Array(array.buffer) });
    known.set(name, { dtype, shape });
    return name;
  };
  const vector = (...values: number[]): string => constant('int64', [values.length], BigInt64Array.from(values, BigInt));
  return {
    nodes, initializers, sizes, weights: [], widened: new Set(), same: new Map(), tables: new Map(), padded: new Map(),
    outputs: new Set(model.outputs.map(({ name }) => name)),
    dtypeOf: (name) => known.get(name)?.dtype ?? types.get(name),
    shapeOf(name) {
      const value = known.get(name);
      if (value === undefined) throw new Error(`The shape of "${name}" is not known: for WebGPU a program says it in \`values\`.`);
      return value.shape;
    },
    emit(op, from, attributes = {}, name = `:w${nodes.length}`) {
      nodes.push({ name: `${op}_${name}`, op, domain: '', inputs: from, outputs: [name], attributes });
      types.set(name, typeOf(op, attributes));
      return name;
    },
    number: (value) => constant('float32', [], Float32Array.of(value)),
    vector,
    size(dims) {
      if (dims.every((dim) => typeof dim === 'number')) return vector(...dims);
      const name = `:w_size${showShape(dims)}`;
      if (!known.has(name)) sizes.push({ name, values: dims });
      known.set(name, { dtype: 'int64', shape: [dims.length] });
      return name;
    },
    once(key, make) {
      const name = made.get(key) ?? make();
      made.set(key, name);
      return name;
    },
  };
}

/** The type that an operation of ours gives. */
function typeOf(op: string, { to }: OnnxNode['attributes']): DType {
  if (/^(Equal|Greater|Less)/.test(op)) return 'bool';
  const code = to !== undefined && 'int' in to ? to.int : onnxType.float32;
  return (Object.keys(onnxType) as DType[]).find((type) => onnxType[type] === code)!;
}
