import fs from 'node:fs';
import path from 'node:path';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ARCHITECTURES } from '../../src/model/architectures/index.js';
import { CheckpointError } from '../../src/model/checkpoint/error.js';
import { convertGguf } from '../../src/model/checkpoint/gguf/convert.js';
import { configFromGguf } from '../../src/model/checkpoint/gguf/config.js';
import { readGguf, type GgufTensor, type GgufValue } from '../../src/model/checkpoint/gguf/read.js';
import { ropeScaling } from '../../src/model/checkpoint/gguf/rope.js';
import { openCheckpoint, readTensor } from '../../src/model/checkpoint/open.js';
import { memorySource } from '../../src/model/checkpoint/source.js';
import { fixture, hex, json, scratch } from './support.js';

const folder = scratch();
const load = (name: string): Uint8Array => new Uint8Array(fs.readFileSync(fixture(name)));
const sha256 = (values: Float32Array): string =>
  createHash('sha256')
    .update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    .digest('hex');

/** `file` with the first occurrence of `from` overwritten by `to` (as long). */
function replaced(file: Uint8Array, from: string, to: string | Uint8Array, skip = 0): Uint8Array {
  const out = Buffer.from(file), at = out.indexOf(from);
  expect(at).toBeGreaterThan(0);
  out.set(typeof to === 'string' ? Buffer.from(to) : to, at + skip);
  return out;
}

