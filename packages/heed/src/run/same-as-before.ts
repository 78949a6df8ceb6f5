import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { UserError } from '../errors.js';
import { atomicWrite } from './files.js';

/**
 * Keeps a fingerprint of what a run works on in `file`, and checks it on resume: answers on disk belong to the prompts that they
 * answer, and a trained adapter to the judgments that it learned from.
 *
 * @param what Begins the sentence of the error: "The prompts are not those".
 * @throws UserError when `value` differs from that of the run's first start
 */
export async function sameAsBefore(file: string, value: unknown, what: string): Promise<void> {
  const now = createHash('sha256').update(value instanceof Uint8Array ? value : JSON.stringify(value)).digest('hex');
  if (!existsSync(file)) await atomicWrite(file, JSON.stringify(now));
  else if (JSON.parse(await readFile(file, 'utf8')) !== now) {
    throw new UserError(`${what} that this run began with, so the run cannot go on.`, [
      'Restore what was changed, or start again with --overwrite.',
    ]);
  }
}
