/** `heed doctor gpu`: whether `device: cuda` would run here, and if not, the first thing that is in the way. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

import { installedCuda } from './install.js';
import { type Machine, findLibrary, thisMachine } from './libraries.js';
import { CUDA, DRIVER_LIBRARY } from './parts.js';

/** One thing that was looked at. */
export interface Finding {
  readonly what: string;
  readonly good: boolean;
  /** What was found. */
  readonly found: string;
  /** What to do, where it is not good. */
  readonly advice?: string;
}

/** What the look asks of a machine. Default: this one. */
export interface Sight {
  readonly platform: string;
  readonly arch: string;
  exists(path: string): boolean;
  /** The text of a file; undefined where there is none. */
  text(path: string): string | undefined;
  /** What `nvidia-smi` prints of each GPU: name, driver, memory; undefined where there is no such program, or it failed. */
  smi(): string | undefined;
  readonly machine: Machine;
  readonly cacheDir?: string;
}

const QUERY = ['--query-gpu=name,driver_version,memory.total', '--format=csv,noheader'];

function here(): Sight {
  // It takes a second or more, so it is asked once.
  let asked: { readonly status: number | null; readonly stdout: string } | undefined;
  return {
    platform: process.platform, arch: process.arch, exists: existsSync, machine: thisMachine(),
    text: (path) => {
      try {
        return readFileSync(path, 'utf8');
      } catch {
        return undefined;
      }
    },
    smi: () => {
      asked ??= spawnSync('nvidia-smi', QUERY, { encoding: 'utf8' });
      return asked.status === 0 ? asked.stdout.trim() : undefined;
    },
  };
}

/** The devices of NVIDIA's driver on Linux, and of Windows' under WSL. */
const DEVICES = ['/dev/nvidiactl', '/dev/nvidia0', '/dev/dxg'];

/** The driver's version: from the driver itself, else from what `nvidia-smi` says. */
function driverOf({ text, smi }: Sight): string | undefined {
  const own = /Kernel Module(?: for \S+)?\s+(\d+[.\d]*)/.exec(text('/proc/driver/nvidia/version') ?? '')?.[1];
  return own ?? /,\s*(\d+[.\d]*)\s*,/.exec(smi() ?? '')?.[1];
}

/**
 * Looks at what `device: cuda` stands on, from the ground up, and ends at the first thing that is in the way.
 *
 * @returns what was found; all are good, or the last is not
 */
export function lookForCuda(sight: Sight = here()): Finding[] {
  const found: Finding[] = [];
  for (const look of LOOKS) {
    const finding = look(sight);
    found.push(finding);
    if (!finding.good) break;
  }
  return found;
}

const LOOKS: readonly ((sight: Sight) => Finding)[] = [
  ({ platform, arch }) => ({
    what: 'system', good: platform === 'linux' && arch === 'x64', found: `${platform} ${arch}`,
    advice: 'device: cuda is for Linux x64. device: webgpu drives GPUs of NVIDIA, AMD, Intel and Apple elsewhere.',
  }),
  ({ exists, smi }) => {
    const device = DEVICES.find(exists);
    return {
      what: 'GPU', good: device !== undefined, found: device === undefined ? `none of ${DEVICES.join(', ')} is there` : (smi() ?? device),
      advice: 'There is no NVIDIA GPU here, or its driver is not loaded, or the container was started without it (docker run --gpus all).',
    };
  },
  ({ machine }) => {
    const place = findLibrary(DRIVER_LIBRARY, machine);
    return {
      what: 'driver', good: place !== undefined, found: place ?? `${DRIVER_LIBRARY} is nowhere`,
      advice: `Install NVIDIA's driver, ${CUDA.driver} or newer. It brings ${DRIVER_LIBRARY}; no package of Heed's can.`,
    };
  },
  (sight) => {
    const version = driverOf(sight);
    return {
      what: 'driver version', good: version === undefined || Number.parseInt(version, 10) >= CUDA.driver,
      found: version ?? 'unknown; going on',
      advice: `CUDA ${CUDA.version} needs driver ${CUDA.driver} or newer: update the driver.`,
    };
  },
  ({ machine, cacheDir }) => {
    const engine = installedCuda({ machine, ...(cacheDir === undefined ? {} : { cacheDir }) });
    return {
      what: 'engine', good: engine !== undefined, found: engine?.folder ?? 'not installed, or not whole',
      advice: 'Run: heed engine install cuda',
    };
  },
];
