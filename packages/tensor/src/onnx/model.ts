/** An ONNX model as plain data: what the trace lowers to and what the encoder writes. */

/** Two `uint4` or `int4` are in a byte, the first in its low half: for weights alone, no input or output has them. */
export type DType = 'float32' | 'float16' | 'bfloat16' | 'int64' | 'int32' | 'int8' | 'uint8' | 'int4' | 'uint4' | 'bool';

export type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly ints: readonly number[] }
  | { readonly floats: readonly number[] }
  | { readonly string: string };

export interface OnnxNode {
  readonly name: string;
  readonly op: string;
  /** '' is the standard operator set, 'com.microsoft' the contributed one. */
  readonly domain: '' | 'com.microsoft';
  /** An empty name leaves an optional input out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/**
 * A graph input or output. Where a shape is given, a string is a symbolic dimension. `lower` gives none: our runtime checks shapes
 * itself, and with them ONNX Runtime's planner looks through all freed buffers for one of equal shape for every value, which makes
 * the creation of a training session grow with the square of its size (20 s where 1 s does).
 */
export interface OnnxValue {
  readonly name: string;
  readonly dtype: DType;
  readonly shape?: readonly (number | string)[];
}

export interface OnnxInitializer {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Raw little-endian bytes, or a range of a file that the runtime maps; `file` is relative to the program's folder. */
  readonly data: Uint8Array | { readonly file: string; readonly offset: number; readonly length: number };
}

export interface OnnxModel {
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly initializers: readonly OnnxInitializer[];
}
