/** Writing GGUF files (version 3, little-endian). */
import fs from 'node:fs/promises';
import path from 'node:path';
import { randomUUID } from 'node:crypto';
import { GGUFValueType, type GGUFTypedMetadata, serializeGgufMetadata } from '@huggingface/gguf';
import { CheckpointError, writeFailure } from '../error.js';
import { bytesOf, encode, WRITTEN, type WrittenType } from './encode.js';

/** Keys with their values and types, as `@huggingface/gguf` has them. */
export type Metadata = Readonly<Record<string, GGUFTypedMetadata[string]>>;

export const u32 = (value: number) => ({ type: GGUFValueType.UINT32, value });
export const f32 = (value: number) => ({ type: GGUFValueType.FLOAT32, value });
export const flag = (value: boolean) => ({ type: GGUFValueType.BOOL, value });
export const text = (value: string) => ({ type: GGUFValueType.STRING, value });
const list = (subType: GGUFValueType) => (value: (string | number)[]) => ({ type: GGUFValueType.ARRAY, subType, value });
export const texts = list(GGUFValueType.STRING), i32s = list(GGUFValueType.INT32);

/** A tensor to be written. */
export interface TensorToWrite {
  readonly name: string;
  /** Slowest dimension first, as in PyTorch; the file has them the other way round. */
  readonly shape: readonly number[];
  readonly type: WrittenType;
  /** Made when its turn comes, so that one tensor at a time is in memory. */
  data(): Float32Array | Promise<Float32Array>;
}

const ALIGNMENT = 32;
const padded = (length: number): number => Math.ceil(length / ALIGNMENT) * ALIGNMENT;

/**
 * Writes a file that appears whole or not at all. Tensors lie in the order given, each padded to 32 bytes, which is where llama.cpp expects
 * them.
 *
 * @throws CheckpointError where the file is there already, or a tensor's numbers do not fit its shape or its type
 */
export async function writeGguf(file: string, metadata: Metadata, tensors: readonly TensorToWrite[]): Promise<void> {
  if (await fs.stat(file).catch(() => undefined)) throw new CheckpointError(`${file}: exists already; remove it or name another file`);
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${randomUUID()}.tmp`);
  await fs.mkdir(path.dirname(file), { recursive: true }).catch((error: unknown) => { throw writeFailure(file, error); });
  const handle = await fs.open(temporary, 'wx').catch((error: unknown) => { throw writeFailure(file, error); });
  try {
    await handle.writeFile(header(metadata, tensors));
    for (const tensor of tensors) {
      const bytes = await bytesFor(tensor, file);
      await handle.writeFile(bytes);
      await handle.writeFile(new Uint8Array(padded(bytes.length) - bytes.length));
    }
    await handle.sync();
    await handle.close();
    await fs.rename(temporary, file);
  } catch (error) {
    await handle.close().catch(() => undefined);
    await fs.rm(temporary, { force: true });
    throw error instanceof CheckpointError ? error : writeFailure(file, error);
  }
}

async function bytesFor({ name, shape, type, data }: TensorToWrite, file: string): Promise<Uint8Array> {
  const values = await data(), count = sizeOf(shape);
  if (values.length !== count)
    throw new CheckpointError(`${file}: tensor ${name} has ${values.length} numbers where its shape holds ${count}`);
  // 65504 is the largest 16-bit number, and a block's largest value is 127 times its 16-bit scale.
  const most = { F32: Infinity, F16: 65504, Q8_0: 65504 * 127 }[type];
  const wrong = values.findIndex((value) => !(Math.abs(value) <= most) || !Number.isFinite(value));
  if (wrong >= 0) throw new CheckpointError(`${file}: tensor ${name} has the value ${values[wrong]}, which ${type} cannot hold`);
  return encode(type, values);
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

function header(metadata: Metadata, tensors: readonly TensorToWrite[]): Uint8Array {
  const counts = {
    version: { type: GGUFValueType.UINT32, value: 3 }, tensor_count: { type: GGUFValueType.UINT64, value: BigInt(tensors.length) },
    kv_count: { type: GGUFValueType.UINT64, value: BigInt(Object.keys(metadata).length) },
  };
  // Without alignment: the places of the tensors follow the metadata at once.
  const keys = serializeGgufMetadata({ ...metadata, ...counts } as GGUFTypedMetadata, { alignment: 1 });
  let offset = 0;
  const places = tensors.map(({ name, shape, type }) => {
    const label = Buffer.from(name), place = Buffer.alloc(8 + label.length + 4 + 8 * shape.length + 4 + 8);
    place.writeBigUInt64LE(BigInt(label.length));
    let at = 8 + label.copy(place, 8);
    at = place.writeUInt32LE(shape.length, at);
    for (const size of shape.toReversed()) at = place.writeBigUInt64LE(BigInt(size), at);
    at = place.writeUInt32LE(WRITTEN[type], at);
    place.writeBigUInt64LE(BigInt(offset), at);
    offset += padded(bytesOf(type, sizeOf(shape)));
    return place;
  });
  const all = Buffer.concat([keys, ...places]);
  return Buffer.concat([all, Buffer.alloc(padded(all.length) - all.length)]);
}
