import { readFileSync } from 'node:fs';
import { type Engine, input, lower, startEngine, sym } from '@heed/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blockWidth, traceChoice, uniform32 } from '../../src/generate/choose.js';
import { draw, drawFromAll, keep, penalise } from '../../src/generate/filter.js';
import { type SamplingOptions, choiceOf } from '../../src/generate/options.js';
import { createRandom } from '../../src/run/random.js';

interface Fixture {
  logits: { values: number[]; seen: number[] }[];
  cases: { logits: number; options: Partial<SamplingOptions>; kept: number[] | 'all'; probabilities: number[] }[];
}
const fixture = JSON.parse(readFileSync(new URL('../fixtures/generate/warpers.json', import.meta.url), 'utf8')) as Fixture;
const base: SamplingOptions = { maxNewTokens: 1, temperature: 1, seed: 0 };
const softmax = (x: ArrayLike<number>, t = 1): number[] => {
  const e = Array.from(x, (v) => Math.exp((v - Math.max(...Array.from(x))) / t));
  const total = e.reduce((a, b) => a + b, 0);
  return e.map((v) => v / total);
};
const sorted = (logits: Float32Array, count = logits.length, t = 1) => {
  const ids = [...logits.keys()].sort((a, b) => logits[b]! - logits[a]! || a - b).slice(0, count);
  const normaliser = Math.log([...logits].reduce((sum, x) => sum + Math.exp(x / t), 0));
  return { ids, logits: Float32Array.from(ids, (id) => logits[id]!), normaliser, complete: count === logits.length };
};
/** Pearson's statistic over cells that expect at least 5, and its 99.99 % point by Wilson and Hilferty. */
function chiSquare(counts: readonly number[], expected: readonly number[]): { statistic: number; limit: number } {
  let [statistic, cells, restSeen, restExpected] = [0, 0, 0, 0];
  for (const [i, e] of expected.entries()) {
    if (e < 5) [restSeen, restExpected] = [restSeen + counts[i]!, restExpected + e];
    else [statistic, cells] = [statistic + (counts[i]! - e) ** 2 / e, cells + 1];
  }
  if (restExpected > 1) [statistic, cells] = [statistic + (restSeen - restExpected) ** 2 / restExpected, cells + 1];
  const k = Math.max(1, cells - 1);
  return { statistic, limit: k * (1 - 2 / (9 * k) + 3.72 * Math.sqrt(2 / (9 * k))) ** 3 };
}

