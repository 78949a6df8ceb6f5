import fs from 'node:fs';
import path from 'node:path';
import { type View, view } from '@heed/tensor';
import { describe, expect, it } from 'vitest';
import { createBranchScorer } from '../../src/generate/branch-scorer.js';
import { createGenerator } from '../../src/generate/generator.js';
import { planAdapter } from '../../src/model/adapter.js';
import { architectureOf } from '../../src/model/architecture.js';
import { ARCHITECTURES } from '../../src/model/architectures/index.js';
import { expectedTensors } from '../../src/model/checkpoint/expected.js';
import { parseConfig } from '../../src/model/checkpoint/parse-config.js';
import { type Checkpoint, openCheckpoint, readBytes } from '../../src/model/checkpoint/open.js';
import type { FloatTensor } from '../../src/model/checkpoint/stored-tensor.js';
import { writeSafetensors } from '../../src/model/checkpoint/safetensors-write.js';
import { BLOCK, openQuantized, quantizeBlocks } from '../../src/model/quantize.js';
import { createRandom } from '../../src/run/random.js';
import { scratch } from './support.js';
import { openTiny, useEngine } from './tiny.js';

const engine = useEngine();
const folder = scratch();
process.env.HEED_CACHE = path.join(folder, 'cache');

describe('blocks', () => {
  it('have the numbers worked out by hand', () => {
    const weights = new Float32Array(3 * BLOCK);
    // The largest is 1.27, so the scale is 0.01: 0.014 is 1.4 steps, 0.016 is 1.6.
    weights.set([1.27, -1.27, 0.01, 0.014, 0.016, -0.016]);
    // −2.54 is the largest here: a step of 0.02. The third block is empty.
    weights.set([-2.54, 1.2, 0.02], BLOCK);
    const { codes, scales } = quantizeBlocks(weights);
    expect([...codes.subarray(0, 7)]).toEqual([255, 1, 129, 129, 130, 126, 128]);
    expect([...codes.subarray(BLOCK, BLOCK + 4)]).toEqual([1, 188, 129, 128]);
    expect(codes.subarray(2 * BLOCK).every((code) => code === 128)).toBe(true);
    expect([...scales]).toEqual([Math.fround(Math.fround(1.27) / 127), Math.fround(Math.fround(2.54) / 127), 0]);
  });

  it('lose half a step at most', () => {
    const random = createRandom('blocks');
    const weights = Float32Array.from({ length: 64 * BLOCK }, () => (random.next() - 0.5) * 10 ** (3 * random.next()));
    const { codes, scales } = quantizeBlocks(weights);
    weights.forEach((w, i) => {
      const scale = scales[Math.floor(i / BLOCK)]!;
      expect(Math.abs((codes[i]! - 128) * scale - w)).toBeLessThanOrEqual(scale * 0.50001);
    });
  });
});

/** A Llama of random weights whose layers have whole blocks, with its embeddings as the head or with a head of its own. */
async function made(name: string, tied: boolean): Promise<Checkpoint> {
  const home = path.join(folder, name);
  fs.mkdirSync(home);
  const config = {
    model_type: 'llama',
    hidden_size: 64,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    head_dim: 16,
    intermediate_size: 96,
    vocab_size: 160,
    tie_word_embeddings: tied,
    max_position_embeddings: 128,
    attention_bias: true,
  };
  fs.writeFileSync(path.join(home, 'config.json'), JSON.stringify(config));
  const random = createRandom('weights', Number(tied));
  await writeSafetensors(
    path.join(home, 'model.safetensors'),
    [...expectedTensors(parseConfig(config, home, ARCHITECTURES))].map(([tensor, shape]) => ({
      name: tensor,
      shape,
      dtype: 'float32' as const,
      data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () =>
        tensor.includes('norm') ? 1 : 0.4 * (random.next() - 0.5),
      ),
    })),
  );
  return openCheckpoint(home);
}

