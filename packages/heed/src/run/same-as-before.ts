/** Whether a run that goes on works on what it began with. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { UserError } from '../errors.js';
import { digestOf } from './digest.js';
import { atomicWrite } from './files.js';
import { readKept } from './json-file.js';

/** Texts are kept as they are, to be shown; anything else by its fingerprint. */
const kept = (entry: unknown): string => {
  if (typeof entry === 'string') return entry;
  return entry instanceof Uint8Array ? createHash('sha256').update(entry).digest('hex').slice(0, 24) : digestOf(entry);
};

/**
 * Writes down in `file` what a run works on, and compares it on resume: answers on disk belong to the prompts that they answer, and a
 * trained adapter to the rows that it learnt from.
 *
 * @param entries Texts, bytes, or what can be JSON.
 * @param what Begins the sentence of the error: "The prompts are not those".
 * @param nameOf Where an entry comes from, for the error: its file and line. Default: texts are shown.
 * @throws UserError when `entries` differ from those of the run's first start
 */
export async function sameAsBefore<T>(file: string, entries: readonly T[], what: string, nameOf?: (entry: T) => string): Promise<void> {
  const now = entries.map(kept);
  if (!existsSync(file)) return atomicWrite(file, JSON.stringify(now));
  const before = await readKept<readonly string[]>(file);
  const at = now.findIndex((one, i) => one !== before[i]);
  if (at < 0 && before.length === now.length) return;
  throw new UserError(`${what} that this run began with, so the run cannot go on${difference()}.`, [
    'Restore what was changed, or start again with --overwrite.',
  ]);

  function difference(): string {
    if (before.length !== now.length) return `: there were ${before.length}, and there are ${now.length}`;
    const entry = entries[at]!;
    if (nameOf !== undefined) return `: the first that differs is ${nameOf(entry)}`;
    return typeof entry === 'string' ? `: ${before[at]} → ${entry}` : '';
  }
}
