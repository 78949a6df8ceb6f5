import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { heed, tinyChat } from '../cli/support.js';
import { type AdapterPlan, initialParameters, planAdapter } from '../../src/model/adapter.js';
import { encode, halfBits } from '../../src/model/checkpoint/gguf/encode.js';
import { readGguf } from '../../src/model/checkpoint/gguf/read.js';
import { type Checkpoint, openCheckpoint, readTensor } from '../../src/model/checkpoint/open.js';
import { fileSource } from '../../src/model/checkpoint/source.js';
import { exportGguf, exportGgufLora } from '../../src/model/export-gguf.js';
import { mergedTensors } from '../../src/model/merge-host.js';
import { loadAdapter } from '../../src/model/peft.js';
import { createRandom } from '../../src/run/random.js';
import { loadTokenizer } from '../../src/text/tokenizer.js';
import { fixture, json, scratch } from './support.js';

const folder = scratch();
let files = 0;
const fresh = (): string => path.join(folder, `${++files}.gguf`);
const original = (name: string): string => path.join(import.meta.dirname, '../fixtures/architectures', name);

/** An adapter of every linear module, whose modules differ in rank and strength. */
function everywhere(checkpoint: Checkpoint): { plan: AdapterPlan; parameters: Float32Array } {
  const targets = [...new Set([...checkpoint.tensors.keys()].flatMap((name) => /\.(\w+_proj)\.weight$/.exec(name)?.[1] ?? []))];
  const plan = planAdapter(checkpoint.tensors.values(), {
    rank: 2, alpha: 8, targets, dropout: 0, rslora: true, rankPattern: { o_proj: 3 }, alphaPattern: { down_proj: 4 },
  });
  const parameters = initialParameters(plan, 1), random = createRandom('gguf', 0);
  for (const { b } of plan.modules.values()) for (let i = 0; i < b.shape[0] * b.shape[1]; i++) parameters[b.offset + i] = random.normal();
  return { plan, parameters };
}

/** All tensors of a file, unpacked. */
function unpacked(file: string): { metadata: ReadonlyMap<string, unknown>; tensors: Map<string, Float32Array> } {
  const source = fileSource(file), { metadata, tensors } = readGguf(source);
  const all = [...tensors.values()].map(({ name, type, shape, offset, length }): [string, Float32Array] => {
    const out = new Float32Array(shape.reduce((product, n) => product * n, 1));
    type.dequantise(source.read(offset, length), out, out.length / type.values);
    return [name, out];
  });
  source.close();
  return { metadata, tensors: new Map(all) };
}

const apart = (a: Float32Array, b: Float32Array): number => a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0);
const largest = (a: Float32Array): number => a.reduce((most, x) => Math.max(most, Math.abs(x)), 0);

describe('numbers of a GGUF', () => {
  const golden = json<Record<'values' | 'F16' | 'Q8_0', string>>(fixture('encode.json'));
  const values = new Float32Array(new Uint8Array(Buffer.from(golden.values, 'hex')).buffer);

  it.each(['F16', 'Q8_0'] as const)('are packed as %s to the last bit as the gguf package does', (type) => {
    expect(Buffer.from(encode(type, values)).toString('hex')).toBe(golden[type]);
  });

  it('become infinite beyond 16 bits, and stay no number', () => {
    expect([65519, 65520, -1e9, Infinity, NaN].map((x) => halfBits(x).toString(16))).toEqual(['7bff', '7c00', 'fc00', '7c00', '7e00']);
  });
});

/** A tokenizer of 60 tokens: small letters, digits, a few merges, and three control tokens. */
const LETTERS = [...'abcdefghijklmnopqrstuvwxyz0123456789!,.?ĠĊ'];
const MERGES = [['t', 'h'], ['th', 'e'], ['Ġ', 'a'], ['i', 'n'], ['in', 'g']];
const CONTROL = ['<s>', '</s>', '<pad>'];
const PIECES = [...CONTROL, ...LETTERS, ...MERGES.map((pair) => pair.join(''))];
const TOKENIZER = {
  version: '1.0',
  added_tokens: CONTROL.map((content, id) => (
    { id, content, special: true, single_word: false, lstrip: false, rstrip: false, normalized: false }
  )),
  normalizer: null, post_processor: null, decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
  pre_tokenizer: {
    type: 'Sequence',
    pretokenizers: [
      { type: 'Digits', individual_digits: true }, { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: true },
    ],
  },
  model: {
    type: 'BPE', ignore_merges: false, byte_fallback: false, merges: MERGES,
    vocab: Object.fromEntries(PIECES.map((piece, id) => [piece, id])),
  },
};
const CONFIG = {
  tokenizer_class: 'GPT2Tokenizer', bos_token: '<s>', eos_token: '</s>', pad_token: '<pad>', add_bos_token: true,
  chat_template: '{{ messages }}',
};

