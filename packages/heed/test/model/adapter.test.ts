import { type Tensor, gradient, input, lower, sum, mul } from '@heed/tensor';
import { describe, expect, it } from 'vitest';
import { SUPERVISED, feedsOf, ropeFeed, scoringFeeds, traceLogProbs } from '../../src/model/scoring.js';
import { initialParameters, planAdapter } from '../../src/model/adapter.js';
import { architectureOf } from '../../src/model/architecture.js';
import { readSafetensors } from '../../src/model/checkpoint/safetensors.js';
import { layOut } from '../../src/model/layout.js';
import type { Checkpointing } from '../../src/model/decoder.js';
import { loadAdapter } from '../../src/model/peft.js';
import { adaptedWeights } from '../../src/model/weights.js';
import { json } from './support.js';
import { type Scored, distance, modelFixture, openTiny, parameterFeeds, scorer, useEngine } from './tiny.js';

const engine = useEngine();
const options = { rank: 4, alpha: 8, targets: ['q_proj', 'down_proj'], dropout: 0, rslora: false };
const prompt = [1, 2, 3];

describe('a plan', () => {
  it('gives every targeted linear module its place', async () => {
    const plan = planAdapter((await openTiny('llama3')).tensors.values(), options);
    expect([...plan.modules.keys()]).toEqual([
      'model.layers.0.self_attn.q_proj',
      'model.layers.0.mlp.down_proj',
      'model.layers.1.self_attn.q_proj',
      'model.layers.1.mlp.down_proj',
    ]);
    expect(plan.modules.get('model.layers.0.mlp.down_proj')).toMatchObject({
      inputs: 48,
      outputs: 32,
      rank: 4,
      scale: 2,
      a: { offset: 256, shape: [4, 48] },
      b: { offset: 448, shape: [32, 4] },
    });
    expect(plan.size).toBe(2 * (256 + 320));
  });

  it('scales by α/√r for rsLoRA', async () => {
    const { modules } = planAdapter((await openTiny('llama3')).tensors.values(), { ...options, rslora: true });
    expect([...modules.values()].map(({ scale }) => scale)).toEqual([4, 4, 4, 4]);
  });

  it('names the modules there are when a target is not among them', async () => {
    const { tensors } = await openTiny('llama3');
    expect(() => planAdapter(tensors.values(), { ...options, targets: ['q_proj', 'c_attn'] })).toThrow(
      /no linear module named "c_attn"; it has q_proj, k_proj/,
    );
  });
});

describe('fresh parameters', () => {
  it('are uniform within PEFT\'s bound for A, zero for B, the same for a seed', async () => {
    // kaiming_uniform(a = √5): bound = √(6 / ((1 + 5)·in)) = 1/√in
    const plan = planAdapter((await openTiny('llama3')).tensors.values(), { ...options, rank: 64 });
    const parameters = initialParameters(plan, 3);
    for (const { a, b, inputs } of plan.modules.values()) {
      const drawn = parameters.subarray(a.offset, a.offset + 64 * inputs), bound = 1 / Math.sqrt(inputs), n = drawn.length;
      expect(Math.max(...drawn.map(Math.abs))).toBeLessThanOrEqual(Math.fround(bound));
      expect(Math.max(...drawn.map(Math.abs))).toBeGreaterThan(0.99 * bound);
      // mean 0 and variance bound²/3, within four standard errors
      const mean = drawn.reduce((s, x) => s + x, 0) / n, second = drawn.reduce((s, x) => s + x * x, 0) / n;
      expect(Math.abs(mean)).toBeLessThan((4 * bound) / Math.sqrt(3 * n));
      expect(Math.abs(second - bound ** 2 / 3)).toBeLessThan((4 * bound ** 2 * Math.sqrt(4 / 45)) / Math.sqrt(n));
      expect(parameters.subarray(b.offset, b.offset + b.shape[0] * 64).every((x) => x === 0)).toBe(true);
    }
    expect(initialParameters(plan, 3)).toEqual(parameters);
    expect(initialParameters(plan, 4)).not.toEqual(parameters);
  });

  it('leave the model as it is', async () => {
    const checkpoint = await openTiny('linear');
    const plan = planAdapter(checkpoint.tensors.values(), options);
    const [base, adapted] = [
      await scorer(engine(), checkpoint),
      await scorer(engine(), checkpoint, { plan, parameters: initialParameters(plan, 0) }),
    ];
    const rows = [{ prompt, response: [4, 5, 6, 7] }, { prompt, response: [8] }];
    expect(distance(await adapted.score(rows), await base.score(rows))).toBeLessThan(1e-6);
    await base.release();
    await adapted.release();
  });
});

describe('gradients', () => {
  const { sequences, weights: w } = json<{ list: { sequences: Scored[]; weights: number[][] } }>(modelFixture('peft.json')).list;

  /** d/dθ Σ w·log p of the fixture, by `a:` and `b:` name. */
  async function gradients(keep: Checkpointing, share: boolean): Promise<Map<string, Float32Array>> {
    const checkpoint = await openTiny('llama3');
    const adapter = await loadAdapter(modelFixture('peft/list'), checkpoint);
    const architecture = architectureOf(checkpoint);
    const weights = adaptedWeights(checkpoint, adapter.plan, { dropout: false });
    const objective = sum(mul(traceLogProbs(architecture, weights, keep), input('w', [SUPERVISED])));
    const derivatives = gradient(objective, weights.parameters.map((p) => p.tensor));
    const program = lower(Object.fromEntries(weights.parameters.map((p, i) => [`grad:${p.name}`, derivatives[i] as Tensor])), {
      folder: checkpoint.folder,
    });
    const session = await engine().compile(program);
    // A weight of zero is a token that is not supervised.
    const layout = layOut(sequences.map((s, i) => ({ ...s, supervised: w[i]!.map((x) => x !== 0) })), { share });
    const seeds = new Float32Array(layout.labels.length);
    layout.labelOf.forEach((at, s) => at.forEach((label, t) => { if (label >= 0) seeds[label] = w[s]![t]!; }));
    const out = await session.run(
      feedsOf(program, {
        ...scoringFeeds(layout, architecture, ropeFeed(architecture)),
        ...parameterFeeds(adapter),
        w: { data: seeds, shape: [seeds.length] },
      }),
    );
    await session.release();
    return new Map(weights.parameters.map((p) => [p.name, out[`grad:${p.name}`]!.data as Float32Array]));
  }

  /** ‖a − b‖ / ‖b‖ */
  const relative = (a: Float32Array, b: Float32Array): number =>
    Math.sqrt(a.reduce((s, x, i) => s + (x - b[i]!) ** 2, 0) / b.reduce((s, x) => s + x * x, 0));

  it.each([true, false])('equal those of PEFT and autograd (shared prompts: %s)', async (share) => {
    const { tensors } = readSafetensors(modelFixture('gradients.safetensors'));
    const ours = await gradients('none', share);
    expect(ours.size).toBe(28);
    expect(tensors.size).toBe(28);
    for (const [name, { data }] of tensors) {
      const [, module, letter] = /^base_model\.model\.(.+)\.lora_([AB])\.weight$/.exec(name)!;
      expect(relative(ours.get(`${letter!.toLowerCase()}:${module!}`)!, data), name).toBeLessThan(1e-5);
    }
  });

  it.each(['selective', 'full'] as const)('are the same with %s checkpointing', async (keep) => {
    const [all, some] = [await gradients('none', true), await gradients(keep, true)];
    for (const [name, values] of all) expect(relative(some.get(name)!, values)).toBeLessThan(1e-6);
  });
});
