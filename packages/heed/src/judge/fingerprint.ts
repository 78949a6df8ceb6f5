import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { Model } from '../model/load.js';
import type { Adapter } from '../model/peft.js';

/** Bytes read of each tensor, at its beginning, middle and end. */
const SAMPLE = 1024;

/**
 * Names a model and its adapter by content, for the keys of stored labels: `name` is for people, and the digits tell apart what has the same
 * name. Of the weights samples of each tensor are read, of the adapter everything.
 */
export function fingerprint({ checkpoint, template, tokenizer }: Model, adapter?: Adapter): string {
  const hash = createHash('sha256');
  const { tensors, folder, config } = checkpoint;
  hash.update(JSON.stringify([config, template.name, template.name === 'chat' ? tokenizer.chatTemplate : null]));
  const files = new Map<string, number>();
  try {
    for (const { name, dtype, shape, file, offset, length } of [...tensors.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      hash.update(JSON.stringify([name, dtype, shape]));
      const handle = files.get(file) ?? openSync(join(folder, file), 'r');
      files.set(file, handle);
      for (const at of [0, Math.floor(length / 2), Math.max(0, length - SAMPLE)]) {
        const bytes = Buffer.alloc(Math.min(SAMPLE, length - at));
        hash.update(bytes.subarray(0, readSync(handle, bytes, 0, bytes.length, offset + at)));
      }
    }
  } finally {
    for (const handle of files.values()) closeSync(handle);
  }
  if (adapter !== undefined) {
    const { plan, parameters } = adapter;
    hash.update(JSON.stringify([plan.scale, [...plan.modules.keys()]]));
    hash.update(new Uint8Array(parameters.buffer, parameters.byteOffset, parameters.byteLength));
  }
  return hash.digest('hex').slice(0, 12);
}
