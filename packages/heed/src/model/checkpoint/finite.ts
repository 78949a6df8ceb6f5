import { createHash } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { CheckpointError } from './error.js';
import type { FloatType } from './floats.js';
import type { Checkpoint } from './folder.js';
import { type FloatTensor, type StoredTensor, isPacked } from './stored-tensor.js';

const PIECE = 1 << 23; // bytes read at a time
/** Models of fewer bytes are looked through at every opening, which takes less than a tenth of a second. */
const REMEMBERED = 1 << 26;

/** The bits of an exponent: all of them are set in NaN and the infinities, and in nothing else. */
const EXPONENT: Readonly<Record<FloatType, number>> = { float32: 0x7f800000, float16: 0x7c00, bfloat16: 0x7f80 };

/** How many values among little-endian numbers of `type` are NaN or infinite. */
export function countNotFinite(type: FloatType, bytes: Uint8Array): number {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const words = type === 'float32'
    ? new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4)
    : new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.length / 2);
  const mask = EXPONENT[type];
  let found = 0;
  for (let i = 0; i < words.length; i++) if ((words[i]! & mask) === mask) found++;
  return found;
}

/**
 * Looks through all weights for NaN and infinities, with which every answer is empty and every loss is NaN. What a large model's files said
 * is remembered in the cache, so that they are read once and not at every start.
 *
 * @throws CheckpointError naming the first such tensor and its file
 */
export async function checkFinite(checkpoint: Checkpoint, cacheDir: string): Promise<void> {
  const tensors = [...checkpoint.tensors.values()].flatMap(floatsOf).sort((a, b) => a.file.localeCompare(b.file) || a.offset - b.offset);
  const remembered = tensors.reduce((sum, { length }) => sum + length, 0) < REMEMBERED ? undefined : await mark(checkpoint, cacheDir);
  if (remembered !== undefined && (await fs.stat(remembered).catch(() => undefined))) return;
  const bytes = new Uint8Array(PIECE);
  let open: { readonly file: string; readonly handle: fs.FileHandle } | undefined;
  try {
    for (const tensor of tensors) {
      if (open?.file !== tensor.file) {
        await open?.handle.close();
        open = { file: tensor.file, handle: await fs.open(path.join(checkpoint.folder, tensor.file), 'r') };
      }
      const found = await countIn(open.handle, tensor, bytes);
      if (found > 0) throw notFinite(path.join(checkpoint.folder, tensor.file), tensor.name, found);
    }
  } finally {
    await open?.handle.close();
  }
  if (remembered === undefined) return;
  // A cache that cannot be written costs the same look at the next start, and nothing else.
  await fs.mkdir(path.dirname(remembered), { recursive: true }).then(() => fs.writeFile(remembered, '')).catch(() => undefined);
}

/** What of a tensor may not be finite: itself, or the floats that its codes are multiplied with. */
function floatsOf(tensor: StoredTensor): FloatTensor[] {
  if (!isPacked(tensor)) return [tensor];
  const { name, shape, scales, minima } = tensor;
  return [scales, ...(minima === undefined ? [] : [minima])].map(({ halves }) => ({ name, shape, dtype: 'float16', ...halves }));
}

/** @param where The file, as the user knows it. */
export const notFinite = (where: string, tensor: string, found: number): CheckpointError =>
  new CheckpointError(
    `${where}: ${found === 1 ? '1 value' : `${found} values`} of the tensor ${tensor} ${found === 1 ? 'is' : 'are'} NaN or infinite: ` +
    'the training that made the weights diverged, or they were converted to a type too small for them; get the model from elsewhere',
  );

async function countIn(handle: fs.FileHandle, { dtype, offset, length }: FloatTensor, bytes: Uint8Array): Promise<number> {
  let found = 0;
  for (let done = 0; done < length;) {
    const { bytesRead } = await handle.read(bytes, 0, Math.min(PIECE, length - done), offset + done);
    if (bytesRead === 0) break; // `readTensor` says that the file was changed
    const whole = bytesRead - (done + bytesRead < length ? bytesRead % 4 : 0);
    found += countNotFinite(dtype, bytes.subarray(0, whole));
    done += whole;
  }
  return found;
}

/** The file in the cache that says that these files were looked through. */
async function mark({ folder, fingerprint, tensors }: Checkpoint, cacheDir: string): Promise<string> {
  const hash = createHash('sha256').update(fingerprint);
  for (const file of new Set([...tensors.values()].flatMap(floatsOf).map((tensor) => tensor.file))) {
    const at = path.join(folder, file), { size, mtimeMs } = await fs.stat(at);
    hash.update(`\n${at} ${size} ${mtimeMs}`);
  }
  return path.join(cacheDir, 'finite', hash.digest('hex').slice(0, 32));
}
