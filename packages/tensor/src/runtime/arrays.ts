import type { DType } from '../onnx/model.js';

/** What holds each element type on the host; 16-bit floats travel as their bits, booleans as bytes. */
export type HostArray = Float32Array | Int32Array | BigInt64Array | Uint8Array | Int8Array | Uint16Array;

/** Memory inside the engine. Opaque: read it with `engine.read`. `length` counts elements. */
export interface Buffer {
  readonly id: number;
  readonly dtype: DType;
  readonly length: number;
}

/** A contiguous part of a buffer seen as a tensor. `offset` counts elements. */
export interface View {
  readonly buffer: Buffer;
  readonly offset: number;
  readonly shape: readonly number[];
}

type HostConstructor =
  | Float32ArrayConstructor | Int32ArrayConstructor | BigInt64ArrayConstructor
  | Uint8ArrayConstructor | Int8ArrayConstructor | Uint16ArrayConstructor;

const constructors: Readonly<Record<DType, HostConstructor>> = {
  float32: Float32Array, int32: Int32Array, int64: BigInt64Array, uint8: Uint8Array, bool: Uint8Array, int8: Int8Array,
  float16: Uint16Array, bfloat16: Uint16Array, uint4: Uint8Array, int4: Uint8Array,
};

export const elements = (shape: readonly number[]): number => shape.reduce((product, dim) => product * dim, 1);

/** The whole buffer as a vector, or the part at `offset` (elements, default 0) with `shape` (default: all that follows). */
export function view(buffer: Buffer, shape?: readonly number[], offset = 0): View {
  const dims = shape ?? [buffer.length - offset];
  if (![offset, ...dims].every((n) => Number.isSafeInteger(n) && n >= 0) || offset + elements(dims) > buffer.length) {
    throw new Error(
      `A view of [${dims.join(', ')}] at element ${offset} does not fit a ${buffer.dtype} buffer of ${buffer.length} elements.`,
    );
  }
  return { buffer, offset, shape: dims };
}

/** Zero-filled. */
export const allocateHost = (dtype: DType, length: number): HostArray => new constructors[dtype](length);

/** Whether this array may hold elements of this type. */
export const holds = (data: HostArray, dtype: DType): boolean => data instanceof constructors[dtype];

/** The element type of an array when nothing else is said: `Uint16Array` is taken for float16, `Uint8Array` for uint8. */
export function dtypeOf(data: HostArray): DType {
  for (const dtype of ['float32', 'int32', 'int64', 'uint8', 'int8', 'float16'] as const) if (holds(data, dtype)) return dtype;
  throw new Error(
    `The engine holds no ${Object.prototype.toString.call(data).slice(8, -1)}: give ${hostName('float32')}, ${hostName('int32')}, ` +
    `${hostName('int64')}, Uint8Array, Int8Array or Uint16Array.`,
  );
}

export const hostName = (dtype: DType): string => constructors[dtype].name;

/**
 * A copy that owns its memory, ready to be transferred. Posting the caller's array instead would clone the whole ArrayBuffer
 * under it (a view of a weights file can be small and its buffer huge), and do so twice.
 */
export function ownCopy(data: HostArray, dtype: DType): HostArray {
  const copy = allocateHost(dtype, data.length);
  (copy as Uint8Array).set(data as Uint8Array);
  return copy;
}

export const part = (data: HostArray, offset: number, length: number): HostArray => data.subarray(offset, offset + length);
