import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { countNotFinite } from '../../src/model/checkpoint/finite.js';
import { upcast } from '../../src/model/checkpoint/floats.js';
import { memorySource } from '../../src/model/checkpoint/source.js';
import { readGguf } from '../../src/model/checkpoint/gguf/read.js';
import { openCheckpoint, readTensor } from '../../src/model/checkpoint/open.js';
import { readSafetensorsHeader } from '../../src/model/checkpoint/safetensors.js';
import { type TensorToWrite, writeSafetensors } from '../../src/model/checkpoint/safetensors-write.js';
import { exportMerged } from '../../src/model/export.js';
import { loadAdapter } from '../../src/model/peft.js';
import { quantize } from '../../src/model/quantize.js';
import { isPacked } from '../../src/model/checkpoint/stored-tensor.js';
import { fixture, json, scratch } from './support.js';
import { type Scored, distance, modelFixture, openTiny, scorer, useEngine } from './tiny.js';

const engine = useEngine();
const folder = scratch();

/** A copy of a model whose configuration and tensors may be changed. */
function copy(from: string, name: string): string {
  const to = path.join(folder, name);
  fs.cpSync(from, to, { recursive: true });
  return to;
}

function tie(model: string): void {
  const file = path.join(model, 'config.json');
  fs.writeFileSync(file, JSON.stringify({ ...json<object>(file), tie_word_embeddings: true }));
}

/** Overwrites bytes of a tensor, from its first value on. */
function patch(model: string, tensor: string, bytes: Uint8Array, skip = 0): void {
  for (const name of fs.readdirSync(model).filter((one) => one.endsWith('.safetensors'))) {
    const file = path.join(model, name), place = readSafetensorsHeader(file).tensors.get(tensor);
    if (place === undefined) continue;
    const fd = fs.openSync(file, 'r+');
    fs.writeSync(fd, bytes, 0, bytes.length, place.offset + skip);
    fs.closeSync(fd);
    return;
  }
  throw new Error(`no ${tensor}`);
}

const sequences = json<Record<string, Scored[]>>(modelFixture('logprobs.json'))['plain']!;

describe('a head of its own under tie_word_embeddings: true', () => {
  it('gives the log-probabilities that transformers computes with that head, and is said', async () => {
    const model = copy(modelFixture('plain'), 'own-head'), lines: string[] = [];
    tie(model);
    const checkpoint = await openCheckpoint(model, { log: (line) => lines.push(line) });
    const own = await scorer(engine(), checkpoint);
    expect(distance(await own.score(sequences), sequences.map((s) => s.logprobs))).toBeLessThan(1e-4);
    expect(lines.join()).toMatch(/ties the head to the embeddings, but the file has another lm_head\.weight/);
  });

  it('is exported, and is another model than the one that is tied', async () => {
    const model = copy(fixture('tiny-llama'), 'own-head-sharded');
    tie(model);
    const checkpoint = await openCheckpoint(model);
    await exportMerged(checkpoint, [], path.join(folder, 'exported'));
    const exported = await openCheckpoint(path.join(folder, 'exported'));
    expect(await readTensor(exported, 'lm_head.weight')).toEqual(await readTensor(checkpoint, 'lm_head.weight'));
    expect(exported.config.tie_word_embeddings).toBe(false);
    expect(checkpoint.fingerprint).toBe((await openCheckpoint(fixture('tiny-llama'))).fingerprint);
  });

  const types = ['float32', 'float16', 'bfloat16'] as const;
  it.each(types)('a copy of the embeddings is no head of its own, one value apart is (%s)', async (dtype) => {
    const model = copy(modelFixture('llama3'), `copy-${dtype}`), base = await openTiny('llama3');
    tie(model);
    const embeddings = base.tensors.get('model.embed_tokens.weight')!;
    const table = await readTensor(base, embeddings.name), words = new Uint8Array(table.buffer);
    const halves = new Uint16Array(table.length).map((_, i) => words[4 * i + 2]! | (words[4 * i + 3]! << 8)); // the upper half: bfloat16
    const data = dtype === 'float32' ? table : halves;
    const others = await Promise.all([...base.tensors.values()].filter(({ name }) => name !== embeddings.name && name !== 'lm_head.weight')
      .map(async ({ name, shape }): Promise<TensorToWrite> => ({ name, shape, dtype: 'float32', data: await readTensor(base, name) })));
    const both = ['model.embed_tokens.weight', 'lm_head.weight'].map((name) => ({ name, shape: embeddings.shape, dtype, data }));
    await writeSafetensors(path.join(model, 'model.safetensors'), [...others, ...both]);
    expect((await openCheckpoint(model)).tensors.has('lm_head.weight')).toBe(false);
    const size = data.BYTES_PER_ELEMENT;
    patch(model, 'lm_head.weight', new Uint8Array(size).fill(0x11), (data.length - 1) * size);
    expect((await openCheckpoint(model)).tensors.has('lm_head.weight')).toBe(true);
  });

  it('is what 8-bit weights hold', async () => {
    const model = path.join(folder, 'wide');
    fs.mkdirSync(model);
    const shapes = { 'model.embed_tokens.weight': [8, 32], 'lm_head.weight': [8, 32], 'model.norm.weight': [32] };
    const linear = ['q_proj', 'k_proj', 'v_proj', 'o_proj'].map((name) => [`self_attn.${name}`, [32, 32]] as const);
    const mlp = ['gate_proj', 'up_proj', 'down_proj'].map((name) => [`mlp.${name}`, [32, 32]] as const);
    const norms = ['input_layernorm', 'post_attention_layernorm'].map((name) => [name, [32]] as const);
    const all = { ...shapes, ...Object.fromEntries([...linear, ...mlp, ...norms].map(([n, s]) => [`model.layers.0.${n}.weight`, s])) };
    await writeSafetensors(path.join(model, 'model.safetensors'), Object.entries(all).map(([name, shape], seed) => {
      const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i * 7.3 + seed));
      return { name, shape, dtype: 'float32' as const, data };
    }));
    fs.writeFileSync(path.join(model, 'config.json'), JSON.stringify({
      model_type: 'llama', hidden_size: 32, intermediate_size: 32, num_hidden_layers: 1, num_attention_heads: 1, vocab_size: 8,
      tie_word_embeddings: true,
    }));
    const rounded = await quantize(await openCheckpoint(model), 'int8', { cacheDir: path.join(folder, 'cache') });
    expect(isPacked(rounded.tensors.get('lm_head.weight')!)).toBe(true);
  });
});

