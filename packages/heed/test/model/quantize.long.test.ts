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
import { halfTable } from '../../src/model/checkpoint/floats.js';
import { type Checkpoint, openCheckpoint, readTensor } from '../../src/model/checkpoint/open.js';
import { isPacked } from '../../src/model/checkpoint/stored-tensor.js';
import { writeSafetensors } from '../../src/model/checkpoint/safetensors-write.js';
import { BLOCK, quantize, toInt4, toInt8 } from '../../src/model/quantize.js';
import { compareLogits, describeRounding, roundingLoss } from '../../src/model/rounding.js';
import { createRandom } from '../../src/run/random.js';
import { scratch } from './support.js';
import { openTiny, useEngine } from './tiny.js';

const engine = useEngine();
const folder = scratch();
process.env.HEED_CACHE = path.join(folder, 'cache');

const halves = (bits: Uint16Array): number[] => Array.from(bits, (half) => halfTable()[half]!);

describe('blocks of 8 bits', () => {
  it('have the numbers worked out by hand', () => {
    const weights = new Float32Array(3 * BLOCK);
    // The largest is 1.27, so the scale is 0.01: 0.014 is 1.4 steps, 0.016 is 1.6.
    weights.set([1.27, -1.27, 0.01, 0.014, 0.016, -0.016]);
    // −2.54 is the largest here: a step of 0.02. The third block is empty.
    weights.set([-2.54, 1.2, 0.02], BLOCK);
    const { codes, scales } = toInt8(weights);
    expect([...codes.subarray(0, 7)]).toEqual([255, 1, 129, 129, 130, 126, 128]);
    expect([...codes.subarray(BLOCK, BLOCK + 4)]).toEqual([1, 188, 129, 128]);
    expect(codes.subarray(2 * BLOCK).every((code) => code === 128)).toBe(true);
    // The nearest 16-bit floats of 0.01 and 0.02.
    expect(halves(scales)).toEqual([0.01000213623046875, 0.0200042724609375, 0]);
  });
});

describe('blocks of 4 bits', () => {
  it('have the numbers worked out by hand', () => {
    const weights = new Float32Array(2 * BLOCK).fill(-0.5);
    // From −0.5 in steps of 0.125 to 1.375, all of which 16 bits hold: −0.44 is 0.48 of a step, −0.43 0.56.
    weights.set([-0.5, 1.375, -0.44, -0.43, 0.125, 1.3]);
    const { codes, scales, minima } = toInt4(weights);
    expect([...codes.subarray(0, 3)]).toEqual([0xf0, 0x10, 0xe5]);
    expect(codes.subarray(3, 2 * 16).every((pair) => pair === 0)).toBe(true);
    expect([halves(scales), halves(minima)]).toEqual([[0.125, 0], [-0.5, -0.5]]);
  });
});

