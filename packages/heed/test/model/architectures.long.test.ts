import path from 'node:path';
import { type Tensor, gradient, input, lower, mul, sum } from '@heed/tensor';
import { describe, expect, it } from 'vitest';
import { createGenerator } from '../../src/generate/generator.js';
import { architectureOf } from '../../src/model/architecture.js';
import { type Checkpoint, openCheckpoint } from '../../src/model/checkpoint/open.js';
import { readSafetensors } from '../../src/model/checkpoint/safetensors.js';
import type { Checkpointing } from '../../src/model/decoder.js';
import { layOut } from '../../src/model/layout.js';
import { loadAdapter } from '../../src/model/peft.js';
import { inverseFrequencies, ropeTables } from '../../src/model/rope.js';
import { SUPERVISED, feedsOf, ropeFeed, scoringFeeds, traceLogProbs } from '../../src/model/scoring.js';
import { adaptedWeights } from '../../src/model/weights.js';
import { json } from './support.js';
import { type Scored, distance, parameterFeeds, scorer, useEngine } from './tiny.js';

/** What tools/oracles/architectures.py wrote. */
const fixture = (name: string): string => path.join(import.meta.dirname, '../fixtures/architectures', name);
interface Expected {
  readonly sequences: readonly Scored[];
  readonly greedy: readonly { readonly prompt: readonly number[]; readonly ids: readonly number[] }[];
  readonly adapter?: { readonly logprobs: readonly (readonly number[])[]; readonly weights: readonly (readonly number[])[] };
}
const expectedOf = (name: string): Expected => json(fixture(`${name}.json`));
const engine = useEngine();

const MODELS = [
  ['mistral', 'a sliding window in every layer'],
  ['mistral-all', 'no window'],
  ['qwen2', 'biases on q, k and v, tied'],
  ['qwen2-window', 'a sliding window in the second layer'],
  ['qwen3', 'normed heads, wider than width / heads'],
  ['phi3', 'fused matrices, a sliding window'],
  ['phi3-long', 'LongRoPE on three quarters of each head'],
  ['gemma3', 'local and global layers with rotations of their own'],
  ['gemma3-vision', 'the text part of a model that sees images'],
] as const;

describe.each(MODELS)('%s: %s', (name) => {
  const expected = expectedOf(name);

  it('has the log-probabilities that transformers computes', async () => {
    const model = await scorer(engine(), await openCheckpoint(fixture(name)));
    const logprobs = expected.sequences.map((row) => row.logprobs);
    expect(distance(await model.score(expected.sequences, true), logprobs)).toBeLessThan(1e-4);
    expect(distance(await model.score(expected.sequences, false), logprobs)).toBeLessThan(1e-4);
    for (const row of expected.sequences) expect(distance(await model.score([row]), [row.logprobs])).toBeLessThan(1e-4);
    await model.release();
  });

  it("writes transformers' greedy continuations, alone and together, and knows their log-probabilities", async () => {
    const checkpoint = await openCheckpoint(fixture(name));
    const model = await scorer(engine(), checkpoint);
    const generator = await createGenerator(engine(), checkpoint, { decode: (ids) => ids.join(' '), stopIds: [], batch: 4 });
    const one = async (row: number): Promise<void> => {
      const { prompt, ids } = expected.greedy[row]!;
      const [alone] = await generator.generate([{ prompt, row }], { maxNewTokens: ids.length, temperature: 0, seed: 0 });
      expect(alone!.ids).toEqual(ids);
      expect(distance([alone!.logprobs], await model.score([{ prompt, response: ids }]))).toBeLessThan(1e-4);
    };
    for (const row of expected.greedy.keys()) await one(row);
    // As many tokens as the shortest has, so that LongRoPE stays on each one's side of its border.
    const least = Math.min(...expected.greedy.map((g) => g.ids.length));
    const together = await generator.generate(
      expected.greedy.map(({ prompt }, row) => ({ prompt, row })),
      { maxNewTokens: least, temperature: 0, seed: 0 },
    );
    expect(together.map((c) => c.ids)).toEqual(expected.greedy.map((g) => g.ids.slice(0, least)));
    await generator.release();
    await model.release();
  });
});

