import { type Adapter, findAdapter } from './adapter.js';

/** What programs run on. */
export type DeviceKind = 'cpu' | 'webgpu' | 'cuda';

/**
 * What may be asked for. `webgpu`: a GPU; `webgpu-software`: a driver that computes on the CPU will do, for tests; `cuda`: NVIDIA's GPU by
 * its own libraries, which the engine is told of; `auto`: a GPU by WebGPU where there is one, else the CPU.
 */
export const DEVICES = ['cpu', 'webgpu', 'webgpu-software', 'cuda', 'auto'] as const;
export type DeviceName = (typeof DEVICES)[number];

/** Where `device: cuda` lies. */
export interface CudaFiles {
  /** The binding, ONNX Runtime and its CUDA provider. */
  readonly folder: string;
  /** NVIDIA's libraries, each after those that it needs. */
  readonly libraries: readonly string[];
}

/** What runs programs where nothing else is said: HEED_DEVICE of the environment, or the CPU. */
export const deviceByDefault = (): DeviceName => (process.env['HEED_DEVICE'] ?? 'cpu') as DeviceName;

/** What an engine runs on. */
export interface Device {
  readonly kind: DeviceKind;
  /** The GPU, as its driver calls it. Absent for the CPU, and on systems that do not say. */
  readonly adapter?: string;
  /** Why `auto` took the CPU. */
  readonly why?: string;
}

/**
 * Finds the device that a name means.
 *
 * @throws Error where `webgpu` or `webgpu-software` is asked for, and what there is will not do: with the first thing in the way
 */
export async function chooseDevice(asked: DeviceName): Promise<Device> {
  if (!DEVICES.includes(asked)) throw new Error(`There is no device "${asked as string}". There are ${DEVICES.join(', ')}.`);
  if (asked === 'cpu' || asked === 'cuda') return { kind: asked };
  const found = await findAdapter();
  const problem = problemOf(found, asked);
  if (problem === undefined) return { kind: 'webgpu', adapter: 'name' in found ? found.name : undefined };
  if (asked === 'auto') return { kind: 'cpu', why: problem };
  throw new Error(problem);
}

function problemOf(found: Adapter | { readonly problem: string }, asked: DeviceName): string | undefined {
  if ('problem' in found) return found.problem;
  if (!found.software || asked === 'webgpu-software') return undefined;
  return `The only GPU is "${found.name ?? 'unknown'}", a driver that computes on the CPU, slower than Heed does without it. ` +
    'Install the Vulkan driver of your GPU; for tests, the device webgpu-software takes this one.';
}
