/**
 * One run per folder: `run.lock` names the process that owns it.
 *
 * A lock library that trusts a heartbeat makes a killed run wait until the heartbeat is stale. Here the lock holds the pid and
 * the moment that process started, so a lock left by a SIGKILL is known to be dead at once, even when its pid is in use again.
 */
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

import { UserError } from '../errors.js';
import { fileError } from './files.js';

interface Owner {
  readonly pid: number;
  readonly host: string;
  /** The system's mark of when the process started; '' where the system has none to read. */
  readonly started: string;
  readonly since: string;
}

/** When a process started, in clock ticks since boot, with the boot's id (Linux); '' elsewhere. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is a name that may hold spaces and brackets; the 22nd is the start time.
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${ticks}`;
  } catch {
    return '';
  }
}

function alive(owner: Owner): boolean {
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    // EPERM: it lives, under another user.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const started = startOf(owner.pid);
  return started === '' || owner.started === '' || started === owner.started;
}

async function readOwner(path: string): Promise<{ text: string; owner?: Owner } | undefined> {
  try {
    const text = await readFile(path, 'utf8');
    try {
      const value = JSON.parse(text) as Partial<Owner> | null;
      if (typeof value?.pid === 'number') return { text, owner: { host: '', started: '', since: '', ...value, pid: value.pid } };
    } catch {
      // not ours, or cut: nobody can own it
    }
    return { text };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw fileError(error, path, 'reading');
  }
}

/** Who holds the lock; undefined where nobody does, or the process is dead. Of a process of another machine that cannot be known. */
export async function holderOf(path: string): Promise<{ readonly pid: number; readonly host: string; readonly since: string } | undefined> {
  const owner = (await readOwner(path))?.owner;
  if (owner === undefined || ((owner.host === '' || owner.host === hostname()) && !alive(owner))) return undefined;
  return { pid: owner.pid, host: owner.host, since: owner.since };
}

/** Whether a living process holds the lock, or one of another machine, of which that cannot be known. */
export const isHeld = async (path: string): Promise<boolean> => (await holderOf(path)) !== undefined;

/**
 * Takes the lock, from a dead process too.
 *
 * @returns a function that gives it back.
 * @throws UserError naming the pid, when a living process holds it.
 */
export async function takeLock(path: string): Promise<() => Promise<void>> {
  const own: Owner = { pid: process.pid, host: hostname(), started: startOf(process.pid), since: new Date().toISOString() };
  const text = JSON.stringify(own);
  const draft = `${path}.${process.pid}.tmp`;
  const aside = `${path}.${process.pid}.stale`;
  try {
    await writeFile(draft, text);
    for (;;) {
      try {
        // A link appears whole or not at all, and never over another.
        await link(draft, path);
        break;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const held = await readOwner(path);
      if (held === undefined) continue; // given back meanwhile
      if (held.owner && held.owner.host !== '' && held.owner.host !== own.host) {
        throw new UserError(`The run folder is in use by process ${held.owner.pid} on ${held.owner.host} (since ${held.owner.since})`, [
          `If that machine no longer runs it, remove ${path}.`,
        ]);
      }
      if (held.owner && alive(held.owner)) {
        throw new UserError(`The run folder is in use by process ${held.owner.pid} (since ${held.owner.since}): ${path}`, [
          'Wait for it to end, stop it, or choose another folder with run.dir=FOLDER.',
        ]);
      }
      // Two processes may both see the dead lock; only one can move this very file away.
      await rename(path, aside).catch(() => undefined);
      const moved = await readOwner(aside);
      if (moved && moved.text !== held.text) await link(aside, path).catch(() => undefined); // it was another's new lock: put it back
      await rm(aside, { force: true });
    }
  } catch (error) {
    throw fileError(error, path);
  } finally {
    await rm(draft, { force: true }).catch(() => undefined);
  }
  return async () => {
    if ((await readOwner(path))?.text === text) await rm(path, { force: true });
  };
}
