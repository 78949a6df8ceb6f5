import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { join } from 'node:path';
import { encodeModel } from '../onnx/encode.js';
import type { OnnxModel } from '../onnx/model.js';
import type { Backend, Binding, Tensor } from './backend.js';
import { openBindingAt, runAndCopy } from './backend.js';
import { onDevice } from './on-device.js';
import type { CudaFiles } from './device.js';

/*
 * All that is special to ONNX Runtime's CUDA back end under Node. The npm package brings no CUDA provider, so the binding, ONNX Runtime and
 * the provider lie together in a folder of their own. Feeds and outputs cross over to the GPU and back at every run.
 */

/** Keeps a library that Node would close again. Linux' dlfcn.h has it; Node's constants do not. */
const RTLD_NODELETE = 0x1000;

/**
 * Loads libraries for those that need them by name, so that nobody has to set LD_LIBRARY_PATH. Node takes them for addons that did not
 * register themselves, and throws; they stay.
 *
 * @throws Error where a library itself cannot be loaded, with the loader's words
 */
export function preload(libraries: readonly string[]): void {
  for (const library of libraries) {
    if (!existsSync(library)) throw new Error(`${library} is missing.`);
    try {
      process.dlopen({ exports: {} }, library, constants.dlopen.RTLD_NOW | constants.dlopen.RTLD_GLOBAL | RTLD_NODELETE);
    } catch (error) {
      if (!/did not self-register/i.test((error as Error).message)) throw error;
    }
  }
}

/** Loads ONNX Runtime with its CUDA provider. */
export function openCuda({ folder, libraries }: CudaFiles): Backend {
  preload(libraries);
  const addon: unknown = createRequire(import.meta.url)(join(folder, 'onnxruntime_binding.node'));
  const binding = openBindingAt(addon);
  const { tensor, create } = binding;
  requireExact(binding);
  return {
    zeroCopy: false,
    tensor,
    load(bytes, { folder: weights }) {
      const session = onDevice(create(bytes, sessionOptions(weights)));
      return { run: (feeds, outputs) => runAndCopy(session, feeds, outputs), release: () => session.dispose() };
    },
  };
}

/** Optimizers would merge recomputed nodes. What CUDA has no kernel for, such as arithmetic of shapes, runs on the CPU. */
const sessionOptions = (folder: string | undefined): object => ({
  executionProviders: ['cuda', 'cpu'],
  graphOptimizationLevel: 'disabled',
  enableMemPattern: false,
  logSeverityLevel: 4,
  extra: { session: folder === undefined ? {} : { model_external_initializers_file_folder_path: folder } },
});

const PRODUCT: OnnxModel = {
  nodes: [{ name: 'product', op: 'MatMul', domain: '', inputs: ['a', 'b'], outputs: ['y'], attributes: {} }],
  inputs: [{ name: 'a', dtype: 'float32' }, { name: 'b', dtype: 'float32' }],
  outputs: [{ name: 'y', dtype: 'float32' }],
  initializers: [],
};

/**
 * Has the GPU multiply matrices. 1 + 2⁻¹⁴ is a float32, and is rounded to 1 where products are of TF32.
 *
 * @throws Error where there is no result, or it is rounded
 */
function requireExact({ tensor, create }: Binding): void {
  const session = create(encodeModel(PRODUCT), sessionOptions(undefined));
  const near = 1 + 2 ** -14;
  const y = tensor('float32', new Float32Array(16), [4, 4]);
  const [a, b] = [near, 1].map((value) =>
    tensor('float32', Float32Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? value : 0)), [4, 4])) as [Tensor, Tensor];
  runAndCopy(session, { a, b }, { y });
  session.dispose();
  const wrong = [...(y.data as Float32Array)].findIndex((value, i) => value !== (i % 5 === 0 ? near : 0));
  if (wrong >= 0) throw new Error(`CUDA multiplies ${near} by 1 and gets ${String(y.data[wrong])}: it works, but not in float32.`);
}