it.each([['8 bits', toInt8, 1 / 254], ['4 bits', toInt4, 1 / 15]] as const)('blocks of %s lose half a step at most', (_, round, step) => {
  const random = createRandom('blocks');
  const weights = Float32Array.from({ length: 64 * BLOCK }, () => (random.next() - 0.5) * 10 ** (3 * random.next()));
  const { codes, scales, ...rest } = round(weights);
  const minima = rest.minima && halves(rest.minima);
  const each = halves(scales);
  weights.forEach((w, i) => {
    const b = Math.floor(i / BLOCK);
    const code = minima === undefined ? codes[i]! - 128 : (codes[i >> 1]! >> (4 * (i & 1))) & 15;
    const largest = Math.max(...weights.subarray(b * BLOCK, (b + 1) * BLOCK).map(Math.abs));
    // Half a step, and what 16 bits lose of the scale, at its most distant code, and of the minimum: 2^-11 of each.
    expect(Math.abs(code * each[b]! + (minima?.[b] ?? 0) - w)).toBeLessThan(largest * (step + 2 ** -9));
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
  it.each(['int8', 'int4'] as const)('%s is made once, keeps what is no matrix, and is made again where cut short', async (precision) => {
    const checkpoint = await made(precision, true);
    const cacheDir = path.join(folder, `cache of ${precision}`);
    const first = await quantize(checkpoint, precision, { cacheDir });
    const codes = [...first.tensors.values()].filter(isPacked);
    expect(codes).toHaveLength(2 * 7 + 1);
    // Embeddings have 8 bits in either case.
    const four = codes.filter(({ dtype }) => dtype === 'uint4').length;
    expect(four).toBe(precision === 'int4' ? 14 : 0);
    expect(first).toMatchObject({ id: checkpoint.id, fingerprint: checkpoint.fingerprint, home: checkpoint.home, precision });
    for (const [name, stored] of first.tensors) {
      const [ours, theirs] = [await readTensor(first, name), await readTensor(checkpoint, name)];
      if (!isPacked(stored)) expect(ours, name).toEqual(theirs);
      // Weights are within ±0.2.
      else ours.forEach((w, i) => expect(Math.abs(w - theirs[i]!)).toBeLessThan((stored.dtype === 'uint4' ? 0.4 / 30 : 0.2 / 254) * 1.05));
    }
    const file = path.join(first.folder, 'model.safetensors');
    const [{ mtimeMs }, bytes] = [fs.statSync(file), fs.readFileSync(file)];
    expect(await quantize(checkpoint, precision, { cacheDir })).toEqual(first);
    expect(first.exact).toBe(checkpoint);
    expect(fs.statSync(file).mtimeMs).toBe(mtimeMs);

    fs.truncateSync(file, bytes.length - 1);
    const lines: string[] = [];
    expect(await quantize(checkpoint, precision, { cacheDir, log: (line) => lines.push(line) })).toEqual(first);
    expect(lines[0]).toMatch(/model\.safetensors has \d+ bytes where \d+ were written; it is made again/);
    expect(fs.readFileSync(file)).toEqual(bytes);

    fs.writeFileSync(file, Buffer.from(bytes.toString('latin1').replace('o_proj.weight.codes', 'o_proj.weight.c0des'), 'latin1'));
    await expect(quantize(checkpoint, precision, { cacheDir })).rejects.toThrow(
      /model\.safetensors: should have model\.layers\.\d\.self_attn\.o_proj\.weight \[64, 64\], but has none; remove the folder, and it is made again/,
    );
  });

  it('is refused where a width has no whole blocks', async () => {
    const error = await quantize(await openTiny('llama3'), 'int8').catch((e: unknown) => e);
    expect(error).toMatchObject({
      message: expect.stringMatching(
        /llama3: model\.layers\.0\.mlp\.down_proj\.weight is \[32, 48\]; int8 weights share a scale in blocks of 32, and 48 is no multiple/,
      ) as string,
      hints: ['Use precision f32.'],
    });
  });
});

it('is measured against what it was rounded from: nothing is lost against itself, and more in 4 bits than in 8', async () => {
  const checkpoint = await made('measured', true);
  const architecture = architectureOf(checkpoint);
  const long = Array.from({ length: 200 }, (_, i) => i % 150);
  const sequences = [{ prompt: [3, 10, 17], response: [24, 31, 38, 45] }, { prompt: [5], response: long }];
  const of = (one: Checkpoint) => roundingLoss(engine(), { checkpoint: one, architecture }, sequences);
  expect(await of(checkpoint)).toBeUndefined();
  const none = await of({ ...checkpoint, exact: checkpoint });
  expect(none).toMatchObject({ agreement: 1, tokens: 128 });
  expect(Math.abs(none!.divergence)).toBeLessThan(1e-9);
  const rounded = await quantize(checkpoint, 'int8');
  const [eight, four] = [await of(rounded), await of(await quantize(checkpoint, 'int4'))];
  expect(eight!.divergence).toBeGreaterThan(1e-8);
  expect(four!.divergence).toBeGreaterThan(10 * eight!.divergence);
  // Kept: the model that was rounded is not run again.
  expect(await of(rounded)).toEqual({ ...eight, earlier: true });
  expect(describeRounding('int4', { divergence: 0.01234, agreement: 0.957, tokens: 128 })).toBe(
    'precision int4: KL to f32 0.012 a token; the likeliest token is the same at 96 % of 128 tokens',
  );
});

it('compares logits by KL and by the likeliest token', () => {
  // p = (½, ¼, ¼) and q = (¼, ½, ¼): KL = ½ ln 2 − ¼ ln 2; the second place is equal, whatever is added to all of its logits.
  const [half, quarter] = [Math.log(1 / 2), Math.log(1 / 4)];
  const compared = compareLogits(
    Float32Array.of(half, quarter, quarter, 1, 2, 3), Float32Array.of(quarter, half, quarter, 11, 12, 13), 3,
  );
  expect(compared).toMatchObject({ agreement: 0.5, tokens: 2 });
  expect(compared.divergence).toBeCloseTo(Math.log(2) / 8, 6);
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
