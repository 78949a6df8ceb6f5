import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';

import { fileError } from './files.js';

/**
 * SHA-256 of a file's bytes, in hex. The file is never in memory as a whole.
 *
 * @throws UserError where it cannot be read
 */
export async function digestOfFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(file), hash);
  } catch (error) {
    throw fileError(error, file, 'reading');
  }
  return hash.digest('hex');
}

/** Names the content of a JSON value: 24 hex digits. Options that are undefined are left out, as if they had not been given. */
export const digestOf = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 24);
