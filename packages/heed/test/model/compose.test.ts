import { type Feed, add, input, lower, matmul } from '@heed/tensor';
import { describe, expect, it } from 'vitest';
import { planAdapter } from '../../src/model/adapter.js';
import { architectureOf } from '../../src/model/architecture.js';
import { type Part, composeAdapters } from '../../src/model/compose.js';
import { layOut } from '../../src/model/layout.js';
import { type Adapter, loadAdapter, saveAdapter } from '../../src/model/peft.js';
import { feedsOf, ropeFeed, scoringFeeds, traceLogProbs } from '../../src/model/scoring.js';
import { frozenWeights } from '../../src/model/weights.js';
import { createRandom } from '../../src/run/random.js';
import { json, scratch } from './support.js';
import { distance, openTiny, scorer, useEngine } from './tiny.js';

const engine = useEngine();
const temporary = scratch();
const checkpoint = await openTiny('llama3');
const sequences = [{ prompt: [1, 2, 3], response: [4, 5, 6, 7] }, { prompt: [9], response: [8, 8, 1] }];

interface Shape {
  rank: number; targets: string[]; alpha?: number; layers?: number[]; rslora?: boolean; rankPattern?: Record<string, number>;
}
/** An adapter of random numbers. */
function random(name: string, options: Shape): Adapter {
  const plan = planAdapter(checkpoint.tensors.values(), { alpha: 4, dropout: 0, rslora: false, ...options });
  const numbers = createRandom(name, 0);
  return { plan, parameters: Float32Array.from({ length: plan.size }, () => 0.2 * numbers.normal()) };
}
const a = random('a', { rank: 3, targets: ['q_proj', 'down_proj'] });
const b = random('b', {
  rank: 2, targets: ['down_proj', 'v_proj'], alpha: 6, rslora: true, rankPattern: { 'layers.1.mlp.down_proj': 4 },
});
const part = (name: string, adapter: Adapter, rest: Partial<Part> = {}): Part => ({ name, adapter, weight: 1, ...rest });

/** B A · scale of a module, [outputs][inputs], in float64; undefined where the adapter has none. */
function update({ plan, parameters }: Adapter, name: string): number[][] | undefined {
  const module = plan.modules.get(name);
  if (module === undefined) return undefined;
  const { inputs, outputs, rank, scale, a: rows, b: columns } = module;
  return Array.from({ length: outputs }, (_, o) => Array.from({ length: inputs }, (_, i) => {
    let sum = 0;
    for (let k = 0; k < rank; k++) sum += parameters[columns.offset + o * rank + k]! * parameters[rows.offset + k * inputs + i]!;
    return scale * sum;
  }));
}