describe.each(['qwen2', 'qwen3', 'phi3', 'gemma3'])('%s with LoRA', (name) => {
  const { sequences, adapter: expected } = expectedOf(name);
  const { logprobs, weights: w } = expected!;

  async function gradients(
    checkpoint: Checkpoint,
    keep: Checkpointing,
    share: boolean,
  ): Promise<{ logp: number[][]; gradients: Map<string, Float32Array> }> {
    const adapter = await loadAdapter(fixture(`${name}/adapter`), checkpoint);
    const architecture = architectureOf(checkpoint);
    const weights = adaptedWeights(checkpoint, adapter.plan, { dropout: false });
    const logp = traceLogProbs(architecture, weights, keep);
    const derivatives = gradient(
      sum(mul(logp, input('w', [SUPERVISED]))),
      weights.parameters.map((p) => p.tensor),
    );
    const program = lower(
      { logp, ...Object.fromEntries(weights.parameters.map((p, i) => [`grad:${p.name}`, derivatives[i] as Tensor])) },
      { folder: checkpoint.folder },
    );
    const session = await engine().compile(program);
    const layout = layOut(sequences, { share });
    const seeds = new Float32Array(layout.labels.length);
    layout.labelOf.forEach((at, s) =>
      at.forEach((label, t) => {
        seeds[label] = w[s]![t]!;
      }),
    );
    const out = await session.run(
      feedsOf(program, {
        ...scoringFeeds(layout, architecture, ropeFeed(architecture)),
        ...parameterFeeds(adapter),
        w: { data: seeds, shape: [seeds.length] },
      }),
    );
    await session.release();
    return {
      logp: layout.labelOf.map((at) => Array.from(at, (i) => out['logp']!.data[i] as number)),
      gradients: new Map(weights.parameters.map((p) => [p.name, out[`grad:${p.name}`]!.data as Float32Array])),
    };
  }

  /** ‖a − b‖ / ‖b‖ */
  const relative = (a: Float32Array, b: Float32Array): number =>
    Math.sqrt(a.reduce((s, x, i) => s + (x - b[i]!) ** 2, 0) / b.reduce((s, x) => s + x * x, 0));

  it.each([
    ['none', true],
    ['none', false],
    ['selective', true],
    ['full', true],
  ] as const)('has the log-probabilities and derivatives of PEFT (checkpointing %s, shared prompts %s)', async (keep, share) => {
    const { tensors } = readSafetensors(fixture(`${name}/gradients.safetensors`));
    const ours = await gradients(await openCheckpoint(fixture(name)), keep, share);
    expect(distance(ours.logp, logprobs)).toBeLessThan(1e-4);
    expect(ours.gradients.size).toBe(tensors.size);
    for (const [key, { data }] of tensors) {
      const [, module, letter] = /^base_model\.model\.(.+)\.lora_([AB])\.weight$/.exec(key)!;
      expect(relative(ours.gradients.get(`${letter!.toLowerCase()}:${module!}`)!, data), key).toBeLessThan(1e-4);
    }
  });
});

describe('architectureOf', () => {
  it('refuses settings that change the computation in ways it does not know', async () => {
    const { config, definition } = await openCheckpoint(fixture('gemma3'));
    expect(() => architectureOf({ definition, config: { ...config, final_logit_softcapping: 30 } })).toThrow(
      'config.json: final_logit_softcapping is 30; Heed runs gemma3_text models with none only.',
    );
    expect(() => architectureOf({ definition, config: { ...config, hidden_act: 'gelu' } })).toThrow(
      'config.json: hidden_act is "gelu"; Heed runs gemma3_text models with "gelu_pytorch_tanh" only.',
    );
    const phi = await openCheckpoint(fixture('phi3'));
    expect(() => architectureOf({ ...phi, config: { ...phi.config, rope_scaling: { type: 'yarn' } } })).toThrow(
      'config.json asks for rope_scaling "yarn"; Heed runs phi3 models with default, longrope and su.',
    );
  });
});

describe('LongRoPE', () => {
  it('has the frequencies and the scaling of transformers, under the older name too', async () => {
    const { short, long, scaling } = json<{ short: number[]; long: number[]; scaling: number }>(fixture('longrope.json'));
    const { config, definition } = await openCheckpoint(fixture('phi3-long'));
    for (const type of ['longrope', 'su']) {
      const { rope } = architectureOf({
        definition,
        config: { ...config, rope_scaling: { ...config.rope_scaling, rope_type: undefined, type } },
      });
      expect(distance([inverseFrequencies(rope), inverseFrequencies(rope, true)], [short, long])).toBeLessThan(1e-6);
      const { cosine, sine } = ropeTables(rope, 20);
      // 16 rows of short texts, then those of long ones
      expect(cosine[0]).toBeCloseTo(scaling, 6);
      expect(sine[3 + 1]).toBeCloseTo(scaling * Math.sin(short[1]!), 6);
      expect(sine[(16 + 1) * 3 + 1]).toBeCloseTo(scaling * Math.sin(long[1]!), 6);
    }
  });

  it('turns a shared prompt as its longest sequence', async () => {
    const model = await scorer(engine(), await openCheckpoint(fixture('phi3-long')));
    const prompt = Array.from({ length: 12 }, (_, i) => i + 3);
    const [short, long] = [{ prompt, response: [4, 5] }, { prompt, response: [4, 5, 6, 7, 8, 9] }];
    const [alone] = await model.score([long]);
    const [beside, own] = await model.score([short, long]);
    expect(distance([own!], [alone!])).toBeLessThan(1e-5);
    expect(distance([beside!], [alone!.slice(0, 2)])).toBeLessThan(1e-5);
    expect(distance(await model.score([short]), [beside!])).toBeGreaterThan(1e-3);
    await model.release();
  });

  it('refuses factors that do not fit the heads', () => {
    const scaling = { rope_type: 'longrope', short_factor: [1, 2], long_factor: [1, 2, 3, 4], original_max_position_embeddings: 16 };
    expect(() => inverseFrequencies({ headSize: 8, theta: 10_000, scaling })).toThrow(
      'rope_scaling.short_factor must be a list of 4 numbers, not [1,2]',
    );
    expect(() =>
      ropeTables({ headSize: 8, theta: 10_000, scaling: { ...scaling, original_max_position_embeddings: undefined } }, 4),
    ).toThrow(/longrope needs original_max_position_embeddings/);
  });
});
