import { join } from 'node:path';
import { readSafetensors } from '../../src/model/checkpoint/safetensors.js';
import { writeSafetensors } from '../../src/model/checkpoint/safetensors-write.js';
import { loadModel } from '../../src/model/load.js';
import { tinyChat } from '../cli/support.js';

/**
 * The tiny random model, made to end its turn within a few tokens about as often as not: an answer that never ends teaches a loop nothing.
 *
 * @param leaning What an adapter can learn to say: one direction of the head favours printable ASCII so strongly. Default: 0, not at all.
 * @param sharpness Factor of the head: at 1 no adapter can make one token much likelier than another, at 30 it can. Default: 1.
 */
export async function tinyTalker(
  folder: string, { context, leaning = 0, sharpness = 1 }: { context?: number; leaning?: number; sharpness?: number } = {},
): Promise<string> {
  const { model } = await tinyChat(folder, { context });
  const { template, tokenizer } = await loadModel(model);
  const file = join(model, 'model.safetensors');
  const { tensors } = readSafetensors(file);
  const head = tensors.get('lm_head.weight') ?? tensors.get('model.embed_tokens.weight')!;
  const width = head.shape[1]!;
  const arrays = [...tensors].map(([name, { shape, data }]) => ({ name, dtype: 'float32' as const, shape, data: Float32Array.from(data) }));
  const rows = tensors.has('lm_head.weight') ? 'lm_head' : 'model.embed_tokens';
  const row = arrays.find(({ shape, name }) => name.startsWith(rows) && shape.length === 2)!;
  for (let i = 0; i < row.data.length; i++) row.data[i]! *= sharpness;
  for (let id = 0; id < head.shape[0]!; id++) {
    if (/^[ -~]$/.test(tokenizer.decode([id]))) row.data[id * width]! += leaning;
  }
  for (const id of template.stopIds) for (let i = id * width; i < (id + 1) * width; i++) row.data[i]! *= 30 / sharpness;
  await writeSafetensors(file, arrays);
  return model;
}
