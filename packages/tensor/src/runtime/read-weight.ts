import { closeSync, openSync, readSync } from 'node:fs';
import { resolve } from 'node:path';
import { upcast } from '../floats.js';
import type { DeviceWeight } from '../onnx/webgpu-weight.js';

/** The numbers of a weight in a file, as float32. @throws Error naming the file where it ends too early */
export function readWeight({ name, dtype, data: { file, offset, length } }: DeviceWeight, folder: string): Float32Array {
  const path = resolve(folder, file);
  const bytes = new Uint8Array(length);
  const descriptor = openSync(path, 'r');
  try {
    for (let at = 0; at < length;) {
      // One call reads at most 2 GB.
      const read = readSync(descriptor, bytes, at, Math.min(length - at, 2 ** 30), offset + at);
      if (read === 0) throw new Error(`${path} ends at byte ${offset + at}, within "${name}".`);
      at += read;
    }
  } finally {
    closeSync(descriptor);
  }
  return upcast(dtype, bytes);
}