describe('the file of a checkpoint', () => {
  it('is made once, holds what is no linear layer as it was, and is made again where it was cut short', async () => {
    const checkpoint = await made('file', true);
    const cacheDir = path.join(folder, 'own cache');
    const first = await openQuantized(checkpoint, { cacheDir });
    expect(first.linears.size).toBe(2 * 7 + 1);
    expect(first.linears.get('model.embed_tokens')).toMatchObject({ outputs: 160, inputs: 64 });
    expect([...first.tensors.keys()]).toContain('model.layers.0.self_attn.q_proj.bias');
    for (const [name, stored] of first.tensors) {
      const original = checkpoint.tensors.get(name) as FloatTensor;
      expect(await readBytes(first.folder, stored, name), name).toEqual(await readBytes(checkpoint.folder, original, name));
    }
    const file = path.join(first.folder, 'int8.safetensors');
    const [{ mtimeMs }, bytes] = [fs.statSync(file), fs.readFileSync(file)];
    expect(await openQuantized(checkpoint, { cacheDir })).toEqual(first);
    expect(fs.statSync(file).mtimeMs).toBe(mtimeMs);

    fs.truncateSync(file, bytes.length - 1);
    const lines: string[] = [];
    expect(await openQuantized(checkpoint, { cacheDir, log: (line) => lines.push(line) })).toEqual(first);
    expect(lines[0]).toMatch(/int8\.safetensors has \d+ bytes where \d+ were written; it is made again/);
    expect(fs.readFileSync(file)).toEqual(bytes);

    fs.writeFileSync(file, Buffer.from(bytes.toString('latin1').replace('o_proj.codes', 'o_proj.c0des'), 'latin1'));
    await expect(openQuantized(checkpoint, { cacheDir })).rejects.toThrow(
      /int8\.safetensors: should have model\.layers\.\d\.self_attn\.o_proj\.codes \(U8 \[64, 2, 32\]\), but has none; remove the folder, and it is made again/,
    );
  });

  it('is refused where a width has no whole blocks', async () => {
    const error = await openQuantized(await openTiny('llama3')).catch((e: unknown) => e);
    expect(error).toMatchObject({
      message: expect.stringMatching(
        /llama3: model\.layers\.0\.mlp\.down_proj\.weight is \[32, 48\]; int8 weights share a scale in blocks of 32, and 48 is no multiple/,
      ) as string,
      hints: ['Use precision f32.'],
    });
  });
});

describe.each([['tied', true], ['with a head of its own', false]] as const)('a model %s', (name, tied) => {
  it('writes and judges in int8 near what it does in f32, with an adapter and without', async () => {
    const checkpoint = await made(name, tied);
    const model = { checkpoint, architecture: architectureOf(checkpoint) };
    const plan = planAdapter(checkpoint.tensors.values(), {
      rank: 4,
      alpha: 8,
      targets: ['q_proj', 'up_proj', 'down_proj'],
      dropout: 0,
      rslora: false,
    });
    const random = createRandom('adapter');
    const parameters: View = view(await engine().upload(Float32Array.from({ length: plan.size }, () => random.next() - 0.5)));
    const prompt = Array.from({ length: 9 }, (_, i) => 3 + 7 * i);
    const answers = [[5], [6, 7], [8, 9, 10]];
    const probabilities = async (precision: 'f32' | 'int8', adapter?: { plan: typeof plan; parameters: View }): Promise<number[]> => {
      const scorer = await createBranchScorer(engine(), model, adapter, { precision });
      const [scored] = await scorer.logProbs([{ prompt, answers }]);
      await scorer.release();
      const generator = await createGenerator(engine(), checkpoint, { decode: () => '', stopIds: [], precision, ...(adapter && { plan }) });
      if (adapter !== undefined) await generator.setAdapter(parameters);
      const [written] = await generator.generate([{ prompt, row: 0 }], { maxNewTokens: 1, temperature: 0, seed: 0 });
      await generator.release();
      return [...scored!.flat(), written!.logprobs[0]!];
    };
    const change = (a: readonly number[], b: readonly number[]): number => Math.max(...a.map((x, i) => Math.abs(x - b[i]!)));
    const [plain, plain8] = [await probabilities('f32'), await probabilities('int8')];
    const [adapted, adapted8] = [await probabilities('f32', { plan, parameters }), await probabilities('int8', { plan, parameters })];
    // Each product is rounded by some 0.7 % (steps of 1/127 of the largest), five in a row make 1.6 % of logits of size 1; the
    // adapter changes far more.
    const rounding = Math.max(change(plain, plain8), change(adapted, adapted8));
    expect(rounding).toBeLessThan(0.08);
    expect(change(plain, plain8)).toBeGreaterThan(0);
    expect(change(plain, adapted)).toBeGreaterThan(5 * rounding);
  });
});