describe('GGUF', () => {
  it.each(Object.entries(json<Record<string, string>>(fixture('blocks.json'))))(
    'dequantises %s as the gguf package does, bit for bit',
    (type, expected) => {
      const source = memorySource(load(`blocks-${type}.gguf`));
      const gguf = readGguf(source),
        tensor = gguf.tensors.get('x')!;
      expect(tensor.type.name).toBe(type);
      expect(tensor.shape).toEqual([3, type.endsWith('_K') ? 256 : 64]);
      expect(gguf.metadata.get('test.list')).toEqual(['a', 'ü']);
      const out = new Float32Array(tensor.shape[0]! * tensor.shape[1]!);
      tensor.type.dequantise(source.read(tensor.offset, tensor.length), out, out.length / tensor.type.values);
      expect(hex(out)).toBe(expected);
    },
  );

  it('becomes the model that transformers saved: names, rotary rows, configuration', async () => {
    const checkpoint = await openCheckpoint(fixture('tiny-llama.gguf'), { cacheDir: folder });
    const expected = json<Record<string, string>>(fixture('tiny-llama.json'));
    const found: Record<string, string> = {};
    for (const name of checkpoint.tensors.keys()) found[name] = sha256(await readTensor(checkpoint, name));
    expect(found).toEqual(expected);
    const original = (await openCheckpoint(fixture('tiny-llama'))).config;
    for (const key of [
      'hidden_size',
      'intermediate_size',
      'num_hidden_layers',
      'num_attention_heads',
      'num_key_value_heads',
      'head_dim',
      'vocab_size',
      'max_position_embeddings',
      'rms_norm_eps',
      'rope_theta',
      'tie_word_embeddings',
      'attention_bias',
      'mlp_bias',
      'hidden_act',
      'bos_token_id',
      'eos_token_id',
    ]) {
      expect([key, checkpoint.config[key]]).toEqual([key, original[key]]);
    }
    expect(fs.existsSync(path.join(checkpoint.folder, 'tokenizer.json'))).toBe(true);
  });

  const rope = json<Record<string, string>>(fixture('rope.json'));
  const metadata = new Map<string, GgufValue>([['llama.rope.freq_base', 500000]]);
  const factors = (text: string): Float32Array => new Float32Array(new Uint8Array(Buffer.from(text, 'hex')).buffer);
  it.each(Object.entries(rope))("recovers Llama 3's rotary scaling by %s from its factors", (factor, text) => {
    expect(ropeScaling({ metadata, tensors: new Map() }, factors(text), 64, 'm')).toEqual({
      rope_type: 'llama3', factor: Number(factor), low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192,
    });
    const other = factors(text);
    other[20] = other[20]! * 1.1;
    expect(() => ropeScaling({ metadata, tensors: new Map() }, other, 64, 'm')).toThrow(/rope_freqs\.weight is not Llama 3/);
  });

  it('keeps linear scaling and names what it cannot run', () => {
    const scaled = (type: string): Map<string, GgufValue> =>
      new Map<string, GgufValue>([
        ['llama.rope.scaling.type', type],
        ['llama.rope.scaling.factor', 2],
      ]);
    expect(ropeScaling({ metadata: scaled('linear'), tensors: new Map() }, undefined, 64, 'm')).toEqual({ rope_type: 'linear', factor: 2 });
    expect(() => ropeScaling({ metadata: scaled('yarn'), tensors: new Map() }, undefined, 64, 'm')).toThrow(/"yarn", which cannot be run/);
  });

  const tiny = load('tiny-llama.gguf');
  it.each<[string, () => Uint8Array, RegExp]>([
    ['another format', () => Buffer.from('PK\u0003\u0004 and then some more bytes'), /not with "GGUF"/],
    [
      'an old version',
      () => {
        const out = tiny.slice();
        out[4] = 1;
        return out;
      },
      /version is 1/,
    ],
    [
      'a big-endian file',
      () => {
        const out = tiny.slice();
        out.set([0, 0, 0, 3], 4);
        return out;
      },
      /big-endian/,
    ],
    [
      'a count beyond the file',
      () => {
        const out = tiny.slice();
        out[13] = 0xff;
        return out;
      },
      /announces \d+ tensors/,
    ],
    ['a header cut short', () => tiny.subarray(0, 3000), /truncated/],
    ['tensors cut short', () => tiny.subarray(0, tiny.length - 100), /tensor .* ends at byte \d+, but the file has \d+: it is truncated/],
    ['another architecture', () => replaced(tiny, 'llama', 'mamba'), /the architecture is "mamba"; these can be run: llama/],
    ['a tensor of no llama', () => replaced(tiny, 'blk.0.ffn_up', 'blk.0.ffn_xy'), /blk\.0\.ffn_xy\.weight is not part of a plain llama/],
    [
      'a tensor type that cannot be read',
      () => replaced(tiny, 'output.weight', Uint8Array.of(10), 13 + 4 + 16),
      /output\.weight has the type Q2_K.*Q6_K.*can\)/,
    ],
    [
      'a missing head count',
      () => replaced(tiny, 'llama.attention.head_count', 'llama.attention.head_caunt'),
      /llama\.attention\.head_count is missing/,
    ],
    ['a merge of no tokens', () => replaced(tiny, 'h e', 'hqe'), /tokenizer/],
  ])('refuses %s', async (_, file, message) => {
    const at = path.join(folder, 'bad.gguf');
    fs.writeFileSync(at, file());
    await expect(openCheckpoint(at, { cacheDir: folder })).rejects.toThrow(CheckpointError);
    await expect(openCheckpoint(at, { cacheDir: folder })).rejects.toThrow(message);
    expect(fs.readdirSync(path.join(folder, 'models')).filter((name) => name.includes('bad'))).toEqual([]);
  });

  it('parses or refuses any bytes, and converts or refuses what parses', () => {
    const files = [...Object.keys(json(fixture('blocks.json'))).map((type) => load(`blocks-${type}.gguf`)), tiny.slice(0, 8192)];
    const mutated = fc
      .tuple(fc.constantFrom(...files), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 }), fc.boolean())
      .map(([file, changes, early]) => {
        const out = file.slice();
        for (const [at, byte] of changes) out[at % Math.min(out.length, early ? 200 : out.length)] = byte;
        return out;
      });
    const random = fc.uint8Array({ maxLength: 200 }).map((tail) => Uint8Array.from([0x47, 0x47, 0x55, 0x46, 3, 0, 0, 0, ...tail]));
    const values = (tensor: GgufTensor): Float32Array => new Float32Array(tensor.length);
    fc.assert(fc.property(fc.oneof(fc.uint8Array(), random, mutated), (file) => {
      try {
        const source = memorySource(file), gguf = readGguf(source);
        for (const { type, offset, length } of gguf.tensors.values()) {
          const count = length / type.bytes, out = new Float32Array(count * type.values);
          type.dequantise(source.read(offset, length), out, count);
        }
        configFromGguf(gguf, 'm', ARCHITECTURES, values);
      } catch (error) {
        expect(error).toBeInstanceOf(CheckpointError);
      }
    }), { numRuns: 1500 });
  });

  it('refuses a damaged count of layers at once', async () => {
    const file = tiny.slice();
    file[101] = 25;
    const at = path.join(folder, 'layers.gguf'), out = path.join(folder, 'layers');
    fs.writeFileSync(at, file);
    fs.mkdirSync(out);
    await expect(convertGguf(at, out, at)).rejects.toThrow(/num_hidden_layers: \d+ is more than any model has: the file is damaged/);
  });

  it('converts or refuses a damaged file, and never crashes on it', async () => {
    const at = path.join(folder, 'fuzz.gguf'), out = path.join(folder, 'fuzz');
    await fc.assert(fc.asyncProperty(fc.array(fc.tuple(fc.nat(12000), fc.nat(255)), { minLength: 1, maxLength: 4 }), async (changes) => {
      const file = tiny.slice();
      for (const [place, byte] of changes) file[place] = byte;
      fs.writeFileSync(at, file);
      fs.rmSync(out, { recursive: true, force: true });
      fs.mkdirSync(out);
      try {
        await convertGguf(at, out, at);
      } catch (error) {
        expect(error).toBeInstanceOf(CheckpointError);
      }
    }), { numRuns: 150 });
  });
});
