import fs from 'node:fs';
import path from 'node:path';
import { BYTES, upcast } from './floats.js';
import type { FloatTensor } from './stored-tensor.js';

/** The tensors that `tie_word_embeddings` says are one. */
export const HEAD = 'lm_head.weight', EMBEDDINGS = 'model.embed_tokens.weight';

const PIECE = 1 << 20; // values compared at a time

/**
 * Whether a file's head is another matrix than its embeddings. Files that tie the two often hold a copy; a file with another head (adapters
 * that were merged write such) is a model of its own, whatever its configuration says.
 *
 * @param folder What the tensors' files are relative to.
 */
export function isOwnHead(folder: string, head: FloatTensor, embeddings: FloatTensor): boolean {
  if (head.shape.join() !== embeddings.shape.join()) return true;
  const count = head.length / BYTES[head.dtype];
  const files = [head, embeddings].map(({ file }) => fs.openSync(path.join(folder, file), 'r'));
  const read = (which: 0 | 1, from: number, n: number): Float32Array => {
    const { dtype, offset } = which === 0 ? head : embeddings;
    const bytes = Buffer.allocUnsafeSlow(n * BYTES[dtype]);
    fs.readSync(files[which]!, bytes, 0, bytes.length, offset + from * BYTES[dtype]);
    return upcast(dtype, bytes);
  };
  try {
    for (let from = 0; from < count; from += PIECE) {
      const n = Math.min(PIECE, count - from), [a, b] = [read(0, from, n), read(1, from, n)];
      for (let i = 0; i < n; i++) if (a[i] !== b[i]) return true;
    }
    return false;
  } finally {
    for (const file of files) fs.closeSync(file);
  }
}
