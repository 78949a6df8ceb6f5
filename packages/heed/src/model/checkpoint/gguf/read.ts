import { CheckpointError } from '../error.js';
import type { ByteSource } from '../source.js';
import { blockType, type BlockType } from './blocks.js';

/** A GGUF metadata value. Integers that JavaScript's numbers cannot hold stay bigint. */
export type GgufValue = number | bigint | boolean | string | GgufValue[];

/** One tensor of a GGUF file. */
export interface GgufTensor {
  readonly name: string;
  readonly type: BlockType;
  /** Slowest dimension first, as in PyTorch (the file has them the other way round). */
  readonly shape: readonly number[];
  /** From the start of the file, in bytes. */
  readonly offset: number;
  /** In bytes. */
  readonly length: number;
}

export interface Gguf {
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

/** Value types of the format, by number; each one's least size bounds what a corrupt count can make us allocate. */
const STRING = 8, ARRAY = 9;
const SIZES = [1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8];
const MAX_DEPTH = 4;
const WINDOW = 1 << 20;

/** Metadata and tensor places of a GGUF file (versions 2 and 3, little-endian). Throws `CheckpointError` for anything else. */
export function readGguf(source: ByteSource): Gguf {
  const cursor = new Cursor(source);
  const { fail } = cursor;
  if (source.size < 24) fail(`it has ${source.size} bytes, too few for a header`);
  const magic = cursor.text(4);
  if (magic !== 'GGUF') fail(`it begins with ${JSON.stringify(magic)}, not with "GGUF"`);
  const version = cursor.number(4);
  if (version === 0x02000000 || version === 0x03000000) fail('it is big-endian; only little-endian files can be read');
  if (version !== 2 && version !== 3)
    fail(`its version is ${version}; 2 and 3 can be read: convert the model again with a current llama.cpp`);
  const tensorCount = cursor.count(24, 'tensors');
  const pairCount = cursor.count(13, 'metadata values');

  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < pairCount; i++) {
    const key = cursor.string(`the key of metadata value ${i}`);
    if (metadata.has(key)) fail(`the metadata key ${key} occurs twice`);
    metadata.set(key, cursor.value(cursor.number(4), key, 0));
  }
  const infos = [];
  for (let i = 0; i < tensorCount; i++) infos.push(tensorInfo(cursor, i));

  const alignment = metadata.get('general.alignment') ?? 32;
  if (typeof alignment !== 'number' || !(alignment >= 1) || !Number.isInteger(alignment))
    return fail(`general.alignment is ${String(alignment)}`);
  const start = Math.ceil(cursor.at / alignment) * alignment;
  const tensors = new Map<string, GgufTensor>();
  for (const { name, type, shape, offset } of infos) {
    if (tensors.has(name)) fail(`the tensor ${name} occurs twice`);
    const length = shape.reduce((product, n) => product * n, 1) / type.values * type.bytes;
    if (!Number.isSafeInteger(length) || start + offset + length > source.size) {
      fail(`tensor ${name} ends at byte ${start + offset + length}, but the file has ${source.size}: it is truncated; fetch it again`);
    }
    tensors.set(name, { name, type, shape, offset: start + offset, length });
  }
  return { metadata, tensors };
}

function tensorInfo(cursor: Cursor, index: number): { name: string; type: BlockType; shape: number[]; offset: number } {
  const { fail } = cursor;
  const name = cursor.string(`the name of tensor ${index}`);
  const dimensions = cursor.number(4);
  if (dimensions > 4) fail(`tensor ${name} has ${dimensions} dimensions`);
  const shape: number[] = [];
  for (let d = 0; d < dimensions; d++) shape.unshift(cursor.long(`a dimension of tensor ${name}`));
  const type = blockType(cursor.number(4), (what) => fail(`tensor ${name} ${what}`));
  const row = shape.at(-1) ?? 1;
  if (row % type.values !== 0) fail(`tensor ${name} has rows of ${row} values, which blocks of ${type.values} (${type.name}) do not fill`);
  return { name, type, shape, offset: cursor.long(`the offset of tensor ${name}`) };
}

/** Reads forward through a source, a window at a time. */
class Cursor {
  at = 0;
  private window: Buffer = Buffer.alloc(0);
  private windowStart = 0;
  constructor(private readonly source: ByteSource) {}

  readonly fail = (what: string): never => {
    throw new CheckpointError(`${this.source.label}: not a sound GGUF file: ${what}`);
  };

  /** The next `length` bytes. */
  private take(length: number): Buffer {
    if (length > this.source.size - this.at)
      this.fail(`it ends at byte ${this.source.size} in the middle of its header: it is truncated; fetch it again`);
    if (this.at + length > this.windowStart + this.window.length) {
      const bytes = this.source.read(this.at, Math.min(Math.max(length, WINDOW), this.source.size - this.at));
      this.window = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
      this.windowStart = this.at;
    }
    const from = this.at - this.windowStart;
    this.at += length;
    return this.window.subarray(from, from + length);
  }

  text(length: number): string { return this.take(length).toString('utf8'); }

  number(bytes: number): number { return this.take(bytes).readUIntLE(0, bytes); }

  long(what: string): number {
    const value = this.take(8).readBigUInt64LE();
    return value > BigInt(Number.MAX_SAFE_INTEGER) ? this.fail(`${what} is ${value}`) : Number(value);
  }

  /** A count of things that take at least `least` bytes each: more than the rest of the file can hold is a lie. */
  count(least: number, what: string): number {
    const count = this.long(`the number of ${what}`);
    if (count * least > this.source.size - this.at)
      this.fail(
        `it announces ${count} ${what}, more than its ${this.source.size} bytes can hold: it is truncated or corrupt; fetch it again`,
      );
    return count;
  }

  string(what: string): string { return this.text(this.count(1, `bytes in ${what}`)); }

  value(type: number, key: string, depth: number): GgufValue {
    switch (type) {
      case 0: return this.take(1).readUInt8();
      case 1: return this.take(1).readInt8();
      case 2: return this.take(2).readUInt16LE();
      case 3: return this.take(2).readInt16LE();
      case 4: return this.take(4).readUInt32LE();
      case 5: return this.take(4).readInt32LE();
      case 6: return this.take(4).readFloatLE();
      case 7: return this.take(1).readUInt8() !== 0;
      case STRING: return this.string(key);
      case ARRAY: {
        if (depth >= MAX_DEPTH) this.fail(`${key} nests arrays more than ${MAX_DEPTH} deep`);
        const element = this.number(4);
        const size = SIZES[element] ?? this.fail(`${key} is an array of the unknown type ${element}`);
        const length = this.count(element === STRING ? 8 : size, `values in ${key}`);
        const out: GgufValue[] = [];
        for (let i = 0; i < length; i++) out.push(this.value(element, key, depth + 1));
        return out;
      }
      case 10: return exact(this.take(8).readBigUInt64LE());
      case 11: return exact(this.take(8).readBigInt64LE());
      case 12: return this.take(8).readDoubleLE();
      default: return this.fail(`${key} has the unknown type ${type}`);
    }
  }
}

function exact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
