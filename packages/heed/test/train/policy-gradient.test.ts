import { join } from 'node:path';
import { type Engine, type Tensor, abs, square, startEngine, sum, view } from '@heed/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { ScoredRow } from '../../src/data/rows.js';
import { openGenerator } from '../../src/generate/open.js';
import { bind } from '../../src/method/bind.js';
import { type BoundMethod, type Head, type Scored, defineMethod } from '../../src/method/method.js';
import type { Tokens } from '../../src/method/tokens.js';
import { type AdapterPlan, initialParameters, planAdapter } from '../../src/model/adapter.js';
import { compileForwardPass } from '../../src/model/forward-pass.js';
import { layOut } from '../../src/model/layout.js';
import { type Model, loadModel } from '../../src/model/load.js';
import { loadAdapter, saveAdapter } from '../../src/model/peft.js';
import { createScorer } from '../../src/model/scorer.js';
import { prepare } from '../../src/loop/items.js';
import { createRandom } from '../../src/run/random.js';
import { TrainOptions } from '../../src/run/recipe-schemas.js';
import { createRespond } from '../../src/text/respond.js';
import { createLossEvaluator } from '../../src/train/evaluate-loss.js';
import { createForward } from '../../src/train/forward.js';
import type { Item } from '../../src/train/item.js';
import { makeMicroBatch } from '../../src/train/micro-batch.js';
import { createTrainer } from '../../src/train/trainer.js';
import { tinyChat } from '../cli/support.js';
import { scratchFolder } from '../support/scratch.js';
import { type Bench, gradientDistance, passes } from './support.js';

// A method as policy gradient needs it: advantages by token, the policy as the round began, a value head at every token, and an entropy.
const { folder } = scratchFolder();
let engine: Engine;
let model: Model;
beforeAll(async () => {
  engine = await startEngine({ threads: 1 });
  model = await loadModel((await tinyChat(folder, { context: 512 })).model);
});
afterAll(() => engine.close());

/** A number for each token, made up: the n-th token of a row has the advantage sin(n + score). */
const advantages = (row: ScoredRow, tokens: number): number[] => Array.from({ length: tokens }, (_, t) => Math.sin(t + row.score));
const tokensIn = (text: string): number => model.template.response(text).length;

/** −mean ratio·A + ½ mean (V − A)² − 0.1 mean H over tokens. */
function lossOf(logp: Tokens, old: Tokens, advantage: Tokens, value: Tokens, entropy: Tokens) {
  const count = sum(logp.count());
  const ratio = logp.sub(old).exp();
  const over = (x: Tokens): { sum: Tensor; count: Tensor } => ({ sum: sum(x.sum()), count });
  const gain = ratio.mul(advantage);
  const error = value.sub(advantage).map(square).mul(0.5);
  return {
    terms: [over(gain.neg().add(error).sub(entropy.mul(0.1)))],
    metrics: { ratio_gap: over(ratio.sub(1).map(abs)), old_logp: over(old), entropy: over(entropy), value: over(value) },
  };
}

const SHARED = {
  paper: 'made up for this test', row: 'scored', options: z.strictObject({}), columns: [],
  heads: (): Record<string, Head> => ({ value: { size: 1, at: 'tokens' } }),
} as const;

const toy = (scope: 'row' | 'step') => defineMethod({
  ...SHARED, name: `toy-${scope}`, names: ['response'], tokenColumns: { advantage: 'response' }, entropies: () => ['response'],
  scope: () => scope,
  references: () => ({ old: { is: 'round', scores: ['response'] } }),
  sequences: (row, text) => ({ response: text.respond(row.prompt, row.completion) }),
  columnsOf: (row) => ({ advantage: [advantages(row, tokensIn(row.completion))] }),
  loss: ({ logp, under, tokens, values, entropy }: Scored<'response'>) =>
    lossOf(logp.response, under['old']!.response, tokens['advantage']!, values['value']!.response, entropy.response!),
});