describe('filters', () => {
  it("keep what transformers' warpers keep, with their probabilities", () => {
    for (const { logits: which, options: given, kept, probabilities } of fixture.cases) {
      const { values, seen } = fixture.logits[which]!;
      const options = { ...base, ...given };
      const logits = penalise(Float32Array.from(values), seen, options.repetitionPenalty ?? 1);
      const candidates = sorted(logits, logits.length, options.temperature);
      const { count, weights } = keep(candidates, options)!;
      const total = weights.subarray(0, count).reduce((a, b) => a + b, 0);
      const mine = new Map(candidates.ids.slice(0, count).map((id, i) => [id, weights[i]! / total]));
      const wanted = kept === 'all' ? [...logits.keys()] : kept;
      expect([...mine.keys()].sort((a, b) => a - b), JSON.stringify(given)).toEqual(wanted);
      probabilities.forEach((p, i) => expect(mine.get(wanted[i]!)).toBeCloseTo(p, 6));
      // A draw from all logits reports that set, and the log-probability in it.
      const drawn = drawFromAll(logits, options, 0.5);
      if (options.temperature === 0) continue;
      expect(drawn.kept().sort((a, b) => a - b), JSON.stringify(given)).toEqual(wanted);
      expect(drawn.logprob).toBeCloseTo(Math.log(mine.get(drawn.id)!), 5);
    }
  });

  it('of part of the vocabulary give the same set, or say that it goes on behind it', () => {
    const logits = Float32Array.from(fixture.logits[1]!.values);
    let undecided = 0;
    const ways = [
      { topK: 20 }, { topK: 70 }, { topP: 0.5 }, { topP: 0.9999 }, { minP: 0.2 }, { minP: 1e-4 },
      { topK: 10, topP: 0.9, minP: 0.1 }, { topP: 0.9999, minP: 0.3 },
    ];
    for (const given of ways) {
      const options = { ...base, temperature: 1.5, ...given };
      const whole = keep(sorted(logits, logits.length, 1.5), options)!;
      const part = keep(sorted(logits, 64, 1.5), options);
      if (part === undefined) undecided++;
      expect(whole.count > 64 ? undefined : whole.count, JSON.stringify(given)).toBe(part?.count);
    }
    expect(undecided).toBeGreaterThan(1);
    expect(keep({ logits: Float32Array.of(3, 1, 1), normaliser: 4, complete: false }, { ...base, topK: 2 })).toBeUndefined();
    expect(keep({ logits: Float32Array.of(3, 1, 1, 0), normaliser: 4, complete: false }, { ...base, topK: 2 })!.count).toBe(3);
  });

  it('draw from the kept set in proportion, and all logits give the same token as candidates', () => {
    const logits = Float32Array.from(fixture.logits[1]!.values);
    const options = { ...base, temperature: 0.9, topK: 40, topP: 0.95 };
    const candidates = sorted(logits, 64, 0.9);
    const { count, weights } = keep(candidates, options)!;
    const total = weights.subarray(0, count).reduce((a, b) => a + b, 0);
    const random = createRandom('filters');
    const counts = Array.from<number>({ length: count }).fill(0);
    const n = 20_000;
    for (let i = 0; i < n; i++) {
      const u = random.next();
      const { place } = draw(candidates, options, u)!;
      counts[place]!++;
      if (i < 50) expect(drawFromAll(logits, options, u).id).toBe(candidates.ids[place]);
    }
    const { statistic, limit } = chiSquare(counts, [...weights.subarray(0, count)].map((w) => (n * w) / total));
    expect(statistic).toBeLessThan(limit);
    // Of equal logits the token with the lower id comes first, as in the graph.
    const ties = Float32Array.of(1, 5, 5, 2, 5);
    expect([0, 0.34, 0.67].map((u) => drawFromAll(ties, { ...base, topK: 2 }, u).id)).toEqual([1, 2, 4]);
    expect(drawFromAll(ties, { ...base, topP: 0.5 }, 0).kept()).toEqual([1, 2]);
    expect(draw(candidates, options, 0)!.place).toBe(0);
    expect(draw(candidates, options, 1 - 2 ** -53)!.place).toBe(count - 1);
  });

  it('draw from all logits without a filter as from the whole vocabulary in order, likely tokens and unlikely ones', () => {
    const logits = Float32Array.from({ length: 700 }, (_, i) => (i % 97 === 0 ? -Infinity : 6 * createRandom('all', i).normal()));
    for (const temperature of [0.2, 1, 3]) {
      const whole = sorted(logits, logits.length, temperature);
      const possible = whole.ids.filter((id) => logits[id]! > -Infinity);
      const p = softmax(logits, temperature);
      // Uniform numbers in every decade of the tail: the last ones fall on tokens below e⁻¹² of the likeliest.
      for (const rest of [0.9, 0.5, 0.1, 1e-3, 1e-5, 1e-7, 1e-9, 1e-12, 2 ** -53]) {
        const u = 1 - rest;
        let [place, passed] = [0, p[whole.ids[0]!]!];
        while (place < possible.length - 1 && passed <= u) passed += p[whole.ids[++place]!]!;
        const drawn = drawFromAll(logits, { ...base, temperature }, u);
        // In the last decades a sum in 64 bits is too coarse to name one token.
        if (rest > 1e-10) expect(drawn.id, `${temperature} ${rest}`).toBe(whole.ids[place]);
        expect(p[drawn.id]).toBeGreaterThan(0);
        expect(drawn.logprob).toBeCloseTo(Math.log(p[drawn.id]!), 6);
        if (rest === 0.9 || rest === 1e-9) expect(drawn.kept()).toEqual(possible);
      }
    }
  });
});

