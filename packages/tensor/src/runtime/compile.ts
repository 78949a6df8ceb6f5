import { resolve } from 'node:path';
import { encodeModel } from '../onnx/encode.js';
import { type WebgpuModel, prepareForWebgpu } from '../onnx/webgpu.js';
import type { Program } from '../program.js';
import { prepareForCpu } from './cpu.js';
import type { DeviceKind } from './device.js';
import type { CompileRequest } from './messages.js';
import { hasName } from './session.js';
import type { Thread } from './thread.js';
import { FELL_BACK, unplaced } from './unplaced.js';

export interface CompileOptions {
  readonly device: DeviceKind;
  readonly prepack: boolean;
  nextSession(): number;
}

/** Has the engine's thread compile a program: the number of the session, and the program with what the device needs besides. */
export async function compileProgram(
  thread: Thread, given: Program, options: CompileOptions,
): Promise<{ readonly session: number; readonly program: Program }> {
  checkPorts(given);
  const prepared = prepare(given, options.device);
  const program: Program = prepared.sizes === given.sizes ? given : { ...given, sizes: prepared.sizes };
  const slots = (ports: Program['inputs']): CompileRequest['inputs'] => ports.map(({ name, dtype }) => ({ name, dtype }));
  const folder = program.folder === undefined ? undefined : resolve(program.folder);
  const load = async (bytes: Uint8Array, { inputs, outputs, sizes }: Ports, weights: WebgpuModel['weights']): Promise<number> => {
    const session = options.nextSession();
    await thread.ask({
      kind: 'compile', session, bytes, prepack: options.prepack, folder, weights,
      inputs: slots(inputs), outputs: slots(outputs), sizes: sizes.map(({ name }) => name),
    }, [bytes.buffer]);
    return session;
  };
  const takes = async (bytes: Uint8Array): Promise<boolean> => {
    const tried = await load(bytes, { inputs: [], outputs: [], sizes: [] }, []).catch((error: unknown) => (error as Error).message);
    if (typeof tried === 'number') await thread.ask({ kind: 'release', session: tried });
    return typeof tried === 'number' || !FELL_BACK.test(tried);
  };
  try {
    return { session: await load(encodeModel(prepared.model), program, prepared.weights), program };
  } catch (error) {
    if (hasName(error)) throw error;
    throw await explained(error as Error, program, () => unplaced(prepared, takes));
  }
}

type Ports = Pick<Program, 'inputs' | 'outputs' | 'sizes'>;

function prepare(program: Program, device: DeviceKind): WebgpuModel {
  switch (device) {
    case 'cpu':
      return { model: prepareForCpu(program.model), weights: [], sizes: program.sizes, dtypeOf: () => 'float32' };
    case 'cuda':
      return prepareForWebgpu(program, { weights: 'stay' });
    case 'webgpu':
      return prepareForWebgpu(program);
  }
}

/** Why a program was not compiled, with what the program is. */
async function explained(error: Error, { inputs, outputs }: Program, missing: () => Promise<readonly string[]>): Promise<Error> {
  const names = (ports: Program['inputs']) =>
    ports.slice(0, 8).map(({ name }) => `"${name}"`).join(', ') + (ports.length > 8 ? ', …' : '');
  const nodes = FELL_BACK.test(error.message) ? await missing() : [];
  const message = nodes.length === 0
    ? error.message
    : ['WebGPU has no kernel for what the program needs, and nothing runs on the CPU in its stead:', ...nodes].join('\n  ');
  return new Error(`${message}\n  The program takes ${names(inputs)} and gives ${names(outputs)}.`, { cause: error });
}

/** What ONNX Runtime would refuse with a message about its own names, or not notice at all. */
function checkPorts({ model, inputs, outputs, sizes }: Program): void {
  for (const { name, dtype } of [...inputs, ...outputs]) {
    if (dtype === 'bfloat16')
      throw new Error(
        `Port "${name}" is bfloat16, which ONNX Runtime's Node binding cannot pass: cast inside the program, or use an initializer.`,
      );
  }
  const given = new Set([...model.inputs, ...model.initializers].map(({ name }) => name));
  for (const { name } of outputs) {
    if (given.has(name)) throw new Error(`Output "${name}" has the name of an input or initializer: pass it through an Identity node.`);
  }
  const expect = (what: string, actual: readonly { name: string }[], wanted: readonly { name: string }[]): void => {
    const names = new Set(actual.map(({ name }) => name));
    const lost = wanted.find(({ name }) => !names.has(name));
    if (lost !== undefined || actual.length !== wanted.length) {
      throw new Error(
        `The model has ${actual.length} ${what}, the program ` +
        `${wanted.length}${lost === undefined ? '' : `, and "${lost.name}" is not among the model's`}.`,
      );
    }
  };
  expect('inputs', model.inputs, [...inputs, ...sizes]);
  expect('outputs', model.outputs, outputs);
}