/** The same with two responses in a row, as a group is: [B, K, T]. */
const grouped = defineMethod({
  ...SHARED, name: 'toy-grouped', names: ['group'], lists: ['group'], tokenColumns: { advantage: 'group' }, entropies: () => ['group'],
  references: () => ({ old: { is: 'round', scores: ['group'] } }),
  sequences: (row, text) => ({ group: [row.completion, `${row.completion} Or so.`].map((response) => text.respond(row.prompt, response)) }),
  columnsOf: (row) => ({ advantage: [row.completion, `${row.completion} Or so.`].map((text) => advantages(row, tokensIn(text))) }),
  loss: ({ logp, under, tokens, values, entropy }: Scored<'group'>) =>
    lossOf(logp.group, under['old']!.group, tokens['advantage']!, values['value']!.group, entropy.group!),
});

const ROWS: readonly ScoredRow[] = ['Yes.', 'No, it is not so.', 'Perhaps.', 'Ask me again tomorrow, please.'].map((completion, i) => ({
  source: { file: 'rows', line: i + 1 }, prompt: [{ role: 'user', content: `Is it so, for the ${i}. time?` }], completion, score: i,
}));

interface Toy {
  readonly method: BoundMethod;
  readonly plan: AdapterPlan;
  readonly items: readonly Item[];
  readonly parameters: Float32Array;
}

/** A method over the tiny model with an adapter that is not the identity. */
function open(method: BoundMethod): Toy {
  const lora = { rank: 2, alpha: 4, targets: ['q_proj', 'down_proj'], dropout: 0, rslora: false };
  const plan = planAdapter(model.checkpoint.tensors.values(), lora, method.heads);
  const random = createRandom('toy', 1);
  const parameters = initialParameters(plan, 3).map((x) => (x === 0 ? 0.1 * random.normal() : x));
  const { items } = prepare(ROWS, method, createRespond(model.template), { maxTokens: 512, onLong: 'error' });
  return { method, plan, items, parameters };
}

const CASES: readonly (readonly [string, () => BoundMethod])[] = [
  ['one pass', () => bind(toy('row'))], ['two passes', () => bind(toy('step'))], ['groups', () => bind(grouped)],
];

describe.each(CASES)('a policy gradient, %s', (_, method) => {
  it('has the gradient that finite differences give, by adapter and value head', async () => {
    const { plan, items, parameters, ...rest } = open(method());
    const bench: Bench = { model, plan, items, parameters, ...rest };
    const [pass] = await passes(engine, bench, [items.map((item) => [item])]);
    const evaluator = await createLossEvaluator({ engine, model, plan, items, batch: items.length, ...rest });
    const old = view(await engine.upload(parameters));
    const at = async (direction: Float32Array, step: number): Promise<number> => {
      const moved = view(await engine.upload(parameters.map((x, i) => x + step * direction[i]!)));
      return (await evaluator.evaluate({ parameters: moved, copies: { old } })).whole['loss']!;
    };
    const random = createRandom('direction', 5);
    const { offset, width } = plan.heads[0]!;
    const all = Float32Array.from(parameters, () => random.normal());
    const ofHead = all.map((x, i) => (i >= offset && i < offset + width ? x : 0));
    for (const direction of [all, ofHead]) {
      const step = 1e-3;
      const measured = ((await at(direction, step)) - (await at(direction, -step))) / (2 * step);
      const computed = pass!.gradients.reduce((total, g, i) => total + g * direction[i]!, 0);
      expect(Math.abs(computed - measured)).toBeLessThan(2e-2 * Math.max(1, Math.abs(measured)));
      expect(Math.abs(measured)).toBeGreaterThan(1e-2); // else this would show nothing
    }
    await evaluator.release();
  });

  it('gives the same for every way of cutting a step into micro-batches', async () => {
    const { items, ...rest } = open(method());
    const ways = [[[0, 1, 2, 3]], [[0], [1], [2], [3]], [[3, 1], [0, 2]]].map((way) => way.map((part) => part.map((i) => items[i]!)));
    const [whole, ...others] = await passes(engine, { model, items, ...rest }, ways);
    for (const other of others) {
      expect(other.loss).toBeCloseTo(whole!.loss, 5);
      expect(gradientDistance(whole!, other)).toBeLessThan(1e-5);
    }
  });

  it('has a ratio of exactly 1 at the first step of every round, and later the policy as the round began', async () => {
    const { method: bound, plan, items, parameters } = open(method());
    const options = TrainOptions.parse({ steps: 2, batch: items.length, learningRate: 0.05, schedule: 'constant' });
    const trainer = await createTrainer({ engine, model, method: bound, plan, options, parameters, moreRounds: true });
    const name = bound.names[0]!;
    const scorer = await createScorer(engine, model, { plan, parameters: trainer.policy });
    const sequences = items.flatMap((item) => item.sequences[name]!);
    const seen: { gap: number; old: number; began: number }[] = [];
    for (const round of [1, 2]) {
      const began = (await scorer.logProbs(sequences)).flat().map((x) => x!);
      const mean = began.reduce((a, b) => a + b, 0) / began.length;
      await trainer.learn(items, {
        seed: round,
        onStep: ({ metrics }) => void seen.push({ gap: metrics['ratio_gap']!, old: metrics['old_logp']!, began: mean }),
      });
    }
    expect(seen.map(({ gap }) => gap === 0)).toEqual([true, false, true, false]);
    for (const { old, began } of seen) expect(old).toBeCloseTo(began, 4);
    expect(Math.abs(seen[2]!.began - seen[0]!.began)).toBeGreaterThan(2e-4); // more than the closeness asked for above
    await trainer.release();
  });
});

