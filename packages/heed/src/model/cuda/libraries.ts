/** Where shared libraries lie on this machine. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Places where CUDA and the driver put libraries without telling the loader: CUDA's own installer, and WSL. */
const USUAL = [
  '/usr/local/cuda/lib64', '/usr/local/cuda/targets/x86_64-linux/lib', '/usr/lib/x86_64-linux-gnu', '/usr/lib64', '/usr/lib/wsl/lib',
];

/** What the loader of Linux knows, by name. */
export function knownToLoader(listing: string = ldconfig()): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of listing.split('\n')) {
    const [, name, place] = /^\s*(\S+)\s.*=>\s*(\S+)\s*$/.exec(line) ?? [];
    // The first line of a name is the one that the loader takes.
    if (name !== undefined && place !== undefined && !found.has(name)) found.set(name, place);
  }
  return found;
}

function ldconfig(): string {
  for (const program of ['ldconfig', '/sbin/ldconfig']) {
    const { status, stdout } = spawnSync(program, ['-p'], { encoding: 'utf8' });
    if (status === 0) return stdout;
  }
  return '';
}

/** What the search looks at. Default: this machine. */
export interface Machine {
  readonly loader: ReadonlyMap<string, string>;
  /** Folders in which to look, the first first. */
  readonly folders: readonly string[];
}

export const thisMachine = (env: NodeJS.ProcessEnv = process.env): Machine => ({
  loader: knownToLoader(), folders: [...(env.LD_LIBRARY_PATH ?? '').split(':').filter((folder) => folder !== ''), ...USUAL],
});

/** Where a library lies: in $LD_LIBRARY_PATH, where the loader knows it, or in one of the usual places; undefined where it is nowhere. */
export function findLibrary(name: string, { loader, folders }: Machine): string | undefined {
  const known = loader.get(name);
  if (known !== undefined && existsSync(known)) return known;
  return folders.map((folder) => join(folder, name)).find((place) => existsSync(place));
}
