import { encodeModel, onnxType } from '../onnx/encode.js';
import type { OnnxModel } from '../onnx/model.js';
import { orderNodes } from '../onnx/order.js';
import { type Backend, type Named, type NativeSession, RUN_OPTIONS, openBinding, runAndCopy } from './backend.js';

/*
 * All that is special to ONNX Runtime's CPU back end under Node.
 *
 * The native binding feeds typed arrays without copying and lets kernels write straight into arrays given for the outputs,
 * but then still copies every output into a new array to return it. That copy is as expensive as many a step, so we stop it:
 * the first output of every model is a bfloat16 scalar, a type which the binding cannot convert. It throws on
 * meeting it, after all results are in our arrays and before anything is copied.
 */

const STOP = '__stop';
const STOPPED = /^Tensor type \(16\) is not supported/;

/** The model as this back end wants it: leaves in the order that frees memory, and the stop output first. */
export function prepareForCpu(model: OnnxModel): OnnxModel {
  const zero = `${STOP}:zero`;
  return {
    nodes: [
      { name: STOP, op: 'Cast', domain: '', inputs: [zero], outputs: [STOP], attributes: { to: { int: onnxType.bfloat16 } } },
      ...orderNodes(model.nodes),
    ],
    inputs: model.inputs,
    outputs: [{ name: STOP, dtype: 'bfloat16', shape: [] }, ...model.outputs],
    initializers: [...model.initializers, { name: zero, dtype: 'float32', shape: [], data: new Uint8Array(4) }],
  };
}

/**
 * ONNX Runtime 1.30 reads the command line of its process as it starts, by a recursion that one of 15000 bytes takes off the end of
 * a thread's stack (14000 do not).
 */
const LONGEST_COMMAND_LINE = 12_000;

/** For the main thread to ask before a crash would end it: in a worker `process.argv` is another. */
export function requireShortCommandLine(): void {
  const { length } = new TextEncoder().encode([...process.execArgv, ...process.argv].join(' '));
  if (process.platform !== 'linux' || length <= LONGEST_COMMAND_LINE) return;
  throw new Error(
    `The command line has ${length} bytes. ONNX Runtime crashes on one of 15000; keep it under ${LONGEST_COMMAND_LINE}, with what ` +
    'is long in a file.',
  );
}

/** Loads ONNX Runtime and tests that it does what we rely on. */
export function openCpu(options: { readonly threads: number; readonly zeroCopy: boolean }): Backend {
  const { tensor, create } = openBinding();
  const load = (run: typeof runInto): Backend['load'] => (bytes, { folder, prepack }) => {
    const session = create(bytes, sessionOptions(options.threads, prepack, folder));
    return { run: (feeds, outputs) => run(session, feeds, outputs), release: () => session.dispose() };
  };
  const direct: Backend = { zeroCopy: true, tensor, load: load(runInto) };
  return options.zeroCopy && writesInPlace(direct) ? direct : { zeroCopy: false, tensor, load: load(runAndCopy) };
}

function runInto(session: NativeSession, feeds: Named, outputs: Named): Named {
  try {
    session.run(feeds, { [STOP]: null, ...outputs }, RUN_OPTIONS);
  } catch (error) {
    if (error instanceof Error && STOPPED.test(error.message)) return {};
    throw error;
  }
  throw new Error('ONNX Runtime returned outputs that it should have written in place.');
}

/**
 * Memory patterns would hold activations twice; optimizers would merge recomputed nodes and fold mapped weights into copies;
 * pools that spin on between runs would take the cores from the next session's.
 */
function sessionOptions(threads: number, prepack: boolean, folder: string | undefined): object {
  return {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'disabled',
    enableMemPattern: false,
    enableCpuMemArena: true,
    logSeverityLevel: 3,
    extra: {
      session: {
        disable_prepacking: prepack ? '0' : '1',
        force_spinning_stop: '1',
        ...(folder === undefined ? {} : { model_external_initializers_file_folder_path: folder }),
      },
    },
  };
}

/**
 * a = x + 1 is bound to x's own array; b = x + a then reads x. If inputs are not copied and a was written straight into that
 * array, b is 2 (x + 1).
 */
function writesInPlace(cpu: Backend): boolean {
  const value = (name: string) => ({ name, dtype: 'float32', shape: [2] }) as const;
  const add = (name: string, inputs: string[]) => ({ name, op: 'Add', domain: '', inputs, outputs: [name], attributes: {} }) as const;
  const model: OnnxModel = {
    nodes: [add('a', ['x', 'one']), add('b', ['x', 'a'])],
    inputs: [value('x'), value('one')],
    outputs: [value('a'), value('b')],
    initializers: [],
  };
  const session = cpu.load(encodeModel(prepareForCpu(model)), { prepack: false, weights: [] });
  try {
    const x = new Float32Array([3, -5]);
    const b = new Float32Array(2);
    const shared = cpu.tensor('float32', x, [2]);
    const one = cpu.tensor('float32', new Float32Array([1, 1]), [2]);
    session.run({ x: shared, one }, { a: shared, b: cpu.tensor('float32', b, [2]) }, []);
    return x[0] === 4 && x[1] === -4 && b[0] === 8 && b[1] === -8;
  } catch {
    return false;
  } finally {
    session.release();
  }
}
