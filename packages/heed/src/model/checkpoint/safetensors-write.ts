import fs from 'node:fs/promises';
import path from 'node:path';
import { randomUUID } from 'node:crypto';
import { CheckpointError, writeFailure } from './error.js';
import { BYTES, type FloatType } from './floats.js';

/** What a tensor will be, before its numbers are there. */
export interface TensorSpec {
  readonly name: string;
  readonly dtype: FloatType | 'uint8' | 'int8';
  readonly shape: readonly number[];
}

/** A tensor's numbers: 32-bit floats, or the raw little-endian bytes of its dtype, whole or in pieces made when they are asked for. */
export type TensorData = Float32Array | Uint8Array | Uint16Array;
export interface TensorToWrite extends TensorSpec {
  readonly data: TensorData | (() => Iterable<TensorData> | AsyncIterable<TensorData>);
}

export interface SafetensorsWriter {
  /** Append `data` to what has been written of `name`. Tensors may come in any order. */
  write(name: string, data: TensorData): Promise<void>;
  /** Check that every tensor is whole, and put the file in place. */
  finish(): Promise<void>;
  /** Remove what was written. */
  abandon(): Promise<void>;
}

/** How the format names a dtype. */
export const CODES: Readonly<Record<TensorSpec['dtype'], string>> =
  { float32: 'F32', float16: 'F16', bfloat16: 'BF16', uint8: 'U8', int8: 'I8' };
const sizeOf = (dtype: TensorSpec['dtype']): number => (dtype === 'uint8' || dtype === 'int8' ? 1 : BYTES[dtype]);
const ALIGNMENT = 64;   // a cache line: the weights are used where they lie, memory-mapped

/**
 * Write a safetensors file, tensor by tensor; it appears at `file` whole or not at all.
 *
 * @param file where to; its folder must exist
 * @param tensors in the order they shall have in the file; pass `data` as a function to make large ones piece by piece
 * @param metadata the file's `__metadata__`; PEFT and transformers expect `{ format: 'pt' }`, the default
 */
export async function writeSafetensors(
  file: string,
  tensors: Iterable<TensorToWrite>,
  metadata?: Readonly<Record<string, string>>,
): Promise<void> {
  const list = [...tensors];
  const writer = await openSafetensorsWriter(file, list, metadata);
  try {
    for (const { name, data } of list) {
      if (typeof data !== 'function') await writer.write(name, data);
      else for await (const piece of data()) await writer.write(name, piece);
    }
    await writer.finish();
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}

/** As `writeSafetensors` where the numbers come in another order than the file's, or from elsewhere. */
export async function openSafetensorsWriter(
  file: string,
  specs: readonly TensorSpec[],
  metadata: Readonly<Record<string, string>> = { format: 'pt' },
): Promise<SafetensorsWriter> {
  const header = Object.create(null) as Record<string, unknown>; // no prototype: a tensor may have any name
  header.__metadata__ = metadata;
  const places = new Map<string, { at: number; end: number; dtype: TensorSpec['dtype'] }>();
  let end = 0;
  for (const { name, dtype, shape } of specs) {
    if (places.has(name) || name === '__metadata__')
      throw new CheckpointError(`${file}: the tensor name ${name} is used twice or reserved`);
    const length = shape.reduce((product, n) => product * n, 1) * sizeOf(dtype);
    header[name] = { dtype: CODES[dtype], shape, data_offsets: [end, end + length] };
    places.set(name, { at: end, end: end + length, dtype });
    end += length;
  }
  const json = Buffer.from(JSON.stringify(header));
  const start = Math.ceil((8 + json.length) / ALIGNMENT) * ALIGNMENT;
  const head = Buffer.alloc(start, ' ');
  head.writeBigUInt64LE(BigInt(start - 8));
  json.copy(head, 8);

  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${randomUUID()}.tmp`);
  const handle = await fs.open(temporary, 'wx').catch((error: unknown) => {
    throw writeFailure(file, error);
  });
  const put = async (bytes: Uint8Array, at: number): Promise<void> => {
    try {
      for (let done = 0; done < bytes.length;) done += (await handle.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
    } catch (error) {
      throw writeFailure(file, error);
    }
  };
  const abandon = async (): Promise<void> => {
    await handle.close().catch(() => undefined);
    await fs.rm(temporary, { force: true });
  };
  try {
    await put(head, 0);
  } catch (error) {
    await abandon();
    throw error;
  }
  return {
    abandon,
    async write(name, data) {
      const place = places.get(name);
      if (!place) throw new CheckpointError(`${file}: tensor ${name} was not announced`);
      if (data instanceof Float32Array && place.dtype !== 'float32')
        throw new CheckpointError(`${file}: tensor ${name} is ${place.dtype}, but 32-bit floats were given for it`);
      if (place.at + data.byteLength > place.end)
        throw new CheckpointError(
          `${file}: tensor ${name} was given ${place.at + data.byteLength - place.end} bytes more than its shape holds`,
        );
      const at = start + place.at;
      place.at += data.byteLength;
      await put(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    },
    async finish() {
      for (const [name, place] of places) {
        if (place.at !== place.end) throw new CheckpointError(`${file}: tensor ${name} lacks ${place.end - place.at} bytes`);
      }
      try {
        await handle.sync();
        await handle.close();
        await fs.rename(temporary, file);
      } catch (error) {
        await abandon();
        throw writeFailure(file, error);
      }
    },
  };
}