/** A model of a family, with a tokenizer. */
async function withTokenizer(name: string, change: object = {}): Promise<Checkpoint> {
  const to = path.join(folder, `${name}-${++files}`);
  fs.cpSync(original(name), to, { recursive: true });
  fs.writeFileSync(path.join(to, 'tokenizer.json'), JSON.stringify({ ...TOKENIZER, ...change }));
  fs.writeFileSync(path.join(to, 'tokenizer_config.json'), JSON.stringify(CONFIG));
  return openCheckpoint(to);
}

describe.each(['mistral', 'qwen2', 'qwen3'])('a %s model with an adapter', (name) => {
  it('is, merged into a GGUF and read back, the merged model: tensors, configuration, tokens', async () => {
    const checkpoint = await withTokenizer(name);
    const adapter = everywhere(checkpoint), file = fresh();
    await exportGguf(checkpoint, adapter, file, 'f16');
    const back = await openCheckpoint(file, { cacheDir: folder });
    const merged = new Map<string, Float32Array>();
    for await (const { name: tensor, data } of mergedTensors(checkpoint, adapter)) merged.set(tensor, data);
    expect([...back.tensors.keys()]).toEqual([...checkpoint.tensors.keys()]);
    for (const tensor of checkpoint.tensors.keys()) {
      const values = merged.get(tensor) ?? await readTensor(checkpoint, tensor);
      // Half of a 16-bit float's last place, which is 2^-11 of the number.
      expect([tensor, apart(await readTensor(back, tensor), values) <= largest(values) * 2 ** -11]).toEqual([tensor, true]);
    }
    const keys = ['hidden_size', 'num_hidden_layers', 'num_attention_heads', 'num_key_value_heads', 'rms_norm_eps', 'rope_theta',
      'vocab_size', 'tie_word_embeddings', 'max_position_embeddings', 'sliding_window', 'model_type'] as const;
    for (const key of keys) expect([key, back.config[key] ?? null]).toEqual([key, checkpoint.config[key] ?? null]);
    const text = 'bring the 12 fruits,  a thing in 2026!\n';
    const [ours, theirs] = await Promise.all([loadTokenizer(back.home), loadTokenizer(checkpoint.home)]);
    expect(ours.encode(text)).toEqual(theirs.encode(text));
    expect([ours.bosId, ours.eosId, ours.padId, ours.addsBos, ours.chatTemplate]).toEqual([0, 1, 2, true, '{{ messages }}']);
  });

  it('is, as a LoRA file over the merged GGUF of no adapter, the same matrices', async () => {
    const checkpoint = await withTokenizer(name);
    const adapter = everywhere(checkpoint), none = { plan: adapter.plan, parameters: initialParameters(adapter.plan, 1) };
    const [base, merged, lora] = [fresh(), fresh(), fresh()];
    await exportGguf(checkpoint, none, base, 'f16');
    await exportGguf(checkpoint, adapter, merged, 'f16');
    await exportGgufLora(checkpoint, adapter, lora);
    const [plain, whole, factors] = [unpacked(base), unpacked(merged), unpacked(lora)];
    const alpha = factors.metadata.get('adapter.lora.alpha') as number;
    expect(Object.fromEntries(factors.metadata)).toMatchObject({ 'general.type': 'adapter', 'adapter.type': 'lora' });
    expect(factors.tensors.size).toBe(2 * adapter.plan.modules.size);
    for (const [tensor, a] of factors.tensors) {
      if (!tensor.endsWith('.lora_a')) continue;
      const target = tensor.slice(0, -'.lora_a'.length), b = factors.tensors.get(`${target}.lora_b`)!;
      const [w, expected] = [plain.tensors.get(target)!, whole.tensors.get(target)!];
      // llama.cpp: W + alpha ÷ rank · B·A, the rank being the number of B's columns.
      const rank = Math.round(Math.sqrt((a.length * b.length) / w.length)), inputs = a.length / rank;
      const sum = w.map((x, at) => {
        const [o, i] = [Math.floor(at / inputs), at % inputs];
        let product = 0;
        for (let r = 0; r < rank; r++) product += b[o * rank + r]! * a[r * inputs + i]!;
        return x + (alpha / rank) * product;
      });
      expect([target, apart(sum, expected) <= (largest(expected) + largest(w)) * 2 ** -11 + 1e-6]).toEqual([target, true]);
    }
  });
});