describe('choosing in the graph', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine({ threads: 2 });
  });
  afterAll(() => engine.close());

  it.each([1, 7, 40, 60, 1009])('draws exactly from the softmax of %i logits, each row by its own numbers', async (vocabulary) => {
    const rows = 20_000 / (vocabulary > 100 ? 4 : 1);
    const random = createRandom('chi', vocabulary);
    const logits = Float32Array.from({ length: vocabulary }, () => 2 * random.normal());
    // A token of no probability, first, in the middle and last.
    if (vocabulary > 7) for (const i of [0, vocabulary >> 1, vocabulary - 1]) logits[i] = -1e4;
    const session = await engine.compile(lower(traceChoice(input('logits', [sym('B'), vocabulary]), { kind: 'sample' })));
    const blocks = Math.ceil(vocabulary / blockWidth(vocabulary));
    const all = new Float32Array(rows * vocabulary);
    for (let i = 0; i < rows; i++) all.set(logits, i * vocabulary);
    const temperature = 1.3;
    const uniform = Float32Array.from({ length: 2 * rows }, () => uniform32(random.next()));
    uniform.set([0, 0, uniform32(1), uniform32(1)]);
    const { chosen, logprobs } = await session.run({
      logits: { data: all, shape: [rows, vocabulary] },
      inverseTemperature: { data: new Float32Array(rows).fill(1 / temperature), shape: [rows, 1] },
      uniform: { data: uniform, shape: [rows, 2] },
      blockBase: { data: Int32Array.from({ length: rows }, (_, i) => i * blocks), shape: [rows, 1] },
    });
    const counts = Array.from<number>({ length: vocabulary }).fill(0);
    for (const id of chosen!.data) counts[Number(id)]!++;
    const { statistic, limit } = chiSquare(counts, softmax(logits, temperature).map((p) => p * rows));
    expect(statistic).toBeLessThan(limit);
    if (vocabulary > 7) for (const i of [0, vocabulary >> 1, vocabulary - 1]) expect(counts[i]).toBe(0);
    const exact = softmax(logits).map(Math.log);
    for (let i = 0; i < 100; i++) expect(logprobs!.data[i]).toBeCloseTo(exact[Number(chosen!.data[i])]!, 4);
    await session.release();
  });

  it('gives the likeliest token, and the likeliest in order with both normalisers', async () => {
    const { values } = fixture.logits[1]!;
    const feed = { data: Float32Array.from(values), shape: [1, values.length] };
    const greedy = await engine.compile(lower(traceChoice(input('logits', [sym('B'), values.length]), { kind: 'greedy' })));
    const best = values.indexOf(Math.max(...values));
    const chosen = await greedy.run({ logits: feed });
    expect(Number(chosen['chosen']!.data[0])).toBe(best);
    expect(chosen['logprobs']!.data[0]).toBeCloseTo(Math.log(softmax(values)[best]!), 5);
    // An operation between, since logits are an output too, and an input cannot be one under its own name.
    const session = await engine.compile(lower(traceChoice(input('given', [sym('B'), values.length]), { kind: 'candidates', count: 64 })));
    const result = await session.run({ given: feed, inverseTemperature: { data: Float32Array.of(0.5), shape: [1, 1] } });
    const wanted = sorted(feed.data, 64);
    expect(Array.from(result['indices']!.data, Number)).toEqual(wanted.ids);
    expect(result['values']!.data).toEqual(wanted.logits);
    expect(result['normaliser']!.data[0]).toBeCloseTo(wanted.normaliser, 5);
    expect(result['normaliser']!.data[1]).toBeCloseTo(sorted(feed.data, 1, 2).normaliser, 5);
    await greedy.release();
    await session.release();
  });

  it('is used where nothing but a temperature is asked for', () => {
    const kind = (options: Partial<SamplingOptions>) => choiceOf({ ...base, ...options }, 49152);
    expect(kind({})).toEqual({ kind: 'sample' });
    expect(kind({ temperature: 0, topK: 5 })).toEqual({ kind: 'greedy' });
    expect(kind({ topK: 50 })).toEqual({ kind: 'candidates', count: 64 });
    expect(kind({ topK: 64 })).toEqual({ kind: 'candidates', count: 128 });
    expect(kind({ topP: 0.9 })).toEqual({ kind: 'candidates', count: 256 });
    expect(kind({ topP: 0.9, repetitionPenalty: 1.1 })).toEqual({ kind: 'logits' });
    expect(choiceOf({ ...base, minP: 0.1 }, 100)).toEqual({ kind: 'candidates', count: 100 });
  });
});
