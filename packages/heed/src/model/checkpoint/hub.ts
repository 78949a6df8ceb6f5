import { createWriteStream } from 'node:fs';
import path from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { downloadFile, listFiles } from '@huggingface/hub';
import { cached, modelsFolder } from './cache.js';
import { CheckpointError, reason } from './error.js';
import type { Progress } from './progress.js';

/** What a model needs besides its weights, where the repository has it. */
const SMALL = new Set([
  'config.json', 'generation_config.json', 'tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json', 'added_tokens.json',
  'tokenizer.model', 'vocab.json', 'merges.txt', 'chat_template.jinja', 'chat_template.json', 'model.safetensors.index.json',
]);

/**
 * Download a model repository of the Hugging Face hub into `folder`: configuration, tokenizer and safetensors.
 * `HF_ENDPOINT` and `HF_TOKEN` mean what they mean elsewhere.
 */
export async function downloadModel(id: string, folder: string, onProgress?: Progress, fetcher?: typeof fetch): Promise<void> {
  const repo = { type: 'model' as const, name: id };
  const access = { repo, hubUrl: process.env.HF_ENDPOINT || undefined, accessToken: process.env.HF_TOKEN || undefined, fetch: fetcher };
  try {
    const files: { path: string; size: number }[] = [], all: string[] = [];
    for await (const file of listFiles(access)) {
      all.push(file.path);
      if (file.type === 'file' && (SMALL.has(file.path) || /^(model[^/]*)\.safetensors$/.test(file.path))) files.push(file);
    }
    if (!all.includes('config.json') || !files.some((file) => file.path.endsWith('.safetensors'))) {
      const ggufs = all.filter((name) => name.endsWith('.gguf'));
      const hint = ggufs.length > 0 ? `; it has ${ggufs.slice(0, 3).join(', ')}: download one and give its path as the model` : '';
      throw new CheckpointError(`the repository ${id} has no config.json with model*.safetensors${hint}`);
    }
    const total = files.reduce((sum, file) => sum + file.size, 0);
    let done = 0;
    for (const file of files) {
      const blob = await downloadFile({ ...access, path: file.path });
      if (!blob) throw new CheckpointError(`the repository ${id} lists ${file.path}, but does not give it`);
      const count = new Transform({
        transform(chunk: Uint8Array, _encoding, next) {
          onProgress?.({ what: 'download', done: (done += chunk.length), total });
          next(null, chunk);
        },
      });
      await pipeline(Readable.fromWeb(blob.stream()), count, createWriteStream(path.join(folder, file.path), { flags: 'wx' }));
    }
  } catch (error) {
    if (error instanceof CheckpointError) throw error;
    const cause = error instanceof Error && error.cause instanceof Error ? ` (${error.cause.message})` : '';
    throw new CheckpointError(
      `${id} could not be fetched from the Hugging Face hub: ${reason(error)}${cause}; download it elsewhere and give its folder, ` +
      'or a .gguf file, as the model',
      { cause: error },
    );
  }
}

/** A hub model's folder in the cache. */
export async function hubModel(
  id: string,
  cacheDir: string,
  onProgress?: Progress,
  log?: (line: string) => void,
  fetcher?: typeof fetch,
): Promise<string> {
  return cached(
    modelsFolder(cacheDir),
    `hub--${id.replace('/', '--')}`,
    { id, source: `Hugging Face hub ${id}` },
    (folder) => downloadModel(id, folder, onProgress, fetcher),
    log,
  );
}
