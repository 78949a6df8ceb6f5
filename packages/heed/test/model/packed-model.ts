import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ARCHITECTURES } from '../../src/model/architectures/index.js';
import { expectedTensors } from '../../src/model/checkpoint/expected.js';
import { blockType } from '../../src/model/checkpoint/gguf/blocks.js';
import { halfBits } from '../../src/model/checkpoint/gguf/encode.js';
import { PACKINGS, inBytes } from '../../src/model/checkpoint/gguf/pack.js';
import { type ToPack, writePacked } from '../../src/model/checkpoint/packed.js';
import { parseConfig } from '../../src/model/checkpoint/parse-config.js';
import { createRandom } from '../../src/run/random.js';
import { tinyChat } from '../cli/support.js';

/** ggml's number of each type, and the places of the 16-bit floats in a block. */
export const TYPES: Readonly<Record<string, { readonly id: number; readonly halves: readonly number[] }>> = {
  Q4_0: { id: 2, halves: [0] }, Q4_1: { id: 3, halves: [0, 2] }, Q5_0: { id: 6, halves: [0] }, Q5_1: { id: 7, halves: [0, 2] },
  Q8_0: { id: 8, halves: [0] }, Q4_K: { id: 12, halves: [0, 2] }, Q5_K: { id: 13, halves: [0, 2] }, Q6_K: { id: 14, halves: [208] },
};

/** Random blocks of a type whose numbers are about as large as weights are, and what ggml's formulas make of them. */
export function randomBlocks(type: string, count: number, name = ''): { readonly bytes: Uint8Array; readonly exact: Float32Array } {
  const { id, halves } = TYPES[type]!;
  const { values, bytes: size, dequantise } = blockType(id, (what) => { throw new Error(what); });
  const random = createRandom('blocks', type, name);
  const bytes = Uint8Array.from({ length: (count * size) / values }, () => Math.floor(256 * random.next()));
  for (let at = 0; at < bytes.length; at += size) {
    for (const [i, place] of halves.entries()) {
      const half = halfBits((i === 0 || type.endsWith('_K') ? 1 : -8) * (1e-4 + (type.endsWith('_K') ? 1e-4 : 4e-3) * random.next()));
      [bytes[at + place], bytes[at + place + 1]] = [half & 255, half >> 8];
    }
  }
  const exact = new Float32Array(count);
  dequantise(bytes, exact, count / values);
  return { bytes, exact };
}

/**
 * A Llama with a tokenizer whose matrices are random blocks of all types in turn, twice: with its codes, and with the same numbers in
 * float32.
 */
export async function twins(folder: string): Promise<{ readonly codes: string; readonly widened: string }> {
  const { model } = await tinyChat(folder);
  const original = JSON.parse(readFileSync(join(model, 'config.json'), 'utf8')) as Record<string, unknown>;
  const config = {
    ...original, hidden_size: 256, num_hidden_layers: 2, num_attention_heads: 4, num_key_value_heads: 2, head_dim: 64,
    intermediate_size: 512, tie_word_embeddings: true,
  };
  const names = Object.keys(TYPES);
  const tensors = [...expectedTensors(parseConfig(config, folder, ARCHITECTURES))].map(([name, shape], i) => {
    const count = shape.reduce((a, b) => a * b, 1);
    if (shape.length === 1) return { name, shape, exact: new Float32Array(count).fill(1) };
    const type = name.includes('.layers.') ? names[i % names.length]! : 'Q8_0';
    return { name, shape: shape as [number, number], type, ...randomBlocks(type, count, name) };
  });
  const raw = (exact: Float32Array) => (): Iterable<Uint8Array> => [new Uint8Array(exact.buffer)];
  const write = async (to: string, keep: boolean): Promise<string> => {
    const at = join(folder, to);
    mkdirSync(at);
    for (const file of ['tokenizer.json', 'tokenizer_config.json']) cpSync(join(model, file), join(at, file));
    writeFileSync(join(at, 'config.json'), JSON.stringify(config));
    await writePacked(join(at, 'model.safetensors'), tensors.map((tensor): ToPack => {
      const { name, shape, exact } = tensor;
      if (!keep || !('type' in tensor)) return { name, shape, dtype: 'float32', data: raw(exact) };
      const packing = PACKINGS[tensor.type]!, form = name.includes('.layers.') ? packing : inBytes(packing);
      const blocks = tensor.bytes.length / blockType(TYPES[tensor.type]!.id, () => { throw new Error(); }).bytes;
      return { name, shape: shape as [number, number], form, data: () => [form.pack(tensor.bytes, blocks)] };
    }));
    return at;
  };
  return { codes: await write('codes', true), widened: await write('widened', false) };
}
