import { encodeModel } from '../onnx/encode.js';
import type { OnnxModel } from '../onnx/model.js';
import type { DeviceWeight } from '../onnx/webgpu-weight.js';
import type { HostArray } from './arrays.js';
import type { Backend, Named, NativeSession, Tensor } from './backend.js';
import { RUN_OPTIONS, openBinding, runAndCopy } from './backend.js';
import { onDevice } from './on-device.js';
import { readWeight } from './read-weight.js';

/*
 * All that is special to ONNX Runtime's WebGPU back end under Node. Weights lie on the device, once for all models that read them; so do
 * large parts of buffers between runs (device-views.ts). What else a run reads and writes crosses over to it and back.
 */

/** Loads ONNX Runtime. `test` has the device compute something. */
export function openWebgpu(): Backend & { test(): void } {
  const { tensor, create: open } = openBinding();
  const create: typeof open = (...given) => onDevice(open(...given));
  const times = once(() => create(encodeModel(TIMES_ONE), sessionOptions('', ['y'])));
  const back = once(() => create(encodeModel(TIMES_ONE), sessionOptions('')));
  const upload = (x: Tensor): Tensor => times().run({ x }, { y: null }, RUN_OPTIONS)['y']!;
  const download = (x: Tensor): HostArray => back().run({ x }, { y: null }, RUN_OPTIONS)['y']!.data as HostArray;
  const weights = openWeights((weight, folder) => upload(tensor('float32', readWeight(weight, folder), weight.shape)));
  return {
    zeroCopy: false,
    tensor,
    memory: { put: upload, get: download },
    load(bytes, { folder = '', weights: needed }) {
      // What stays on the device is settled as a session is made; the first run says which outputs do.
      const sessions = new Map([['', create(bytes, sessionOptions(folder))]]);
      const sessionOf = (kept: readonly string[]): NativeSession => {
        const key = kept.join();
        const known = sessions.get(key) ?? create(bytes, sessionOptions(folder, kept));
        sessions.set(key, known);
        return known;
      };
      const dispose = (): void => { for (const session of sessions.values()) session.dispose(); };
      let held: Held;
      try {
        held = weights.hold(needed, folder);
      } catch (error) {
        dispose();
        throw error;
      }
      return {
        run: (feeds, outputs, kept) => runAndCopy(sessionOf(kept), { ...feeds, ...held.tensors }, outputs, kept),
        release() {
          dispose();
          held.release();
        },
      };
    },
    test() {
      const [y] = download(tensor('float32', Float32Array.of(7), [1]));
      if (y !== 7) throw new Error(`7 · 1 is ${String(y)} there.`);
    },
  };
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

/**
 * A node that would run on the CPU stops the compilation: its values would cross over and back at every run, and kernels for the CPU were
 * seen to give wrong numbers there. Optimizers would merge recomputed nodes.
 */
function sessionOptions(folder: string, resident: readonly string[] = []): object {
  return {
    executionProviders: ['webgpu'],
    graphOptimizationLevel: 'disabled',
    enableMemPattern: false,
    logSeverityLevel: 4,
    ...(resident.length === 0 ? {} : { preferredOutputLocation: Object.fromEntries(resident.map((name) => [name, 'gpu-buffer'])) }),
    extra: {
      session: {
        disable_cpu_ep_fallback: '1',
        ...(folder === '' ? {} : { model_external_initializers_file_folder_path: folder }),
      },
    },
  };
}

/** Weights that a model is fed. */
interface Held {
  readonly tensors: Named;
  release(): void;
}

/** Weights on the device, each there as long as a model needs it. */
function openWeights(
  put: (weight: DeviceWeight, folder: string) => Tensor,
): { hold(needed: readonly DeviceWeight[], folder: string): Held } {
  const there = new Map<string, { readonly tensor: Tensor; users: number }>();
  const keyOf = ({ shape, data: { file, offset } }: DeviceWeight, folder: string): string => [folder, file, offset, ...shape].join(':');
  const give = (key: string): void => {
    const weight = there.get(key)!;
    if (--weight.users > 0) return;
    there.delete(key);
    weight.tensor.dispose();
  };
  return {
    hold(needed, folder) {
      const keys: string[] = [];
      const tensors: Record<string, Tensor> = {};
      try {
        for (const weight of needed) {
          const key = keyOf(weight, folder);
          const known = there.get(key) ?? { tensor: put(weight, folder), users: 0 };
          there.set(key, known);
          known.users++;
          keys.push(key);
          tensors[weight.name] = known.tensor;
        }
      } catch (error) {
        keys.forEach(give);
        throw error;
      }
      return { tensors, release: () => keys.forEach(give) };
    },
  };
}

/** ONNX Runtime puts on the device what a model computes there, and has no other way. */
const TIMES_ONE: OnnxModel = {
  nodes: [{ name: 'times_one', op: 'Mul', domain: '', inputs: ['x', 'one'], outputs: ['y'], attributes: {} }],
  inputs: [{ name: 'x', dtype: 'float32' }],
  outputs: [{ name: 'y', dtype: 'float32' }],
  initializers: [{ name: 'one', dtype: 'float32', shape: [], data: new Uint8Array(Float32Array.of(1).buffer) }],
};
