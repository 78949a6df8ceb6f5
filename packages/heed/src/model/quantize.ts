/** Matrices rounded to codes of 8 or 4 bits, by blocks: made once from a checkpoint, kept in the cache, mapped from there. */
import path from 'node:path';
import { UserError } from '../errors.js';
import { cached, cacheFolder, modelsFolder } from './checkpoint/cache.js';
import { halfTable } from './checkpoint/floats.js';
import type { Checkpoint } from './checkpoint/folder.js';
import { halfBits } from './checkpoint/gguf/encode.js';
import { type PackedForm, type PackedParts, type ToPack, openPacked, writePacked } from './checkpoint/packed.js';
import { readBytes, readTensor } from './checkpoint/read.js';
import { type FloatTensor, type Place, type StoredTensor, isPacked } from './checkpoint/stored-tensor.js';
import type { Precision } from '../run/precision.js';

/** Neighbours along a weight's input that share a scale. */
export const BLOCK = 32;
const EMBEDDINGS = 'model.embed_tokens.weight';
const FILE = 'model.safetensors';
const PIECE = 1 << 20; // values rounded at a time

/** The nearest 16-bit float. */
const half = (value: number): { readonly bits: number; readonly value: number } => {
  const bits = halfBits(value);
  return { bits, value: halfTable()[bits]! };
};

const form = (dtype: PackedForm['dtype'], minima: boolean): PackedForm => ({ dtype, block: BLOCK, together: 1, minima });

/**
 * Rounds numbers to 8 bits, symmetrically by blocks of `BLOCK`: the largest of a block becomes about ±127, its scale is a 16-bit float.
 * An error is at most half of 1/127 of the largest.
 */
export function toInt8(values: Float32Array): PackedParts & { readonly scales: Uint16Array } {
  const codes = new Uint8Array(values.length), scales = new Uint16Array(values.length / BLOCK);
  for (let b = 0, at = 0; b < scales.length; b++, at += BLOCK) {
    let most = 0;
    for (let i = at; i < at + BLOCK; i++) most = Math.max(most, Math.abs(values[i]!));
    const { bits, value: scale } = half(most / 127);
    scales[b] = bits;
    const inverse = scale === 0 ? 0 : 1 / scale;
    for (let i = at; i < at + BLOCK; i++) codes[i] = 128 + Math.max(-127, Math.min(127, Math.round(values[i]! * inverse)));
  }
  return { codes, scales };
}

/**
 * Rounds numbers to 4 bits by blocks of `BLOCK`, from the smallest of a block to the largest: its scale and its minimum are 16-bit floats.
 * An error is at most half of 1/15 of the range, and what 16 bits lose of the minimum.
 */
export function toInt4(values: Float32Array): PackedParts & { readonly scales: Uint16Array; readonly minima: Uint16Array } {
  const codes = new Uint8Array(values.length / 2);
  const [scales, minima] = [new Uint16Array(values.length / BLOCK), new Uint16Array(values.length / BLOCK)];
  for (let b = 0, at = 0; b < scales.length; b++, at += BLOCK) {
    let [least, most] = [Infinity, -Infinity];
    for (let i = at; i < at + BLOCK; i++) [least, most] = [Math.min(least, values[i]!), Math.max(most, values[i]!)];
    const minimum = half(least), scale = half((most - minimum.value) / 15);
    [minima[b], scales[b]] = [minimum.bits, scale.bits];
    for (let i = at; i < at + BLOCK; i++) {
      const code = scale.value === 0 ? 0 : Math.max(0, Math.min(15, Math.round((values[i]! - minimum.value) / scale.value)));
      codes[i >> 1]! |= code << (4 * (i & 1));
    }
  }
  return { codes, scales, minima };
}

/** How a matrix is rounded. Embeddings and head have 8 bits in either case: rows of nibbles cannot be picked. */
const roundingOf = (name: string, precision: 'int8' | 'int4') =>
  (precision === 'int8' || !name.includes('.layers.')
    ? { form: form('uint8', false), round: toInt8 }
    : { form: form('uint4', true), round: toInt4 });

/** Whether a tensor is the weight of a linear layer, the embeddings or the head. */
const isMatrix = ({ name, shape }: StoredTensor): boolean =>
  shape.length === 2 && name.endsWith('.weight') && (name.includes('.layers.') || name === 'lm_head.weight' || name === EMBEDDINGS);

/**
 * A checkpoint with its matrices rounded, embeddings and head included: made at the first call (seconds for 10⁸ weights), mapped from the
 * cache ever after. A file that is cut short is made again. It has the checkpoint's fingerprint: adapters fit both.
 *
 * @throws UserError where a layer's width is no multiple of `BLOCK`
 */
