/** What several runs share, as files of one folder. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { atomicWrite } from './files.js';
import type { Shared } from './shared.js';

/** A part of what is kept: an array of numbers as the base64 of its bytes, which keeps every bit. */
const FLOATS = 'float32';

/**
 * Opens a folder of shared results. A file is named by the digest of its key. One that cannot be read is made again: nothing in the folder
 * is needed for anything but time.
 *
 * @throws UserError where the folder cannot be written
 */
export function openShared(folder: string): Shared {
  return {
    async take<T>(what: string, key: Iterable<unknown>, make: () => Promise<T>): Promise<T> {
      const file = join(folder, `${what}-${digestOf(key)}.json`);
      const kept = await readFile(file, 'utf8').then((text) => JSON.parse(text, revive) as { readonly value: T }).catch(() => undefined);
      if (kept !== undefined) return kept.value;
      const value = await make();
      await atomicWrite(file, JSON.stringify({ value }, replace));
      return value;
    },
  };
}

function digestOf(parts: Iterable<unknown>): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${JSON.stringify(part) ?? 'undefined'}\n`);
  return hash.digest('hex').slice(0, 32);
}

function replace(_: string, value: unknown): unknown {
  if (!(value instanceof Float32Array)) return value;
  return { [FLOATS]: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') };
}

function revive(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !(FLOATS in value) || typeof value[FLOATS] !== 'string') return value;
  // A copy, since the bytes of a Buffer may begin anywhere in memory.
  return new Float32Array(Uint8Array.from(Buffer.from(value[FLOATS], 'base64')).buffer);
}
