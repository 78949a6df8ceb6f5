import fs from 'node:fs/promises';
import path from 'node:path';
import { tokenizerFromGguf } from '../../../text/gguf-vocabulary.js';
import type { ArchitectureDefinition } from '../../architecture.js';
import { ARCHITECTURES } from '../../architectures/index.js';
import { CheckpointError, reason } from '../error.js';
import { parseConfig } from '../parse-config.js';
import { checkTensors } from '../expected.js';
import { countNotFinite, notFinite } from '../finite.js';
import { fileSource, type ByteSource } from '../source.js';
import { writePacked, type PackedParts, type ToPack } from '../packed.js';
import type { Progress } from '../progress.js';
import { optional } from './metadata.js';
import { readGguf, type Gguf, type GgufTensor } from './read.js';
import { configFromGguf } from './config.js';
import { renameTensors, type Renamed } from './names.js';
import { PACKINGS, inBytes, type Packing } from './pack.js';

const PIECE = 1 << 20;   // values dequantised at a time: 4 MiB, so that a large embedding is never in memory whole

/** How a file is converted. */
export interface ConvertOptions {
  readonly onProgress?: Progress;
  /** Those that the file may be of. Default: those that come with Heed. */
  readonly architectures?: readonly ArchitectureDefinition[];
  /** Whether matrices keep their codes, where `PACKINGS` has their type. Default: false, everything becomes f32. */
  readonly codes?: boolean;
}

/**
 * Convert a GGUF file into a Hugging Face folder: config.json, model.safetensors (f32, or the file's codes), tokenizer.json,
 * tokenizer_config.json. `folder` must exist; `label` is how errors call the file.
 */
export async function convertGguf(
  file: string,
  folder: string,
  label: string,
  { onProgress, architectures = ARCHITECTURES, codes = false }: ConvertOptions = {},
): Promise<void> {
  const source = fileSource(file);
  try {
    const named: ByteSource = { ...source, label };
    const gguf = readGguf(named);
    const config = configFromGguf(gguf, label, architectures, (tensor) => unpack(tensor, source.read(tensor.offset, tensor.length)));
    const tensors = renameTensors(gguf, label, architectures);
    const shapes = new Map(tensors.map(({ name, tensor }) => [name, tensor.shape]));
    const extra = checkTensors(parseConfig(config, label, architectures), shapes, label);
    if (extra.length > 0)
      throw new CheckpointError(
        `${label}: has tensors that its architecture does not have, so it is another model: ${extra.slice(0, 5).join(', ')}`,
      );
    const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
    const { tokenizer, tokenizerConfig } = vocabulary(gguf.metadata, label);
    await fs.writeFile(path.join(folder, 'config.json'), json(config));
    const ends = endTokens(gguf, label);
    if (ends.length > 1) await fs.writeFile(path.join(folder, 'generation_config.json'), json({ eos_token_id: ends }));
    await fs.writeFile(path.join(folder, 'tokenizer.json'), JSON.stringify(tokenizer));
    await fs.writeFile(path.join(folder, 'tokenizer_config.json'), json(tokenizerConfig));

    const total = tensors.reduce((sum, { tensor }) => sum + tensor.length, 0);
    let done = 0;
    const told = (length: number): void => onProgress?.({ what: codes ? 'sort' : 'dequantise', done: (done += length), total });
    await writePacked(path.join(folder, 'model.safetensors'), tensors.map((renamed): ToPack => {
      const { name, tensor } = renamed;
      const packing = codes ? packingOf(renamed) : undefined;
      if (packing !== undefined) {
        const shape = tensor.shape as [number, number];
        return { name, shape, form: packing, data: () => sorted(renamed, packing, source, label, told) };
      }
      return {
        name, dtype: 'float32', shape: tensor.shape,
        *data() {
          for (const piece of dequantise(renamed, source)) {
            const bytes = new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength);
            requireFinite('float32', bytes, label, tensor.name);
            yield bytes;
          }
          told(tensor.length);
        },
      };
    }));
  } finally {
    source.close();
  }
}

