/** Linear weights in 8 bits, by blocks: made once from a checkpoint, kept in the cache, mapped from there. */
import path from 'node:path';
import { UserError } from '../errors.js';
import { cached, cacheFolder } from './checkpoint/cache.js';
import { CheckpointError } from './checkpoint/error.js';
import { type Checkpoint, readBytes, readTensor } from './checkpoint/open.js';
import { type FloatTensor, type Place, isPacked } from './checkpoint/stored-tensor.js';
import { readSafetensorsHeader } from './checkpoint/safetensors.js';
import { CODES, type TensorToWrite, writeSafetensors } from './checkpoint/safetensors-write.js';

/** Neighbours along a weight's input that share a scale. */
export const BLOCK = 32;

/** One linear weight in 8 bits: (codes − 128)·scale. */
export interface QuantizedLinear {
  readonly outputs: number;
  readonly inputs: number;
  readonly codes: Place; // uint8 [outputs, inputs / BLOCK, BLOCK]
  readonly scales: Place; // float32 [outputs, inputs / BLOCK]
}

/** A checkpoint whose linear layers are in 8 bits, those of the head included. */
export interface QuantizedCheckpoint {
  readonly id: string;
  /** Absolute; everything below is in files of it. */
  readonly folder: string;
  /** By module, without ".weight". The head of tied embeddings is `model.embed_tokens`. */
  readonly linears: ReadonlyMap<string, QuantizedLinear>;
  /** Zero points, all of them 128, as many as any layer has blocks. */
  readonly zeros: Place; // uint8
  /** What is not a linear layer (embeddings, norms, biases), as the checkpoint stores it. */
  readonly tensors: ReadonlyMap<string, FloatTensor>;
}

/**
 * Rounds weights to 8 bits, symmetrically by blocks of `BLOCK`: the largest of a block becomes ±127, so an error is at most half of
 * 1/127 of it.
 */
export function quantizeBlocks(weights: Float32Array): { readonly codes: Uint8Array; readonly scales: Float32Array } {
  const codes = new Uint8Array(weights.length);
  const scales = new Float32Array(weights.length / BLOCK);
  for (let b = 0, at = 0; b < scales.length; b++, at += BLOCK) {
    let most = 0;
    for (let i = at; i < at + BLOCK; i++) most = Math.max(most, Math.abs(weights[i]!));
    scales[b] = most / 127;
    const inverse = most === 0 ? 0 : 127 / most;
    for (let i = at; i < at + BLOCK; i++) codes[i] = Math.round(weights[i]! * inverse) + 128;
  }
  return { codes, scales };
}

/** Whether a tensor is the weight of a linear layer; the embeddings are one where they are the head too. */
const isLinear = ({ name, shape }: FloatTensor, tied: boolean): boolean =>
  shape.length === 2 &&
  name.endsWith('.weight') &&
  (name.includes('.layers.') || name === 'lm_head.weight' || (tied && name === EMBEDDINGS));

const EMBEDDINGS = 'model.embed_tokens.weight';
const FILE = 'int8.safetensors';
const ZEROS = 'zeros';
const blocksOf = ({ shape }: FloatTensor): number => (shape[0]! * shape[1]!) / BLOCK;
const mostBlocks = (linears: readonly FloatTensor[]): number => Math.max(...linears.map(blocksOf));

/**
 * The 8-bit weights of a checkpoint: made at the first call (seconds for 10⁸ weights; a quarter of their float32 bytes and 1/8 of
 * that for scales, beside a copy of the embeddings), mapped from the cache ever after. A file that is cut short is made again.
 *
 * @throws UserError where a layer's width is no multiple of `BLOCK`
 */