export async function quantize(
  checkpoint: Checkpoint, precision: 'int8' | 'int4',
  { cacheDir = cacheFolder(), log }: { readonly cacheDir?: string; readonly log?: (line: string) => void } = {},
): Promise<Checkpoint> {
  const { id, fingerprint } = checkpoint;
  const all = [...checkpoint.tensors.values()];
  const odd = all.find((tensor) => isMatrix(tensor) && tensor.shape[1] % BLOCK !== 0);
  if (odd !== undefined) {
    throw new UserError(
      `${id}: ${odd.name} is [${odd.shape.join(', ')}]; ${precision} weights share a scale in blocks of ${BLOCK}, and ` +
      `${odd.shape[1]} is no multiple of that.`,
      ['Use precision f32.'],
    );
  }
  const about = { id: `${id} (${precision})`, source: `${precision} weights of ${id}, blocks of ${BLOCK}` };
  const key = `${precision}--${fingerprint.slice(0, 16)}--${BLOCK}`;
  const folder = await cached(modelsFolder(cacheDir), key, about, (made) => writePacked(path.join(made, FILE), all.map(rounded)), log);
  const shapes = new Map(all.map((tensor) => [tensor.name, tensor.shape]));
  return { ...checkpoint, folder, tensors: openPacked(path.join(folder, FILE), FILE, shapes), precision, exact: checkpoint };

  function rounded(tensor: StoredTensor): ToPack {
    const { name } = tensor;
    if (!isMatrix(tensor)) {
      const { dtype, shape, ...place } = tensor as FloatTensor;
      return { name, dtype, shape, async *data() { yield await readBytes(checkpoint.folder, place, name); } };
    }
    const { form: layout, round } = roundingOf(name, precision), shape = tensor.shape as [number, number];
    return {
      name, shape, form: layout,
      async *data() {
        const values = await readTensor(checkpoint, name);
        const most = Math.max(1, Math.floor(PIECE / shape[1])) * shape[1];
        for (let at = 0; at < values.length; at += most) yield round(values.subarray(at, at + most));
      },
    };
  }
}

/**
 * A checkpoint as `quantize` would give it, for predicting memory: its matrices in codes have sizes, and lie in no file. Undefined where it
 * is rounded already, or has a width that cannot be.
 */
export function asIfRounded(checkpoint: Checkpoint, precision: 'int8' | 'int4'): Checkpoint | undefined {
  const all = [...checkpoint.tensors.values()];
  if (hasCodes(checkpoint) || all.some((tensor) => isMatrix(tensor) && tensor.shape[1] % BLOCK !== 0)) return undefined;
  let end = 0;
  const place = (length: number): Place => ({ file: '', offset: (end += length) - length, length });
  const zeros = place(Math.max(0, ...all.filter(isMatrix).map(({ shape }) => (shape[0] * shape[1]) / BLOCK)));
  const tensors = new Map(all.map((tensor): [string, StoredTensor] => {
    if (!isMatrix(tensor)) return [tensor.name, tensor];
    const { form: { dtype, block, minima } } = roundingOf(tensor.name, precision), shape = tensor.shape as [number, number];
    const count = shape[0] * shape[1], bytes = dtype === 'uint4' ? count / 2 : count, halves = (2 * count) / block;
    const more = minima ? { minima: { halves: place(halves) } } : { zeros };
    const parts = { codes: place(bytes), scales: { halves: place(halves) }, ...more };
    return [tensor.name, { name: tensor.name, dtype, shape, block, ...parts, length: bytes + (minima ? 2 : 1) * halves }];
  }));
  return { ...checkpoint, tensors, precision };
}

/** Whether any of a checkpoint's matrices are in codes. */
export const hasCodes = ({ tensors }: Pick<Checkpoint, 'tensors'>): boolean => [...tensors.values()].some(isPacked);

/**
 * A checkpoint whose matrices are in memory as `precision` says. The codes of a GGUF file are there only where it was opened with them.
 *
 * @throws UserError where they are not, or a width does not fit
 */
export async function inPrecision(
  checkpoint: Checkpoint, precision: Precision, options?: Parameters<typeof quantize>[2],
): Promise<Checkpoint> {
  if (precision === 'f32' || precision === checkpoint.precision) return checkpoint;
  if (precision === 'gguf')
    throw new UserError(`${checkpoint.id} was opened without its file's codes.`, ["Load it with loadModel(…, { precision: 'gguf' })."]);
  return quantize(checkpoint, precision, options);
}
