import fs from 'node:fs';
import path from 'node:path';
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { ArchitectureDefinition } from '../architecture.js';
import type { Precision } from '../../run/precision.js';
import { CheckpointError, reason } from './error.js';
import type { HfConfig } from './config.js';
import { checkTensors, expectedTensors } from './expected.js';
import { BYTES } from './floats.js';
import { parseConfig } from './parse-config.js';
import { EMBEDDINGS, HEAD, isOwnHead } from './own-head.js';
import { floatType, readSafetensorsHeader } from './safetensors.js';
import { packedIn } from './packed.js';
import { type FloatTensor, type PackedTensor, type Place, type StoredTensor, isPacked } from './stored-tensor.js';
import { groupOf, placesOf, widen } from './widen.js';

export type { StoredTensor } from './stored-tensor.js';

/** A model on disk: its configuration, and where each of its tensors lies. */
export interface Checkpoint {
  /** What the user named. */
  readonly id: string;
  /** Absolute; all tensor files are really below it (no link leads out): ONNX Runtime maps them as external data. */
  readonly folder: string;
  /**
   * Absolute: where config.json and the tokenizer's files are. Another than `folder` only where the files are links, as in Python's
   * hub cache.
   */
  readonly home: string;
  /** Equal exactly where the model is: of the configuration, the tensors' names and shapes, and a sample of their bytes. */
  readonly fingerprint: string;
  readonly config: HfConfig;
  /** The architecture that `config` is of. */
  readonly definition: ArchitectureDefinition;
  /** Of matrices in codes: whether they are those of a GGUF file, or were rounded when the model was loaded. */
  readonly precision?: Exclude<Precision, 'f32'>;
  /** Of a checkpoint that was rounded: the one before. */
  readonly exact?: Checkpoint;
  /** By Hugging Face name (`model.layers.0.self_attn.q_proj.weight`): those of the architecture, no others. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

const Index = z.looseObject({ weight_map: z.record(z.string(), z.string()) });
const INDEX = 'model.safetensors.index.json';

/** What `openFolder` is told of the folder. */
export interface FolderOptions {
  /** What the user named. */
  readonly id: string;
  /** Those that its config.json may be of. */
  readonly architectures: readonly ArchitectureDefinition[];
  readonly log?: (line: string) => void;
}

/** Open a Hugging Face model folder: config.json with model.safetensors, or with shards and their index. */
export function openFolder(folder: string, { id, architectures, log }: FolderOptions): Checkpoint {
  const configFile = path.join(folder, 'config.json');
  let parsed = parseConfig(readJson(configFile), configFile, architectures);
  const { definition } = parsed;
  const stored = new Map<string, StoredTensor>(), shapes = new Map<string, readonly number[]>();
  const expected = expectedTensors(parsed), known = new Set([...expected.keys(), HEAD]), home = path.resolve(folder);
  const { root, files } = resolveLinks(home, weightFiles(folder));
  for (const file of files) {
    const header = readSafetensorsHeader(path.join(root, file));
    const packed = packedIn(header, file, path.join(root, file), expected);
    for (const tensor of packed) {
      stored.set(tensor.name, tensor);
      shapes.set(tensor.name, tensor.shape);
    }
    for (const { name: written, dtype, shape, offset, length } of header.tensors.values()) {
      const name = definition.tensorName?.(written) ?? written;
      if (packed.length > 0 && !known.has(name)) continue; // a part of a matrix in codes
      if (shapes.has(name)) throw new CheckpointError(`${path.join(root, file)}: tensor ${name} is in another file too`);
      shapes.set(name, shape);
      if (!known.has(name)) continue;
      const type = floatType(dtype);
      if (!type)
        throw new CheckpointError(
          `${path.join(root, file)}: tensor ${name} is ${dtype}; only F32, F16 and BF16 weights can be used: convert the model first`,
        );
      stored.set(name, { name, dtype: type, shape, file, offset, length });
    }
  }
  const floats = (name: string): FloatTensor | undefined => {
    const found = stored.get(name);
    return found === undefined || isPacked(found) ? undefined : found;
  };
  const head = floats(HEAD), embeddings = floats(EMBEDDINGS);
  if (parsed.config.tie_word_embeddings && head && embeddings && isOwnHead(root, head, embeddings)) {
    parsed = { definition, config: { ...parsed.config, tie_word_embeddings: false } };
    log?.(`${folder}: config.json ties the head to the embeddings, but the file has another ${HEAD}: that one is used`);
  }
  const { config } = parsed;
  // Copies and left-overs that many checkpoints carry and no implementation reads.
  const extra = checkTensors(parsed, shapes, folder).filter((name) => !name.endsWith('.rotary_emb.inv_freq') && name !== HEAD);
  if (extra.length > 0)
    log?.(
      `${folder}: ${extra.length} tensors are not part of the architecture and stay unused: ` +
      `${extra.slice(0, 5).join(', ')}${extra.length > 5 ? ' …' : ''}`,
    );
  const tensors = new Map([...expectedTensors(parsed).keys()].map((name) => [name, stored.get(name)!]));
  const codes = [...tensors.values()].some(isPacked) ? { precision: 'gguf' as const } : {};
  return { id, folder: root, home, fingerprint: fingerprint(root, config, tensors), config, definition, tensors, ...codes };
}

/** ONNX Runtime refuses links that lead out of the folder it maps from: start from the folder that the files are really below. */
function resolveLinks(home: string, files: readonly string[]): { root: string; files: readonly string[] } {
  const real = files.map((file) => fs.realpathSync(path.join(home, file)));
  const inside = (root: string): boolean => real.every((file) => file.startsWith(root.endsWith(path.sep) ? root : root + path.sep));
  if (inside(fs.realpathSync(home))) return { root: home, files };
  let root = path.dirname(real[0] ?? home);
  while (!inside(root) && root !== path.dirname(root)) root = path.dirname(root);
  return { root, files: real.map((file) => path.relative(root, file)) };
}

function weightFiles(folder: string): string[] {
  if (fs.existsSync(path.join(folder, INDEX))) {
    const where = path.join(folder, INDEX), parsed = Index.safeParse(readJson(where));
    if (!parsed.success) throw new CheckpointError(`${where}: has no "weight_map" from tensor names to files`);
    const files = [...new Set(Object.values(parsed.data.weight_map))].sort();
    for (const file of files) {
      if (path.basename(file) !== file)
        throw new CheckpointError(`${where}: names the file ${JSON.stringify(file)}, which is not directly in this folder`);
      if (!fs.existsSync(path.join(folder, file)))
        throw new CheckpointError(`${where}: names ${file}, which is not there: the download is incomplete`);
    }
    return files;
  }
  if (fs.existsSync(path.join(folder, 'model.safetensors'))) return ['model.safetensors'];
  const found = fs.readdirSync(folder).filter((name) => /\.(bin|pth?|gguf|safetensors)$/.test(name));
  throw new CheckpointError(
    `${folder}: has neither model.safetensors nor ${INDEX}${found.length > 0 ? ` (it has ${found.slice(0, 5).join(', ')})` : ''}; ` +
    'a folder of safetensors or the path of a .gguf file is needed',
  );
}

function readJson(file: string): unknown {
  let text: string;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch (error) {
    throw new CheckpointError(`${file}: could not be read: ${reason(error)}`, { cause: error });
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CheckpointError(`${file}: is not JSON: ${reason(error)}`, { cause: error });
  }
}

/** Keys of config.json that say who wrote it, not what the model is. */
const NO_IDENTITY = new Set(['_name_or_path', 'transformers_version', 'torch_dtype', 'dtype', 'use_cache']);
const SAMPLES = 4, SAMPLE = 256;

function fingerprint(folder: string, config: HfConfig, tensors: ReadonlyMap<string, StoredTensor>): string {
  const hash = createHash('sha256');
  hash.update(JSON.stringify(config, (key, value: unknown) => {
    if (NO_IDENTITY.has(key) || value === null) return undefined;
    return typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  }));
  const open = new Map<string, number>();
  const read = ({ file, offset }: Place, length: number): Buffer => {
    const fd = open.get(file) ?? fs.openSync(path.join(folder, file), 'r'), bytes = Buffer.alloc(length);
    open.set(file, fd);
    return bytes.subarray(0, fs.readSync(fd, bytes, 0, length, offset));
  };
  try {
    for (const tensor of tensors.values()) {
      // Matrices in codes are the numbers that the codes stand for: the same model as where they are stored widened.
      const dtype = isPacked(tensor) ? 'float32' : tensor.dtype;
      const length = BYTES[dtype] * tensor.shape.reduce((product, n) => product * n, 1), size = Math.min(SAMPLE, length);
      hash.update(`\n${tensor.name} ${dtype} ${tensor.shape.join()}\n`);
      for (let i = 0; i < SAMPLES; i++) {
        const at = Math.floor(((length - size) * i) / (SAMPLES - 1) / BYTES[dtype]) * BYTES[dtype];
        hash.update(isPacked(tensor) ? widened(tensor, at, size, read) : read({ ...tensor, offset: tensor.offset + at }, size));
      }
    }
  } finally {
    for (const fd of open.values()) fs.closeSync(fd);
  }
  return hash.digest('hex');
}

/** Bytes `at` … `at + size` of a matrix in codes, as 32-bit floats. */
function widened(tensor: PackedTensor, at: number, size: number, read: (place: Place, length: number) => Buffer): Uint8Array {
  const group = groupOf(tensor);
  const from = Math.floor(at / 4 / group) * group, to = Math.ceil((at + size) / 4 / group) * group;
  const values = widen(tensor, placesOf(tensor, from, to - from).map((place) => read(place, place.length)));
  return new Uint8Array(values.buffer, at - 4 * from, size);
}
