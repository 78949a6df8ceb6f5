import { existsSync } from 'node:fs';
import { type CudaFiles, type Device, type DeviceName, type Engine, deviceByDefault, startEngine } from '@heed/tensor';
import { UserError } from '../errors.js';
import { atomicWrite } from '../run/files.js';
import type { RunFolder } from '../run/folder.js';
import { readKept } from '../run/json-file.js';
import { installedCuda, requireLinux } from './cuda/install.js';

/** How an engine is opened for people. */
export interface OpenDeviceOptions {
  /** Default: what HEED_DEVICE says, else the CPU. */
  readonly device?: DeviceName;
  /** Takes a line that says what `auto` and `webgpu` found. */
  say?(line: string): void;
}

/** Starts an engine, and says what it runs on where that is a GPU, or none was found. @throws UserError where there is no such device */
export async function openDeviceEngine({ device, say }: OpenDeviceOptions = {}): Promise<Engine> {
  const asked = device ?? deviceByDefault();
  let engine: Engine;
  try {
    engine = await startEngine({ device: asked, cuda: asked === 'cuda' ? cudaFiles() : undefined });
  } catch (error) {
    // Without a device there is nothing that a user could choose.
    if (asked === 'cpu' || error instanceof UserError) throw error;
    const ways = asked === 'cuda' ? ['What is in the way says: heed doctor gpu'] : [];
    ways.push('Without a GPU: device: cpu, which is the default. docs/devices.md says what a GPU needs.');
    throw new UserError((error as Error).message, ways, { cause: error });
  }
  const { kind, why } = engine.device;
  if (kind !== 'cpu') say?.(`Runs on ${describeDevice(engine.device)}.`);
  else if (why !== undefined) say?.(`Runs on the CPU. ${why}`);
  return engine;
}

/** Where CUDA lies on this machine. @throws UserError where it is not installed */
function cudaFiles(): CudaFiles {
  requireLinux();
  const installed = installedCuda();
  if (installed === undefined) throw new UserError('device: cuda is not installed.', ['Install it: heed engine install cuda']);
  return { folder: installed.folder, libraries: installed.libraries.map(({ place }) => place) };
}

/** A device for people and in files. */
export const describeDevice = ({ kind, adapter }: Device): string => (adapter === undefined ? kind : `${kind}: ${adapter}`);

/**
 * `openDeviceEngine` for a run, which keeps what it runs on in `device.json`. A run that goes on elsewhere says so: its numbers then agree
 * within rounding, and not to the last bit.
 */
export async function openRunEngine(run: RunFolder, { device, say }: OpenDeviceOptions): Promise<Engine> {
  const engine = await openDeviceEngine({ device, say });
  const file = run.path('device.json');
  const now = describeDevice(engine.device);
  const before = existsSync(file) ? await readKept<string>(file) : now;
  if (before !== now)
    say?.(`This run was on ${before} and goes on on ${now}: its numbers will agree within rounding, not to the last bit.`);
  await atomicWrite(file, JSON.stringify(now));
  return engine;
}
