/**
 * The earlier run that --overwrite replaces. It is kept until the new run has results of its own: a run that fails before its first step
 * must not destroy the last one.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { fileError } from './files.js';

/** Holds the whole earlier run. */
const ASIDE = '.replaced';
/** Holds the parts that were moved so far, while the earlier run is on its way there or back. */
const MOVING = '.replaced.moving';

/** Moves the files and folders of these names aside, where they exist. After a kill half-way the next `settle` puts them back. */
export async function setAside(dir: string, names: readonly string[]): Promise<void> {
  try {
    await mkdir(join(dir, MOVING));
    for (const name of names) if (existsSync(join(dir, name))) await rename(join(dir, name), join(dir, MOVING, name));
    await rename(join(dir, MOVING), join(dir, ASIDE));
  } catch (error) {
    throw fileError(error, dir);
  }
}

/** Removes the earlier run where the new one has `begun`; otherwise puts the earlier run back in its place. */
export async function settle(dir: string, begun: () => Promise<boolean>): Promise<void> {
  if (existsSync(join(dir, ASIDE))) {
    if (await begun()) await rm(join(dir, ASIDE), { recursive: true, force: true });
    else await rename(join(dir, ASIDE), join(dir, MOVING));
  }
  if (!existsSync(join(dir, MOVING))) return;
  for (const name of await readdir(join(dir, MOVING))) {
    await rm(join(dir, name), { recursive: true, force: true }); // a run writes no more than this before it begins
    await rename(join(dir, MOVING, name), join(dir, name));
  }
  await rm(join(dir, MOVING), { recursive: true, force: true });
}