describe('NaN and infinities in weights', () => {
  it('are the numbers that JavaScript does not find finite, in every 16-bit number of both types', () => {
    const bits = Uint16Array.from({ length: 65536 }, (_, i) => i), bytes = new Uint8Array(bits.buffer);
    for (const type of ['float16', 'bfloat16'] as const) {
      expect(countNotFinite(type, bytes)).toBe(upcast(type, bytes).filter((x) => !Number.isFinite(x)).length);
    }
    const floats = Float32Array.from([0, -1, 3.4e38, -1e-45, NaN, Infinity, -Infinity]);
    expect(countNotFinite('float32', new Uint8Array(floats.buffer))).toBe(3);
  });

  it.each([
    ['plain', 'model.layers.1.mlp.up_proj.weight', [0x00, 0x7c]], // float16: ∞
    ['plain', 'lm_head.weight', [0x01, 0xfe]],
    ['llama3', 'model.norm.weight', [0x00, 0x00, 0x80, 0xff]], // float32: −∞
  ])('%s: %s is refused by name', async (base, tensor, bytes) => {
    const model = copy(modelFixture(base), `damaged-${base}-${tensor}`);
    const { dtype } = (await openTiny(base)).tensors.get(tensor)!;
    expect(dtype).toBe(bytes.length === 2 ? 'float16' : 'float32');
    patch(model, tensor, Uint8Array.from(bytes), bytes.length);
    await expect(openCheckpoint(model)).rejects.toThrow(`1 value of the tensor ${tensor} is NaN or infinite`);
  });

  it('in a shard and in bfloat16', async () => {
    const model = copy(fixture('tiny-llama'), 'damaged-shard'), tensor = 'model.layers.0.input_layernorm.weight';
    patch(model, tensor, Uint8Array.from([0xc1, 0x7f, 0x80, 0xff]));
    await expect(openCheckpoint(model)).rejects.toThrow(`2 values of the tensor ${tensor} are NaN or infinite`);
  });

  it('in a GGUF, by the name in that file; nothing of it stays in the cache', async () => {
    const bytes = new Uint8Array(fs.readFileSync(fixture('tiny-llama.gguf')));
    const tensor = [...readGguf(memorySource(bytes)).tensors.values()].find(({ type }) => type.name === 'F32')!;
    bytes.set([0, 0, 0xc0, 0x7f], tensor.offset);
    const file = path.join(folder, 'damaged.gguf'), cacheDir = path.join(folder, 'gguf-cache');
    fs.writeFileSync(file, bytes);
    await expect(openCheckpoint(file, { cacheDir })).rejects.toThrow(`damaged.gguf: 1 value of the tensor ${tensor.name} is NaN`);
    expect(fs.readdirSync(path.join(cacheDir, 'models')).filter((name) => !name.startsWith('.'))).toEqual([]);
  });

  it("in an adapter's head", async () => {
    const adapter = copy(modelFixture('peft/reward'), 'damaged-adapter');
    const file = path.join(adapter, 'adapter_model.safetensors');
    const head = [...readSafetensorsHeader(file).tensors.values()].find(({ name }) => name.includes('score'))!;
    const bytes = head.dtype === 'F32' ? [0, 0, 0xc0, 0x7f] : [0xc0, 0x7f];
    patch(adapter, head.name, Uint8Array.from(bytes));
    const checkpoint = await openTiny('llama3');
    await expect(loadAdapter(adapter, checkpoint)).rejects.toThrow(`tensor ${head.name} has values that are not finite`);
  });
});