/** Tokens that end an answer: of the text, of a turn, and of a turn that calls a tool. */
function endTokens(gguf: Gguf, label: string): number[] {
  return [...new Set(['eos', 'eot', 'eom'].flatMap((name) => optional(gguf, `tokenizer.ggml.${name}_token_id`, label) ?? []))];
}

function vocabulary(metadata: ReadonlyMap<string, unknown>, label: string): ReturnType<typeof tokenizerFromGguf> {
  try {
    return tokenizerFromGguf(metadata);
  } catch (error) {
    throw new CheckpointError(`${label}: its tokenizer cannot be used: ${reason(error)}`, { cause: error });
  }
}

function requireFinite(type: 'float32' | 'float16', bytes: Uint8Array, label: string, tensor: string): void {
  const found = countNotFinite(type, bytes);
  if (found > 0) throw notFinite(label, tensor, found);
}

/** How a matrix keeps its codes. Embeddings and head have them in bytes: rows of nibbles cannot be picked. */
function packingOf({ name, tensor }: Renamed): Packing | undefined {
  const packing = tensor.shape.length === 2 ? PACKINGS[tensor.type.name] : undefined;
  return packing === undefined || name.includes('.layers.') ? packing : inBytes(packing);
}

/** A matrix's codes, scales and minima, piece by piece. */
function* sorted(
  { tensor, heads }: Renamed, packing: Packing, source: ByteSource, label: string, told: (length: number) => void,
): Generator<PackedParts> {
  const { type: { values, bytes: size }, shape, length, offset, name } = tensor;
  const whole = heads === undefined ? undefined : restoreRows(source.read(offset, length), tensor, heads);
  // Whole rows, so that the parts of a piece lie together as those of the matrix do.
  const row = (shape[1]! / values) * size, most = Math.max(1, Math.floor(PIECE / shape[1]!)) * row;
  for (let at = 0; at < length; at += most) {
    const bytes = whole?.subarray(at, at + most) ?? source.read(offset + at, Math.min(most, length - at));
    const parts = packing.pack(bytes, bytes.length / size);
    for (const halves of [parts.scales, parts.scale_factors, parts.minima, parts.minimum_factors])
      if (halves !== undefined) requireFinite('float16', new Uint8Array(halves.buffer), label, name);
    yield parts;
    told(bytes.length);
  }
}

/** A tensor's values, piece by piece; each piece is overwritten by the next. */
function* dequantise({ tensor, heads, added }: Renamed, source: ByteSource): Generator<Float32Array> {
  const { type } = tensor;
  if (heads !== undefined) {
    yield unpack(tensor, restoreRows(source.read(tensor.offset, tensor.length), tensor, heads));
    return;
  }
  const blocks = tensor.length / type.bytes, most = PIECE / type.values;
  const piece = new Float32Array(Math.min(blocks, most) * type.values);
  for (let at = 0; at < blocks; at += most) {
    const count = Math.min(most, blocks - at);
    type.dequantise(source.read(tensor.offset + at * type.bytes, count * type.bytes), piece, count);
    if (added !== undefined) for (let i = 0; i < count * type.values; i++) piece[i]! -= added;
    yield piece.subarray(0, count * type.values);
  }
}

function unpack({ type }: GgufTensor, bytes: Uint8Array): Float32Array {
  const count = bytes.length / type.bytes, out = new Float32Array(count * type.values);
  type.dequantise(bytes, out, count);
  return out;
}

/** Undo llama.cpp's `permute`: its row 2j + i of a head is row i·(size/2) + j here. Whole rows move, so they may stay packed. */
function restoreRows(bytes: Uint8Array, { name, shape }: GgufTensor, heads: number): Uint8Array {
  const rows = shape[0] ?? 0, size = rows / heads, stride = bytes.length / rows;
  if (!Number.isInteger(size / 2))
    throw new CheckpointError(`the tensor ${name} has ${rows} rows, which ${heads} rotary heads do not divide`);
  const out = new Uint8Array(bytes.length);
  for (let head = 0; head < heads; head++) {
    for (let j = 0; j < size / 2; j++) {
      for (let i = 0; i < 2; i++) {
        const from = (head * size + 2 * j + i) * stride;
        out.set(bytes.subarray(from, from + stride), (head * size + i * (size / 2) + j) * stride);
      }
    }
  }
  return out;
}
