import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { architectureOf } from '../../src/model/architecture.js';
import { ARCHITECTURES } from '../../src/model/architectures/index.js';
import { configFromGguf } from '../../src/model/checkpoint/gguf/config.js';
import { renameTensors } from '../../src/model/checkpoint/gguf/names.js';
import { type Gguf, type GgufValue, readGguf } from '../../src/model/checkpoint/gguf/read.js';
import { openCheckpoint, readTensor } from '../../src/model/checkpoint/open.js';
import { fileSource } from '../../src/model/checkpoint/source.js';
import { fixture, scratch } from './support.js';

// tools/oracles/gguf_families.py wrote each GGUF from the folder of the same name, that transformers had saved.
const folder = scratch();
const original = (name: string): string => path.join(import.meta.dirname, '../fixtures/architectures', name);
const file = (name: string): string => fixture(`families/${name}.gguf`);

/** The parsed file with some metadata replaced. */
function changed(name: string, metadata: Record<string, GgufValue | undefined>): Gguf {
  const source = fileSource(file(name)), gguf = readGguf(source), merged = new Map(gguf.metadata);
  source.close();
  for (const [key, value] of Object.entries(metadata)) {
    if (value === undefined) merged.delete(key);
    else merged.set(key, value);
  }
  return { tensors: gguf.tensors, metadata: merged };
}
const config = (gguf: Gguf): Record<string, unknown> =>
  configFromGguf(gguf, 'm', ARCHITECTURES, ({ length }) => new Float32Array(length / 4).fill(1));

describe.each(['qwen2', 'qwen3', 'mistral', 'phi3', 'phi3-long', 'gemma3'])('a GGUF of %s', (name) => {
  it('is the model that transformers saved: names, values, dimensions', async () => {
    const ours = await openCheckpoint(file(name), { cacheDir: folder }), theirs = await openCheckpoint(original(name));
    expect(ours.config.model_type).toBe(theirs.config.model_type);
    expect([...ours.tensors.keys()]).toEqual([...theirs.tensors.keys()]);
    for (const tensor of theirs.tensors.keys()) {
      const [a, b] = [await readTensor(ours, tensor), await readTensor(theirs, tensor)];
      // (w + 1) − 1 in 32 bits, where a norm's weights are stored plus 1.
      const off = a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), a.length === b.length ? 0 : Infinity);
      expect([tensor, off <= (name === 'gemma3' && tensor.endsWith('norm.weight') ? 1.2e-7 : 0)]).toEqual([tensor, true]);
    }
    const [a, b] = [architectureOf(ours), architectureOf(theirs)];
    // A GGUF has no place for Gemma's query_pre_attn_scalar: it is the head's size in all models but the largest.
    expect(name === 'gemma3' ? { ...a, scale: b.scale } : { ...a, rope: undefined }).toEqual(
      name === 'gemma3' ? b : { ...b, rope: undefined },
    );
    const { scaling: { attention_factor: factor, ...scaling } = {}, ...rope } = a.rope;
    expect({ ...rope, scaling: a.rope.scaling && scaling }).toEqual({
      ...b.rope,
      scaling: b.rope.scaling && { ...scaling, ...withoutPart(b.rope.scaling) },
    });
    if (name === 'phi3-long') expect(factor).toBeCloseTo(Math.sqrt(1 + Math.log(128 / 16) / Math.log(16)), 6);
  });
});

/** Transformers keeps the part that rotates among the scaling's keys as well. */
function withoutPart({ partial_rotary_factor: _, ...scaling }: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return scaling;
}

describe('what a GGUF leaves unsaid', () => {
  it("is Gemma 3's pattern of layers, and the rotary base of those that slide", () => {
    const sliding = (gguf: Gguf): boolean[] => (config(gguf).layer_types as string[]).map((type) => type === 'sliding_attention');
    expect(sliding(changed('gemma3', {}))).toEqual([true, true, true, true, true, false, true]);
    expect(sliding(changed('gemma3', { 'gemma3.attention.sliding_window_pattern': 3 }))).toEqual([
      true,
      true,
      false,
      true,
      true,
      false,
      true,
    ]);
    const each = [false, true, false, true, false, true, false];
    expect(sliding(changed('gemma3', { 'gemma3.attention.sliding_window_pattern': each }))).toEqual(each);
    expect(() => config(changed('gemma3', { 'gemma3.attention.sliding_window_pattern': [true] }))).toThrow('has 1 entries for 7 layers');
    expect(config(changed('gemma3', {}))).toMatchObject({ rope_theta: 1_000_000, rope_local_base_freq: 10_000, query_pre_attn_scalar: 8 });
    expect(config(changed('gemma3', { 'gemma3.rope.freq_base_swa': 5000 }))).toMatchObject({ rope_local_base_freq: 5000 });
    expect(config(changed('gemma3', { 'gemma3.block_count': 62 }))).toMatchObject({ query_pre_attn_scalar: 4 });
  });

  it('is whether a "llama" is a Mistral with a window', () => {
    expect(config(changed('mistral', {}))).toMatchObject({ model_type: 'mistral', sliding_window: 6 });
    expect(config(changed('mistral', { 'llama.attention.sliding_window': 0 }))).toMatchObject({ model_type: 'llama' });
  });
});

describe('what is another model is refused', () => {
  it.each<[string, string, Record<string, GgufValue | undefined>, RegExp]>([
    [
      'an architecture of no name here',
      'qwen2',
      { 'general.architecture': 'gemma2' },
      /the architecture is "gemma2"; these can be run: llama, qwen2, qwen3, gemma3, phi3/,
    ],
    ['heads that rotate in part', 'mistral', { 'llama.rope.dimension_count': 4 }, /partly rotary heads cannot be run/],
    ['values of another size', 'qwen3', { 'qwen3.attention.value_length': 8 }, /heads of two sizes/],
    ['a mixture of experts', 'qwen2', { 'qwen2.expert_count': 4 }, /mixture of experts/],
    ['another scaling', 'qwen3', { 'qwen3.rope.scaling.type': 'yarn' }, /qwen3\.rope\.scaling\.type is "yarn"/],
    ['no window in Gemma', 'gemma3', { 'gemma3.attention.sliding_window': undefined }, /gemma3\.attention\.sliding_window is missing/],
    [
      'no length of short texts',
      'phi3-long',
      { 'phi3.rope.scaling.original_context_length': undefined },
      /original_context_length is missing/,
    ],
  ])('%s', (_, name, metadata, message) => {
    expect(() => config(changed(name, metadata))).toThrow(message);
  });

  it('one list of factors without the other; tensors of another family', () => {
    const gguf = changed('phi3-long', {}), tensors = new Map(gguf.tensors);
    tensors.delete('rope_factors_short.weight');
    expect(() => config({ ...gguf, tensors })).toThrow('has rope_factors_long.weight without rope_factors_short.weight');
    expect(() =>
      renameTensors(changed('phi3', { 'general.architecture': 'qwen2', 'qwen2.attention.head_count': 4 }), 'm', ARCHITECTURES),
    ).toThrow(/attn_qkv\.weight is not part of a plain qwen2 model/);
  });
});
