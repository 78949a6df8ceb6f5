/** The bin: runs that were deleted, in a folder of the project, from which they can be put back. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { z } from 'zod';

import { atomicWrite } from '../run/files.js';
import { ApiError } from '../serve/api-error.js';
import type { Binned } from './api.js';
import { parsedJson } from './parsed-json.js';
import type { Project } from './project.js';

export const BIN = '.heed-bin';
const Origin = z.object({ run: z.string(), deleted: z.string() });

/** What is in the bin, the newest first. */
export async function binned({ folder }: Project): Promise<Binned[]> {
  const ids = await readdir(join(folder, BIN)).catch(() => []);
  const all = await Promise.all(ids.map(async (id): Promise<Binned[]> => {
    const text = await readFile(join(folder, BIN, id, 'origin.json'), 'utf8').catch(() => '');
    const origin = Origin.safeParse(parsedJson(text));
    return origin.success && existsSync(join(folder, BIN, id, 'run')) ? [{ id, ...origin.data }] : [];
  }));
  return all.flat().sort((a, b) => (a.deleted < b.deleted ? 1 : -1));
}

/** Moves a run into the bin. The caller has seen that no process works on it. */
export async function toBin(project: Project, dir: string): Promise<Binned> {
  if (dir === project.folder)
    throw new ApiError(409, 'The project folder is this run: the studio does not delete it.', { code: 'not_deleted' });
  const deleted = new Date().toISOString();
  const id = `${deleted.replaceAll(/[:.]/g, '-')}-${basename(dir)}`;
  const origin = { run: project.named(dir), deleted };
  const place = join(project.folder, BIN, id);
  // What it was is written first: a run in the bin without it could not be put back.
  await atomicWrite(join(place, 'origin.json'), `${JSON.stringify(origin)}\n`);
  await rename(dir, join(place, 'run'));
  return { id, ...origin };
}

/** Puts a run back where it was. @throws ApiError 409 where something else is there now */
export async function restore(project: Project, id: string): Promise<Binned> {
  const found = (await binned(project)).find((one) => one.id === id);
  if (found === undefined) throw new ApiError(404, `There is no ${id} in the bin.`, { code: 'no_run' });
  const dir = await project.inside(found.run);
  if (existsSync(dir)) throw new ApiError(409, `${found.run} is there already: move it away first.`, { code: 'in_the_way' });
  await mkdir(dirname(dir), { recursive: true });
  await rename(join(project.folder, BIN, id, 'run'), dir);
  await rm(join(project.folder, BIN, id), { recursive: true, force: true });
  return found;
}