describe('what a policy gradient reads', () => {
  it('entropies are those of the distribution over the whole vocabulary', async () => {
    const { method, plan, items, parameters } = open(bind(toy('row')));
    const placed = view(await engine.upload(parameters));
    const both = await createForward(engine, model, method, { plan, wanted: ['logp', 'entropy'] });
    both.use(placed);
    const read = await both.read(items, ['response']);
    const raw = await compileForwardPass(engine, model, { plan, parameters: placed }, (reads) => ({ logits: reads.logits() }));
    for (const item of items) {
      const { logits } = await raw.run(layOut(item.sequences['response']!));
      const vocabulary = logits!.shape[1]!;
      const data = logits!.data as Float32Array;
      const rows = Array.from({ length: logits!.shape[0]! }, (_, t) => Array.from(data.subarray(t * vocabulary, (t + 1) * vocabulary)));
      const expected = rows.map((row) => {
        const normaliser = Math.log(row.reduce((total, x) => total + Math.exp(x), 0));
        return -row.reduce((total, x) => total + Math.exp(x - normaliser) * (x - normaliser), 0);
      });
      const entropy = read.get(item)!['entropy:response']![0]!;
      expect(entropy).toHaveLength(expected.length);
      expected.forEach((h, t) => expect(entropy[t]!).toBeCloseTo(h, 4));
    }
    await both.release();
    await raw.release();
  });

  it('a token column must have a finite number for each supervised token', () => {
    const { method, items } = open(bind(toy('row')));
    const [item] = items as [Item];
    const broken = (values: readonly number[]): Item => ({ ...item, columns: { advantage: [values] } });
    const own = (item.columns['advantage'] as readonly (readonly number[])[])[0]!;
    expect(() => makeMicroBatch(method, [broken(own.slice(1))])).toThrow(/token column advantage of rows:1 holds \d+ numbers.*supervised tokens/);
    expect(() => makeMicroBatch(method, [broken(own.map(() => NaN))])).toThrow(/not finite/);
    expect(() => makeMicroBatch(method, [{ ...item, columns: {} }])).toThrow(/is missing/);
  });

  it('a value head is saved with the adapter, and the adapter still writes', async () => {
    const { plan, parameters } = open(bind(toy('row')));
    const to = join(folder, 'value-head');
    await saveAdapter(to, { plan, parameters, checkpoint: model.checkpoint });
    const loaded = await loadAdapter(to, model.checkpoint);
    expect(loaded.plan).toEqual(plan);
    expect(loaded.plan.heads).toMatchObject([{ name: 'value', at: 'tokens', size: 1 }]);
    expect(loaded.parameters).toEqual(parameters);
    const generator = await openGenerator(engine, model, { adapter: loaded, batch: 1 });
    const prompts = [{ prompt: model.template.prompt(ROWS[0]!.prompt), row: 0 }];
    const [completion] = await generator.generate(prompts, { maxNewTokens: 4, temperature: 0, seed: 0 });
    expect(completion!.ids.length).toBeGreaterThan(0);
    await generator.release();
  });
});

