import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { randomUUID } from 'node:crypto';
import lockfile from 'proper-lockfile';
import { z } from 'zod';
import { CheckpointError, writeFailure } from './error.js';

/** What a cached folder says about itself, in `source.json`. */
const Source = z.object({
  format: z.literal(1),
  /** What the user named. */
  id: z.string(),
  /** Where it came from, in words. */
  source: z.string(),
  /** Every file with its size: the cheap check, at each load, that nothing was cut short. */
  files: z.record(z.string(), z.int().nonnegative()),
});

/** One model in the cache, for `heed models`. */
export interface CachedModel {
  readonly id: string;
  readonly folder: string;
  readonly bytes: number;
  readonly source: string;
}

/** Where models are kept: `$HEED_CACHE`, else the platform's place for caches. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env, platform: NodeJS.Platform = process.platform): string {
  if (env.HEED_CACHE) return path.resolve(env.HEED_CACHE);
  if (platform === 'win32' && env.LOCALAPPDATA) return path.join(env.LOCALAPPDATA, 'heed');
  return path.join(env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache'), 'heed');
}

/** Where models are kept in a cache. */
export const modelsFolder = (cacheDir: string): string => path.join(cacheDir, 'models');

/**
 * The folder `key` of a shelf, made by `make` if it is not there or damaged. It appears whole or not at all: it is made in a
 * temporary folder and renamed; a lock lets one of several processes make it while the others wait.
 */
export async function cached(
  shelf: string,
  key: string,
  about: { id: string; source: string },
  make: (folder: string) => Promise<void>,
  log?: (line: string) => void,
): Promise<string> {
  const folder = path.join(shelf, key);
  if ((await damage(folder)) === undefined) return folder;
  await fs.mkdir(shelf, { recursive: true }).catch((error: unknown) => {
    throw writeFailure(shelf, error);
  });
  const release = await lock(folder, log);
  try {
    const found = await damage(folder);
    if (found === undefined) return folder;
    if (found !== 'absent') log?.(`${folder}: ${found}; it is made again`);
    await sweep(shelf, key);
    const temporary = path.join(shelf, `.${key}~${randomUUID()}`);
    await fs.mkdir(temporary).catch((error: unknown) => {
      throw writeFailure(temporary, error);
    });
    try {
      await make(temporary);
      await fs.writeFile(
        path.join(temporary, 'source.json'),
        `${JSON.stringify({ format: 1, ...about, files: await sizes(temporary) }, null, 2)}\n`,
      );
      await fs.rm(folder, { recursive: true, force: true });
      await fs.rename(temporary, folder);
    } catch (error) {
      await fs.rm(temporary, { recursive: true, force: true });
      throw error instanceof CheckpointError ? error : writeFailure(folder, error);
    }
    return folder;
  } finally {
    await release();
  }
}

/** All models in the cache. */
export async function listCached(cacheDir: string = cacheFolder()): Promise<CachedModel[]> {
  const models = modelsFolder(cacheDir), out: CachedModel[] = [];
  for (const name of (await fs.readdir(models).catch(() => [])).sort()) {
    if (name.startsWith('.')) continue;
    const about = await readSource(path.join(models, name));
    if (about)
      out.push({
        id: about.id,
        folder: path.join(models, name),
        bytes: Object.values(about.files).reduce((sum, size) => sum + size, 0),
        source: about.source,
      });
  }
  return out;
}

/** What is wrong with a cached folder: undefined if nothing, 'absent' if it is not there. */
async function damage(folder: string): Promise<string | undefined> {
  if (!await fs.stat(folder).catch(() => undefined)) return 'absent';
  const about = await readSource(folder);
  if (!about) return 'source.json is missing or of another version';
  for (const [name, size] of Object.entries(about.files)) {
    const stat = await fs.stat(path.join(folder, name)).catch(() => undefined);
    if (stat?.size !== size) return `${name} has ${stat?.size ?? 'no'} bytes where ${size} were written`;
  }
  return undefined;
}

async function readSource(folder: string): Promise<z.infer<typeof Source> | undefined> {
  try {
    return Source.parse(JSON.parse(await fs.readFile(path.join(folder, 'source.json'), 'utf8')));
  } catch {
    return undefined;
  }
}

async function sizes(folder: string): Promise<Record<string, number>> {
  const out: Record<string, number> = {};
  for (const name of (await fs.readdir(folder)).sort()) out[name] = (await fs.stat(path.join(folder, name))).size;
  return out;
}

async function lock(folder: string, log?: (line: string) => void): Promise<() => Promise<void>> {
  // A killed process's lock is stale after 10 s. A suspended one loses its lock: that costs double work only, as the rename decides.
  const options = {
    realpath: false,
    lockfilePath: path.join(path.dirname(folder), `.${path.basename(folder)}~lock`),
    stale: 10_000,
    update: 2_000,
    onCompromised: () => undefined,
  };
  try {
    return await lockfile.lock(folder, options);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ELOCKED') throw writeFailure(folder, error);
  }
  log?.(`${folder}: another process is making it, or was until it was killed; waiting`);
  try {
    // an hour: a download may be slow
    return await lockfile.lock(folder, { ...options, retries: { retries: 14_400, factor: 1, minTimeout: 250, maxTimeout: 250 } });
  } catch (error) {
    throw writeFailure(folder, error);
  }
}

/** Remove what killed processes left of this folder: nobody else is making it while the lock is ours. */
async function sweep(shelf: string, key: string): Promise<void> {
  for (const name of await fs.readdir(shelf)) {
    if (name.startsWith(`.${key}~`) && !name.endsWith('~lock')) await fs.rm(path.join(shelf, name), { recursive: true, force: true });
  }
}
