import type { DType } from '../onnx/model.js';
import type { DeviceWeight } from '../onnx/webgpu-weight.js';
import type { HostArray, View } from './arrays.js';
import type { CudaFiles, DeviceKind } from './device.js';

/** What the main thread asks of the engine's worker. Buffers and sessions go by number, views packed (see `packViews`). */
export type Request =
  | { readonly kind: 'start'; readonly device: DeviceKind; readonly cuda?: CudaFiles; readonly threads: number; readonly zeroCopy: boolean }
  | { readonly kind: 'allocate'; readonly buffer: number; readonly dtype: DType; readonly length: number }
  | { readonly kind: 'upload'; readonly buffer: number; readonly dtype: DType; readonly data: HostArray }
  | { readonly kind: 'read'; readonly view: Float64Array }
  | { readonly kind: 'write'; readonly view: Float64Array; readonly data: HostArray }
  | { readonly kind: 'copy'; readonly moves: Float64Array }
  | { readonly kind: 'free'; readonly buffer: number }
  | CompileRequest
  | RunRequest
  | { readonly kind: 'release'; readonly session: number };

export interface Slot {
  readonly name: string;
  readonly dtype: DType;
}

export interface CompileRequest {
  readonly kind: 'compile';
  readonly session: number;
  readonly bytes: Uint8Array;
  readonly inputs: readonly Slot[];
  readonly outputs: readonly Slot[];
  readonly sizes: readonly string[];
  readonly prepack: boolean;
  readonly folder?: string;
  /** Inputs beside `inputs`, which the worker feeds by itself. */
  readonly weights: readonly DeviceWeight[];
}

export interface RunRequest {
  readonly kind: 'run';
  readonly session: number;
  /** Input and output views to keep for this and every later run. */
  readonly bind?: Float64Array;
  readonly bindInto?: Float64Array;
  /** Values of the size vectors and shapes of the outputs; left out while they are as in the run before. */
  readonly plan?: { readonly sizes: readonly (readonly number[])[]; readonly shapes: readonly (readonly number[])[] };
  readonly feeds: Float64Array;
  readonly host: readonly { readonly slot: number; readonly data: HostArray; readonly shape: readonly number[] }[];
  readonly into: Float64Array;
  /** The number of the machine of a team that runs it alone. Left out: as `writes` says. */
  readonly on?: number;
  /** Whether outputs are written into engine memory. */
  readonly writes: boolean;
}

export interface Envelope {
  readonly id: number;
  readonly request: Request;
}

export type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: string; /** Whether it is a `DeviceFailed`. */ readonly ofDevice?: boolean };

/** Which input, output or move a view is for. */
export interface PlacedView {
  readonly slot: number;
  readonly buffer: number;
  readonly offset: number;
  readonly shape: number[];
}

/** A step can have hundreds of views. One flat array of numbers crosses to the worker many times faster than objects. */
export function packViews(views: readonly (readonly [slot: number, view: View])[]): Float64Array {
  const packed = new Float64Array(views.reduce((sum, [, view]) => sum + 4 + view.shape.length, 0));
  let at = 0;
  for (const [slot, view] of views) {
    packed[at++] = slot;
    packed[at++] = view.buffer.id;
    packed[at++] = view.offset;
    packed[at++] = view.shape.length;
    for (const dim of view.shape) packed[at++] = dim;
  }
  return packed;
}

export function unpackViews(packed: Float64Array): PlacedView[] {
  const views: PlacedView[] = [];
  for (let at = 0; at < packed.length; ) {
    const [slot, buffer, offset, rank] = packed.subarray(at, at + 4) as unknown as [number, number, number, number];
    views.push({ slot, buffer, offset, shape: Array.from(packed.subarray(at + 4, at + 4 + rank)) });
    at += 4 + rank;
  }
  return views;
}
