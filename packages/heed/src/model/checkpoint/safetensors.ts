import { CheckpointError } from './error.js';
import { fileSource, type ByteSource } from './source.js';
import { upcast, type FloatType } from './floats.js';

/** One tensor of a safetensors file. */
export interface SafetensorsEntry {
  readonly name: string;
  /** As the file says it: F32, BF16, I64 … */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** From the start of the file, in bytes. */
  readonly offset: number;
  /** In bytes. */
  readonly length: number;
}

export interface SafetensorsHeader {
  readonly tensors: ReadonlyMap<string, SafetensorsEntry>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Bits per element of every dtype that the format knows. */
const BITS: Readonly<Record<string, number>> = {
  BOOL: 8, U8: 8, I8: 8, F8_E4M3: 8, F8_E5M2: 8, F8_E8M0: 8, F4: 4, I16: 16, U16: 16, F16: 16, BF16: 16,
  I32: 32, U32: 32, F32: 32, I64: 64, U64: 64, F64: 64, C64: 64,
};
const FLOATS: Readonly<Record<string, FloatType>> = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' };
const MAX_HEADER = 100_000_000;   // the reference implementation's limit: keeps a corrupt length from allocating the machine

/** The float type behind a safetensors dtype, if it is one that weights may have here. */
export function floatType(dtype: string): FloatType | undefined {
  return Object.hasOwn(FLOATS, dtype) ? FLOATS[dtype] : undefined;
}

/** Names, shapes and places of a safetensors file's tensors. Throws `CheckpointError` for anything the format does not allow. */
export function readSafetensorsHeader(path: string): SafetensorsHeader {
  const source = fileSource(path);
  try {
    return parseSafetensorsHeader(source);
  } finally {
    source.close();
  }
}

/** All tensors of a (small) safetensors file as 32-bit floats: adapters. */
export function readSafetensors(path: string): {
  tensors: Map<string, { shape: readonly number[]; data: Float32Array }>;
  metadata: Readonly<Record<string, string>>;
} {
  const source = fileSource(path);
  try {
    const header = parseSafetensorsHeader(source);
    const tensors = new Map<string, { shape: readonly number[]; data: Float32Array }>();
    for (const { name, dtype, shape, offset, length } of header.tensors.values()) {
      const type = floatType(dtype);
      if (!type) throw new CheckpointError(`${path}: tensor ${name} is ${dtype}; only F32, F16 and BF16 can be read`);
      tensors.set(name, { shape, data: upcast(type, source.read(offset, length)) });
    }
    return { tensors, metadata: header.metadata };
  } finally {
    source.close();
  }
}

/** As `readSafetensorsHeader`, over any bytes. */
export function parseSafetensorsHeader(source: ByteSource): SafetensorsHeader {
  const { label, size } = source;
  const fail = (what: string): never => { throw new CheckpointError(`${label}: not a sound safetensors file: ${what}`); };
  if (size < 8) fail(`it has ${size} bytes, too few for a header`);
  const first = source.read(0, 8);
  const headerLength = Number(new DataView(first.buffer, first.byteOffset, 8).getBigUint64(0, true));
  if (headerLength > MAX_HEADER) fail(`its header would have ${headerLength} bytes (the limit is ${MAX_HEADER})`);
  if (headerLength > size - 8)
    fail(
      `its header should have ${headerLength} bytes, but the file ends after ${size} bytes: it is truncated or of another format; ` +
      'fetch it again',
    );

  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(source.read(8, headerLength)));
  } catch {
    fail('its header is not JSON');
  }
  if (!isRecord(json)) return fail('its header is not a JSON object');
  const start = 8 + headerLength;
  const metadata: Record<string, string> = {};
  const entries: SafetensorsEntry[] = [];
  for (const [name, value] of Object.entries(json)) {
    if (name === '__metadata__') {
      if (!isRecord(value)) return fail('__metadata__ is not an object');
      for (const [key, text] of Object.entries(value)) {
        if (typeof text !== 'string') fail(`__metadata__.${key} is not a string`);
        else Object.defineProperty(metadata, key, { value: text, enumerable: true });
      }
      continue;
    }
    entries.push(parseEntry(name, value, start, size, fail));
  }
  checkPlacement(entries, start, size, fail);
  return { tensors: new Map(entries.map((entry) => [entry.name, entry])), metadata };
}

function parseEntry(name: string, value: unknown, start: number, size: number, fail: (what: string) => never): SafetensorsEntry {
  if (!isRecord(value)) return fail(`tensor ${name} is described by ${JSON.stringify(value)}, not by an object`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string' || !Object.hasOwn(BITS, dtype))
    return fail(`tensor ${name} has the unknown dtype ${JSON.stringify(dtype)}`);
  if (!isCounts(shape)) return fail(`tensor ${name} has the shape ${JSON.stringify(shape)}`);
  if (!isCounts(offsets) || offsets.length !== 2) return fail(`tensor ${name} has the data_offsets ${JSON.stringify(offsets)}`);
  const [begin, end] = offsets as [number, number];
  const length = end - begin;
  if (length < 0) fail(`tensor ${name} ends (${end}) before it begins (${begin})`);
  if (start + end > size) fail(`tensor ${name} ends at byte ${start + end}, but the file has ${size}: it is truncated; fetch it again`);
  const bits = shape.reduce((product, n) => product * n, 1) * BITS[dtype]!;
  if (bits !== length * 8)
    fail(`tensor ${name} (${dtype} [${shape.join(', ')}]) needs ${bits / 8} bytes, but its data_offsets hold ${length}`);
  return { name, dtype, shape, offset: start + begin, length };
}

/** Tensors fill the file without holes or overlaps, as the format demands: anything else is damage or a trick. */
function checkPlacement(entries: readonly SafetensorsEntry[], start: number, size: number, fail: (what: string) => never): void {
  let end = start, previous = 'the header';
  for (const entry of [...entries].sort((a, b) => a.offset - b.offset || a.length - b.length)) {
    if (entry.offset < end) fail(`tensors ${previous} and ${entry.name} overlap`);
    if (entry.offset > end) fail(`${entry.offset - end} bytes between ${previous} and tensor ${entry.name} belong to nothing`);
    end = entry.offset + entry.length;
    previous = entry.name;
  }
  if (end !== size) fail(`${size - end} bytes after ${previous} belong to nothing`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && (n as number) >= 0);
}