export async function openQuantized(
  checkpoint: Checkpoint,
  { cacheDir = cacheFolder(), log }: { readonly cacheDir?: string; readonly log?: (line: string) => void } = {},
): Promise<QuantizedCheckpoint> {
  const { id, fingerprint } = checkpoint;
  const tied = !checkpoint.tensors.has('lm_head.weight');
  const all = [...checkpoint.tensors.values()].flatMap((tensor) => (isPacked(tensor) ? [] : [tensor]));
  const linears = all.filter((tensor) => isLinear(tensor, tied));
  const odd = linears.find(({ shape }) => shape[1]! % BLOCK !== 0);
  if (odd !== undefined) {
    throw new UserError(
      `${id}: ${odd.name} is [${odd.shape.join(', ')}]; int8 weights share a scale in blocks of ${BLOCK}, and ${odd.shape[1]!} is ` +
      'no multiple of that.',
      ['Use precision f32.'],
    );
  }
  const kept = all.filter((tensor) => !isLinear(tensor, false));
  const about = { id: `${id} (int8)`, source: `8-bit weights of ${id}, blocks of ${BLOCK}` };
  const folder = await cached(
    cacheDir,
    `int8--${fingerprint.slice(0, 16)}--b${BLOCK}`,
    about,
    (made) => write(checkpoint, linears, kept, path.join(made, FILE)),
    log,
  );
  return read(id, folder, linears, kept);
}

async function write(checkpoint: Checkpoint, linears: readonly FloatTensor[], kept: readonly FloatTensor[], file: string): Promise<void> {
  const made = linears.flatMap(({ name, shape }): TensorToWrite[] => {
    const [outputs, inputs] = shape as [number, number];
    // Both come of one pass over the weight, in the order in which they are written.
    let parts: ReturnType<typeof quantizeBlocks>;
    return [
      {
        name: `${moduleOf(name)}.codes`,
        dtype: 'uint8',
        shape: [outputs, inputs / BLOCK, BLOCK],
        data: async function* () {
          yield (parts = quantizeBlocks(await readTensor(checkpoint, name))).codes;
        },
      },
      {
        name: `${moduleOf(name)}.scales`,
        dtype: 'float32',
        shape: [outputs, inputs / BLOCK],
        data: function* () {
          yield parts.scales;
        },
      },
    ];
  });
  const copies = kept.map((tensor): TensorToWrite => ({
    ...tensor,
    data: async function* () {
      yield await readBytes(checkpoint.folder, tensor, tensor.name);
    },
  }));
  const zeros: TensorToWrite = {
    name: ZEROS,
    dtype: 'uint8',
    shape: [mostBlocks(linears)],
    data: new Uint8Array(mostBlocks(linears)).fill(128),
  };
  await writeSafetensors(file, [...copies, zeros, ...made], { fingerprint: checkpoint.fingerprint });
}

function read(id: string, folder: string, linears: readonly FloatTensor[], kept: readonly FloatTensor[]): QuantizedCheckpoint {
  const file = path.join(folder, FILE);
  const stored = readSafetensorsHeader(file).tensors;
  const find = (name: string, dtype: string, shape: readonly number[]): Place => {
    const found = stored.get(name);
    if (found === undefined || found.dtype !== dtype || found.shape.join() !== shape.join()) {
      throw new CheckpointError(
        `${file}: should have ${name} (${dtype} [${shape.join(', ')}]), but has ` +
        `${found === undefined ? 'none' : `${found.dtype} [${found.shape.join(', ')}]`}; remove the folder, and it is made again`,
      );
    }
    return { file: FILE, offset: found.offset, length: found.length };
  };
  return {
    id,
    folder,
    zeros: find(ZEROS, 'U8', [mostBlocks(linears)]),
    linears: new Map(linears.map(({ name, shape }) => {
      const [outputs, inputs] = shape as [number, number];
      const module = moduleOf(name);
      return [
        module,
        {
          outputs,
          inputs,
          codes: find(`${module}.codes`, 'U8', [outputs, inputs / BLOCK, BLOCK]),
          scales: find(`${module}.scales`, 'F32', [outputs, inputs / BLOCK]),
        },
      ];
    })),
    tensors: new Map(kept.map((tensor) => [tensor.name, { ...tensor, ...find(tensor.name, CODES[tensor.dtype], tensor.shape) }])),
  };
}

const moduleOf = (name: string): string => name.slice(0, -'.weight'.length);
