/** Writing files whole: a crash, a kill or a full disk never leaves half of a file in place. */
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

import { UserError } from '../errors.js';

let serial = 0;

/** Turns an error of the file system into one that a user can act on; other errors come back as they are. */
export function fileError(error: unknown, path: string, doing = 'writing'): unknown {
  if (!(error instanceof Error)) return error;
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new UserError(`Disk full while ${doing} ${path}`, [
        'Free some space and go on with --resume, or choose another disk with run.dir=FOLDER.',
      ]);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new UserError(`No permission for ${doing} ${path}`, ['Choose a folder you may write to, such as run.dir=FOLDER.']);
    case 'ENOTDIR':
      return new UserError(`Cannot go on ${doing} ${path}: a part of this path is a file, not a folder`);
    default:
      return error;
  }
}

/**
 * Replaces the file at `path` by `data` in one step: readers see the old content or the new, never a mixture.
 * The data reaches the disk before the name changes. Folders are made as needed.
 *
 * @throws UserError when the disk is full or the folder may not be written; the old file then is untouched.
 */
export async function atomicWrite(path: string, data: string | Uint8Array | Iterable<Uint8Array>): Promise<void> {
  const temporary = `${path}.${process.pid}-${serial++}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(temporary, 'w');
    try {
      if (typeof data === 'string' || data instanceof Uint8Array) await file.writeFile(data);
      else for (const chunk of data) await file.writeFile(chunk);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw fileError(error, path);
  }
}
