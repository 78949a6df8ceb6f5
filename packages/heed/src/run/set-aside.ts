/** A run that --overwrite replaces: kept until the new one has something of its own, for a run that cannot even start must not cost the last one. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { fileError } from './files.js';

/** The whole earlier run; and, while its parts are on their way there or back, all that was moved. */
const ASIDE = '.replaced';
const MOVING = '.replaced.moving';

/** Moves what is there of `names` aside. Killed half-way, the next `settle` puts it back. */
export async function setAside(dir: string, names: readonly string[]): Promise<void> {
  try {
    await mkdir(join(dir, MOVING));
    for (const name of names) if (existsSync(join(dir, name))) await rename(join(dir, name), join(dir, MOVING, name));
    await rename(join(dir, MOVING), join(dir, ASIDE));
  } catch (error) {
    throw fileError(error, dir);
  }
}

/** Decides about a run that lies aside: gone where the new one has `begun`, else back in its place. */
export async function settle(dir: string, begun: () => Promise<boolean>): Promise<void> {
  if (existsSync(join(dir, ASIDE))) {
    if (await begun()) await rm(join(dir, ASIDE), { recursive: true, force: true });
    else await rename(join(dir, ASIDE), join(dir, MOVING));
  }
  if (!existsSync(join(dir, MOVING))) return;
  for (const name of await readdir(join(dir, MOVING))) {
    await rm(join(dir, name), { recursive: true, force: true }); // at most what a run writes before it begins
    await rename(join(dir, MOVING, name), join(dir, name));
  }
  await rm(join(dir, MOVING), { recursive: true, force: true });
}
