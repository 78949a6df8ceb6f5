import { join } from 'node:path';
import { readSafetensors } from '../../src/model/checkpoint/safetensors.js';
import { writeSafetensors } from '../../src/model/checkpoint/safetensors-write.js';
import { loadModel } from '../../src/model/load.js';
import { tinyChat } from '../cli/support.js';

/** The tiny random model, made to end its turn within a few tokens about as often as not: an answer that never ends teaches a loop nothing. */
export async function tinyTalker(folder: string, options?: { context?: number }): Promise<string> {
  const { model } = await tinyChat(folder, options);
  const { template } = await loadModel(model);
  const file = join(model, 'model.safetensors');
  const { tensors } = readSafetensors(file);
  const head = tensors.get('lm_head.weight') ?? tensors.get('model.embed_tokens.weight')!;
  const width = head.shape[1]!;
  const arrays = [...tensors].map(([name, { shape, data }]) => ({ name, dtype: 'float32' as const, shape, data: Float32Array.from(data) }));
  const row = arrays.find(({ shape, name }) => name.startsWith(tensors.has('lm_head.weight') ? 'lm_head' : 'model.embed_tokens') && shape.length === 2)!;
  for (const id of template.stopIds) for (let i = id * width; i < (id + 1) * width; i++) row.data[i]! *= 30;
  await writeSafetensors(file, arrays);
  return model;
}