describe('heed export --to gguf', () => {
  it('copies the keys of a base that is a GGUF, template and all; writes adapters and Q8_0', async () => {
    const file = fresh(), base = path.join(folder, 'base.gguf');
    fs.copyFileSync(fixture('tiny-llama.gguf'), base);
    const checkpoint = await openCheckpoint(base, { cacheDir: folder });
    await exportGguf(checkpoint, everywhere(checkpoint), file, 'q8_0');
    const [before, after] = [unpacked(base), unpacked(file)];
    expect([...after.tensors.keys()].sort()).toEqual([...before.tensors.keys()].sort());
    for (const [key, value] of before.metadata) {
      if (!/^general\.(file_type|quantization_version)$/.test(key)) expect([key, after.metadata.get(key)]).toEqual([key, value]);
    }
    expect(after.metadata.get('general.file_type')).toBe(7);
  });

  it('from the command line; a path that is taken, or no .gguf, is refused', async () => {
    const { model, adapter } = await tinyChat(folder);
    const [merged, alone] = [fresh(), fresh()];
    const run = (...more: string[]) => heed(['export', '--model', model, '--adapter', adapter, ...more]);
    expect((await run('--to', 'gguf', '-o', merged)).code).toBe(0);
    expect((await run('--to', 'gguf-lora', '-o', alone)).code).toBe(0);
    expect(unpacked(merged).metadata.get('tokenizer.chat_template')).toContain('{% for m in messages %}');
    const checkpoint = await openCheckpoint(model), { plan } = await loadAdapter(adapter, checkpoint);
    expect(unpacked(alone).tensors.size).toBe(2 * plan.modules.size);
    const taken = await run('--to', 'gguf', '-o', merged);
    expect([taken.code, taken.err]).toEqual([2, expect.stringContaining('exists already')]);
    const wrong = await run('--to', 'gguf-lora', '-o', path.join(folder, 'out'));
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('does not end in .gguf')]);
    const packed = await run('--to', 'gguf-lora', '--type', 'q8_0', '-o', fresh());
    expect([packed.code, packed.err]).toEqual([2, expect.stringContaining('--to gguf-lora does not use it')]);
  });

  it('writes a Modelfile with what it names, and a folder for the hub with its card', async () => {
    const { model, adapter } = await tinyChat(folder, { context: 128 });
    const out = (name: string): string => path.join(folder, name), read = (file: string): string => fs.readFileSync(out(file), 'utf8');
    const run = async (...more: string[]) => {
      const ran = await heed(['export', '--model', model, '--adapter', adapter, ...more]);
      return [ran.code, ran.err];
    };
    expect(await run('--to', 'ollama', '-o', out('whole'), '--type', 'q8_0')).toEqual([0, expect.anything()]);
    expect([read('whole/Modelfile'), fs.readdirSync(out('whole')).sort()]).toEqual(['FROM ./model.gguf\n', ['Modelfile', 'model.gguf']]);
    expect(await run('--to', 'ollama', '-o', out('beside'), '--base', 'smollm2:135m')).toEqual([0, expect.anything()]);
    expect([read('beside/Modelfile'), fs.readdirSync(out('beside')).sort()])
      .toEqual(['FROM smollm2:135m\nADAPTER ./adapter.gguf\n', ['Modelfile', 'adapter.gguf']]);
    expect(await run('--to', 'hf', '-o', out('hub'), '--base', 'org/base')).toEqual([0, expect.anything()]);
    expect(json<object>(out('hub/adapter_config.json'))).toMatchObject({ base_model_name_or_path: 'org/base' });
    expect(read('hub/README.md')).toContain('base_model: org/base');
    expect(await run('--to', 'hf', '--merged', '-o', out('hub-whole'))).toEqual([0, expect.anything()]);
    expect(fs.existsSync(out('hub-whole/model.safetensors'))).toBe(true);
    expect(read('hub-whole/README.md')).toContain('library_name: transformers');
    expect(await run('--to', 'hf', '--merged', '-o', out('hub'))).toEqual([2, expect.stringContaining('is not empty')]);
    expect(await run('--to', 'peft', '--merged', '-o', out('x'))).toEqual([2, expect.stringContaining('--to peft does not use it')]);
  });

  it('refuses a model whose keys or tokenizer it cannot write, with a way out', async () => {
    const gemma = await openCheckpoint(original('gemma3'));
    await expect(exportGguf(gemma, everywhere(gemma), fresh(), 'f16'))
      .rejects.toThrow(/gemma3_text model cannot be written; take the base as a \.gguf/);
    const odd = await withTokenizer('qwen2', { pre_tokenizer: { type: 'Whitespace' } });
    await expect(exportGguf(odd, everywhere(odd), fresh(), 'f16')).rejects.toThrow(/rule that has no known name in GGUF/);
  });
});