describe('a sum of adapters', () => {
  const parts = [part('a', a, { weight: 0.7 }), part('b', b, { weight: -0.4 })];
  const sum = composeAdapters(checkpoint, parts);

  it('has the update Σ w · scale · B A of every module that one of them adapts', () => {
    expect([...sum.plan.modules.keys()].map((name) => name.replace('model.layers.', ''))).toEqual([
      '0.self_attn.q_proj', '0.self_attn.v_proj', '0.mlp.down_proj', '1.self_attn.q_proj', '1.self_attn.v_proj', '1.mlp.down_proj',
    ]);
    expect(sum.plan.options).toMatchObject({ rank: 7, alpha: 7, targets: ['q_proj', 'v_proj', 'down_proj'] });
    for (const name of sum.plan.modules.keys()) {
      const [ofA, ofB, ofSum] = [update(a, name), update(b, name), update(sum, name)!];
      const expected = ofSum.map((row, o) => row.map((_, i) => 0.7 * (ofA?.[o]![i] ?? 0) - 0.4 * (ofB?.[o]![i] ?? 0)));
      expect(distance(ofSum, expected)).toBeLessThan(1e-6);
    }
  });

  it('gives the log-probabilities of the model with both updates beside each other', async () => {
    const architecture = architectureOf(checkpoint);
    const frozen = frozenWeights(checkpoint);
    const fixed: Record<string, Feed> = {};
    const beside = lower({
      logp: traceLogProbs(architecture, {
        ...frozen,
        linear: (module, x) => parts.reduce((y, { adapter: { plan, parameters }, weight }, i) => {
          const own = plan.modules.get(module);
          if (own === undefined) return y;
          for (const [letter, { offset, shape }] of [['a', own.a], ['b', own.b]] as const)
            fixed[`${letter}${i}:${module}`] = { data: parameters.slice(offset, offset + shape[0] * shape[1]), shape };
          const inner = matmul(x, input(`a${i}:${module}`, own.a.shape), { transB: true });
          return add(y, matmul(inner, input(`b${i}:${module}`, own.b.shape), { transB: true, alpha: weight * own.scale }));
        }, frozen.linear(module, x)),
      }, 'none'),
    }, { folder: checkpoint.folder });
    const session = await engine().compile(beside);
    const layout = layOut(sequences);
    const { logp } = await session.run({ ...feedsOf(beside, scoringFeeds(layout, architecture, ropeFeed(architecture))), ...fixed });
    const expected = layout.labelOf.map((at) => Array.from(at, (i) => Number(logp!.data[i])));
    const [composed, base] = [await scorer(engine(), checkpoint, sum), await scorer(engine(), checkpoint)];
    expect(distance(await composed.score(sequences), expected)).toBeLessThan(1e-5);
    expect(distance(await base.score(sequences), expected)).toBeGreaterThan(1e-2);
    for (const one of [session, composed, base]) await one.release();
  });

  it('is saved as an ordinary adapter', async () => {
    const folder = `${temporary}/sum`;
    await saveAdapter(folder, { ...sum, checkpoint });
    const { plan, parameters } = await loadAdapter(folder, checkpoint);
    expect(plan).toEqual(sum.plan);
    expect(parameters).toEqual(sum.parameters);
  });

  it('without a part is the sum of the others', () => {
    const rest = composeAdapters(checkpoint, parts.slice(0, 1));
    for (const name of sum.plan.modules.keys()) {
      const found = update({ plan: sum.plan, parameters: sum.without(1) }, name)!;
      expect(distance(found, update(rest, name) ?? found.map((row) => row.map(() => 0)))).toBe(0);
    }
  });
});

describe('parts of adapters', () => {
  it('swap layers: each module is one adapter\'s, and the rank does not grow', async () => {
    const c = random('c', { rank: 3, targets: ['q_proj', 'down_proj'] });
    const swapped = composeAdapters(checkpoint, [part('a', a, { layers: [0] }), part('c', c, { layers: [1], targets: ['q_proj'] })]);
    expect(swapped.plan.options.rank).toBe(3);
    const [q0, down0, q1] = ['0.self_attn.q_proj', '0.mlp.down_proj', '1.self_attn.q_proj'].map((name) => `model.layers.${name}`);
    expect([...swapped.plan.modules.keys()]).toEqual([q0, down0, q1]);
    for (const [name, from] of [[q0, a], [down0, a], [q1, c]] as const)
      expect(distance(update(swapped, name!)!, update(from, name!)!)).toBeLessThan(1e-6);
    // No list of endings and layers picks these three: the file names them whole.
    const folder = `${temporary}/swapped`;
    await saveAdapter(folder, { ...swapped, checkpoint });
    expect(json(`${folder}/adapter_config.json`)).toMatchObject({ target_modules: [q0, down0, q1], layers_to_transform: null });
    expect((await loadAdapter(folder, checkpoint)).parameters).toEqual(swapped.parameters);
  });

  it('are refused where there is nothing to add', () => {
    expect(() => composeAdapters(checkpoint, [])).toThrow(/no adapter to compose/);
    expect(() => composeAdapters(checkpoint, [part('a', a, { targets: ['v_proj'] })])).toThrow(/a has no module among those/);
    expect(() => composeAdapters(checkpoint, [part('a', a, { weight: NaN })])).toThrow(/weight of a is NaN/);
    const { options } = a.plan;
    const plan = planAdapter(checkpoint.tensors.values(), options, { score: { size: 1, at: 'last' } });
    expect(() => composeAdapters(checkpoint, [part('a', { plan, parameters: new Float32Array(plan.size) })])).toThrow(/has a head/);
  });
});
