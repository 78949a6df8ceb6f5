import { createRequire } from 'node:module';
import { isMainThread } from 'node:worker_threads';
import type * as Ort from 'onnxruntime-node';
import type { DType } from '../onnx/model.js';
import type { DeviceWeight } from '../onnx/webgpu-weight.js';
import type { HostArray } from './arrays.js';

/* What the engine's thread asks of a device, and what all devices have in common: ONNX Runtime's native binding. */

export type Tensor = Ort.Tensor;

/** Tensors by the names of a model's inputs or outputs. */
export type Named = Readonly<Record<string, Tensor>>;

export interface LoadOptions {
  /** Of the files that initializers and weights lie in. */
  readonly folder?: string;
  readonly prepack: boolean;
  /** Inputs of the model that the back end feeds by itself. */
  readonly weights: readonly DeviceWeight[];
}

/** A model that is ready to run. */
export interface LoadedModel {
  /**
   * Runs the whole model. `outputs` must hold a tensor for every output that is not `kept`; the results are written into their arrays.
   * Returns the outputs that are `kept`, on the device; none are on one without memory of its own.
   */
  run(feeds: Named, outputs: Named, kept: readonly string[]): Named;
  release(): void;
}

/** A device, as far as the engine's thread sees it. */
export interface Backend {
  /** False when outputs are fetched and copied. */
  readonly zeroCopy: boolean;
  tensor(dtype: DType, data: HostArray, shape: readonly number[]): Tensor;
  load(bytes: Uint8Array, options: LoadOptions): LoadedModel;
  /** Of a device with memory of its own: float32 tensors there and back. */
  readonly memory?: { put(tensor: Tensor): Tensor; get(tensor: Tensor): HostArray };
}

/** ONNX Runtime's native session, as its own package uses it. */
export interface NativeSession {
  loadModel(buffer: ArrayBufferLike, offset: number, length: number, options: object): void;
  run(feeds: Named, fetches: Readonly<Record<string, Tensor | null>>, options: object): Record<string, Tensor>;
  dispose(): void;
}

export interface Binding {
  readonly tensor: Backend['tensor'];
  create(bytes: Uint8Array, options: object): NativeSession;
}

/** Errors reach the caller in full; ONNX Runtime need not print them as well. */
export const RUN_OPTIONS = { logSeverityLevel: 4 };

/** The native addon of ONNX Runtime. */
interface Addon {
  readonly InferenceSession: new () => NativeSession;
  initOrtOnce(level: number, tensor: unknown, isMainThread: boolean): void;
}

// Required when they are needed, not imported: the main thread reads files that import this one and must not load the native library.
const require = createRequire(import.meta.url);

/** Loads the ONNX Runtime of the npm package. */
export function openBinding(): Binding {
  const ort = require('onnxruntime-node') as typeof Ort;
  ort.env.logLevel = 'error';
  const { binding, initOrt } = require('onnxruntime-node/dist/binding.js') as { binding: Addon; initOrt: () => void };
  initOrt();
  return bindingOf(binding, ort.Tensor);
}

const ERRORS_ONLY = 3;

/** Starts an ONNX Runtime that was loaded from elsewhere. */
export function openBindingAt(addon: unknown): Binding {
  const common = createRequire(require.resolve('onnxruntime-node'))('onnxruntime-common') as typeof Ort;
  (addon as Addon).initOrtOnce(ERRORS_ONLY, common.Tensor, isMainThread);
  return bindingOf(addon as Addon, common.Tensor);
}

function bindingOf({ InferenceSession }: Addon, tensorClass: typeof Ort.Tensor): Binding {
  return {
    tensor: (dtype, data, shape) => new tensorClass(dtype as Tensor['type'], data as Tensor['data'], [...shape]),
    create(bytes, options) {
      const session = new InferenceSession();
      session.loadModel(bytes.buffer, bytes.byteOffset, bytes.byteLength, options);
      return session;
    },
  };
}

/**
 * Runs as the public API does: the results come back in new arrays, and are copied into those that were given; those that the session keeps
 * on the device are returned.
 */
export function runAndCopy(session: NativeSession, feeds: Named, outputs: Named, kept: readonly string[] = []): Named {
  const fetches = Object.fromEntries([...Object.keys(outputs), ...kept].map((name) => [name, null]));
  const results = session.run(feeds, fetches, RUN_OPTIONS);
  for (const [name, target] of Object.entries(outputs)) {
    const result = results[name]!;
    if (result.dims.join() !== target.dims.join())
      throw new Error(`Output "${name}" has shape [${result.dims.join(', ')}], expected [${target.dims.join(', ')}].`);
    (target.data as Uint8Array).set(result.data as Uint8Array);
  }
  return Object.fromEntries(kept.map((name) => [name, results[name]!]));
}
