/** `heed engine install cuda`: ONNX Runtime's CUDA provider beside a copy of the binding, in Heed's cache. */
import { copyFileSync, readFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { UserError } from '../../errors.js';
import { cacheFolder, cached } from '../checkpoint/cache.js';
import type { Progress } from '../checkpoint/progress.js';
import { checkWheel, downloadWheel, unpackWheel } from '../checkpoint/wheel.js';
import { type Machine, findLibrary, thisMachine } from './libraries.js';
import { CUDA, NVIDIA, ONNX_RUNTIME, PROVIDER, type Part, entryOf } from './parts.js';

/** What was installed, or was there. */
export interface CudaEngine {
  /** The binding, ONNX Runtime and its CUDA provider. */
  readonly folder: string;
  /** NVIDIA's libraries, in the order in which they are loaded. */
  readonly libraries: readonly { readonly name: string; readonly place: string; readonly from: 'this machine' | 'wheel' }[];
}

export interface InstallOptions {
  /** Default: Heed's cache. */
  readonly cacheDir?: string;
  /** Default: this machine. */
  readonly machine?: Machine;
  /** Where the work stands: what is done, to which wheel, and how many of its bytes. */
  readonly onProgress?: (progress: Parameters<Progress>[0] & { readonly of: string }) => void;
  readonly log?: (line: string) => void;
  /** How pip may be called; for tests. */
  readonly pips?: readonly (readonly string[])[];
}

const shelfOf = (cacheDir: string): string => join(cacheDir, 'engines');
const keyOf = ({ wheel }: Part): string => wheel.requirement.replace('==', '-');
const ENGINE = `onnxruntime-${ONNX_RUNTIME}-cuda${CUDA.version}`;

/** Files of the npm package of ONNX Runtime that the engine's folder has copies of: the provider is looked for beside them. */
const COPIED = ['onnxruntime_binding.node', 'libonnxruntime.so.1'];

/** The folder with the native files of the npm package. @throws UserError where it is of another version, or left them out */
function packageFolder(): string {
  const require = createRequire(import.meta.url);
  const file = require.resolve('onnxruntime-node/package.json');
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  if (version !== ONNX_RUNTIME) {
    throw new UserError(`onnxruntime-node is ${version} here, but the CUDA provider that Heed knows is of ${ONNX_RUNTIME}.`, [
      `Install onnxruntime-node ${ONNX_RUNTIME}, the version that this Heed was made with.`,
    ]);
  }
  return join(dirname(file), 'bin/napi-v6/linux/x64');
}

/** @throws UserError on a machine that the provider is not built for */
export function requireLinux(platform: string = process.platform, arch: string = process.arch): void {
  if (platform === 'linux' && arch === 'x64') return;
  throw new UserError(`device: cuda runs on Linux x64; this is ${platform} ${arch}.`, [
    'Use device: webgpu, which drives GPUs of NVIDIA, AMD, Intel and Apple, or device: cpu.',
  ]);
}

/** Unpacks the libraries of a part into a folder. */
async function fetchPart({ wheel, libraries }: Part, folder: string, { onProgress, pips }: InstallOptions): Promise<void> {
  const scratch = join(folder, 'wheel');
  await fs.mkdir(scratch);
  const tell: Progress = (at) => onProgress?.({ ...at, of: wheel.requirement });
  const file = await downloadWheel(wheel, scratch, tell, pips);
  await checkWheel(file, wheel);
  for (const library of libraries) await unpackWheel(file, entryOf(library), join(folder, library), tell);
  await fs.rm(scratch, { recursive: true });
}

/**
 * Puts together what `device: cuda` needs. What is there already stays. NVIDIA's libraries are fetched only where this machine has none
 * of that version. Nothing is written outside the cache.
 *
 * @throws UserError on another system than Linux x64, or beside another version of onnxruntime-node
 * @throws CheckpointError where a wheel cannot be fetched, or is not the one that was meant
 */
export async function installCuda(options: InstallOptions = {}): Promise<CudaEngine> {
  requireLinux();
  const { cacheDir = cacheFolder(), machine = thisMachine(), log } = options;
  const shelf = shelfOf(cacheDir);
  const from = packageFolder();
  await cached(shelf, ENGINE, { id: ENGINE, source: `wheel ${PROVIDER.wheel.requirement}` }, async (made) => {
    for (const name of COPIED) copyFileSync(join(from, name), join(made, name));
    await fetchPart(PROVIDER, made, options);
  }, log);
  for (const part of NVIDIA) {
    if (part.libraries.every((name) => findLibrary(name, machine) !== undefined)) continue;
    const key = keyOf(part);
    await cached(shelf, key, { id: key, source: `wheel ${part.wheel.requirement}` }, (made) => fetchPart(part, made, options), log);
  }
  return installedCuda({ cacheDir, machine })!;
}

/** What `installCuda` left; undefined where it is not all there. */
export function installedCuda(
  { cacheDir = cacheFolder(), machine = thisMachine() }: Pick<InstallOptions, 'cacheDir' | 'machine'> = {},
): CudaEngine | undefined {
  const shelf = shelfOf(cacheDir);
  const folder = join(shelf, ENGINE);
  const own: Machine = { loader: new Map(), folders: [folder, ...NVIDIA.map((part) => join(shelf, keyOf(part)))] };
  if (PROVIDER.libraries.some((name) => findLibrary(name, own) === undefined)) return undefined;
  const libraries = NVIDIA.flatMap(({ libraries: names }) => names).map((name) => {
    const here = findLibrary(name, machine);
    return { name, place: here ?? findLibrary(name, own), from: here === undefined ? 'wheel' : 'this machine' } as const;
  });
  const whole = libraries.flatMap(({ name, place, from }) => (place === undefined ? [] : [{ name, place, from }]));
  return whole.length === libraries.length ? { folder, libraries: whole } : undefined;
}
