import fsp from 'node:fs/promises';
import path from 'node:path';
import { CheckpointError, reason } from './error.js';
import { upcast } from './floats.js';
import type { Checkpoint } from './folder.js';
import { type PackedTensor, type Place, isPacked } from './stored-tensor.js';
import { factorsIn, placesOf, widen } from './widen.js';

/** One tensor's values as 32-bit floats, in the order of its shape. Codes are widened. */
export async function readTensor({ folder, tensors }: Pick<Checkpoint, 'folder' | 'tensors'>, name: string): Promise<Float32Array> {
  const stored = tensors.get(name);
  if (!stored) throw new CheckpointError(`${folder}: has no tensor ${name}`);
  if (!isPacked(stored)) return upcast(stored.dtype, await readBytes(folder, stored, name));
  const places = placesOf(stored, 0, stored.shape[0] * stored.shape[1]);
  return widen(stored, await Promise.all(places.map((place) => readBytes(folder, place, name))));
}

/** Each block's scale, and its minimum where it has one, of a matrix in codes. */
export async function readFactors(folder: string, tensor: PackedTensor): Promise<{ scales: Float32Array; minima?: Float32Array }> {
  const [, ...places] = placesOf(tensor, 0, tensor.shape[0] * tensor.shape[1]);
  return factorsIn(tensor, await Promise.all(places.map((place) => readBytes(folder, place, tensor.name))));
}

/** Bytes as they are stored; `name` is what errors call them. */
export async function readBytes(folder: string, { file, offset, length }: Place, name: string): Promise<Uint8Array> {
  const at = path.join(folder, file);
  const handle = await fsp.open(at, 'r').catch((error: unknown) => {
    throw new CheckpointError(`${at}: could not be opened: ${reason(error)}`, { cause: error });
  });
  try {
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const { bytesRead } = await handle.read(bytes, done, Math.min(length - done, 1 << 30), offset + done);
      if (bytesRead === 0) throw new CheckpointError(`${at}: ends in the middle of tensor ${name}: it was changed after it was opened`);
      done += bytesRead;
    }
    return bytes;
  } finally {
    await handle.close();
  }
}
