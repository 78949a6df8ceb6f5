import { readFileSync } from 'node:fs';
import { type Engine, lower, startEngine, view } from '@heed/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Generator, createGenerator } from '../../src/generate/generator.js';
import { initialParameters, planAdapter } from '../../src/model/adapter.js';
import { architectureOf } from '../../src/model/architecture.js';
import { type Checkpoint, openCheckpoint } from '../../src/model/checkpoint/open.js';
import { layOut } from '../../src/model/layout.js';
import { feedsOf, ropeFeed, scoringFeeds, traceLogProbs } from '../../src/model/scoring.js';
import { adaptedWeights } from '../../src/model/weights.js';
import { createRandom } from '../../src/run/random.js';

interface Fixture { cases: { prompt: number[]; ids: number[]; logprobs: number[]; penalty: number; decoded: string }[] }
const fixture = JSON.parse(readFileSync(new URL('../fixtures/generate/greedy.json', import.meta.url), 'utf8')) as Fixture;
const plain = fixture.cases.filter(({ penalty }) => penalty === 1);
const greedy = { maxNewTokens: 40, temperature: 0, seed: 0 };
// Text is not what these tests are about: each token is written as its number.
const decode = (ids: readonly number[]): string => ids.map((id) => `<${id}>`).join('');
const END = 2;

describe('generation with the default model', () => {
  let engine: Engine;
  let checkpoint: Checkpoint;
  let generator: Generator;
  const close = (a: readonly number[], b: readonly number[], tolerance: number): void => {
    expect(a.length).toBe(b.length);
    expect(Math.max(0, ...a.map((x, i) => Math.abs(x - b[i]!)))).toBeLessThan(tolerance);
  };

  beforeAll(async () => {
    checkpoint = await openCheckpoint(undefined);
    engine = await startEngine({ threads: 2 });
    generator = await createGenerator(engine, checkpoint, { decode, stopIds: [END], batch: 6 });
  });
  afterAll(async () => {
    await generator.release();
    await engine.close();
  });

  it("equals transformers' greedy continuations, alone and in one ragged batch", async () => {
    const requests = plain.map(({ prompt }, row) => ({ prompt, row }));
    const together = await generator.generate(requests, greedy);
    const first = await generator.generate(requests.slice(0, 1), greedy);
    for (const [i, { ids, logprobs }] of plain.entries()) {
      expect(together[i]!.ids).toEqual(ids);
      close(together[i]!.logprobs, logprobs, 2e-4);
    }
    expect(first[0]!.ids).toEqual(plain[0]!.ids);
  });

  it("equals transformers' greedy continuation with a repetition penalty", async () => {
    const { prompt, ids, logprobs, penalty } = fixture.cases.find((c) => c.penalty !== 1)!;
    const [completion] = await generator.generate([{ prompt, row: 0 }], { ...greedy, repetitionPenalty: penalty });
    expect(completion!.ids).toEqual(ids);
    close(completion!.logprobs, logprobs, 2e-4);
  });

  it('samples the same text in whatever company, more sequences than slots, and streams all of it', async () => {
    const requests = plain.slice(0, 3).map(({ prompt }, row) => ({ prompt, row, samples: 3 }));
    const options = { maxNewTokens: 12, temperature: 0.9, seed: 7 };
    const streamed = new Map<string, string>();
    let progress: unknown;
    const all = await generator.generate(requests, options, {
      onToken: (row, sample, delta) => streamed.set(`${row}.${sample}`, (streamed.get(`${row}.${sample}`) ?? '') + delta),
      onProgress: (p) => { progress = p; },
    });
    expect(all.map(({ row, sample }) => `${row}.${sample}`)).toEqual(['0.0', '0.1', '0.2', '1.0', '1.1', '1.2', '2.0', '2.1', '2.2']);
    expect(new Set(all.map(({ text }) => text)).size).toBe(9);
    expect(all.map(({ text }) => text)).toEqual(all.map(({ row, sample }) => streamed.get(`${row}.${sample}`)));
    expect(progress).toEqual({ tokens: all.reduce((n, c) => n + c.ids.length, 0), finished: 9, total: 9 });
    const alone = await generator.generate([requests[1]!], options);
    expect(alone.map((c) => c.ids)).toEqual(all.slice(3, 6).map((c) => c.ids));
    alone.forEach((c, i) => close(c.logprobs, all[3 + i]!.logprobs, 1e-4));
  });

  it('gives with filters on the host what the whole vocabulary gives, and ends at stop ids and texts', async () => {
    const { prompt, ids } = plain[0]!;
    const options = { maxNewTokens: 10, temperature: 1, seed: 1 };
    // Top-k of 1 leaves no choice; a tiny top-p keeps the likeliest token only.
    for (const filter of [{ topK: 1 }, { topP: 1e-6 }, { minP: 1 }]) {
      const [completion] = await generator.generate([{ prompt, row: 0 }], { ...options, ...filter });
      expect(completion!.ids).toEqual(ids.slice(0, 10));
    }
    // The kept set is wider than the graph's candidates: those rows fall back to all logits.
    const wide = await generator.generate([{ prompt, row: 0, samples: 2 }], { ...options, temperature: 8, topP: 0.999 });
    expect(wide.every((c) => c.ids.length === 10)).toBe(true);
    const [stopped] = await generator.generate([{ prompt, row: 0 }], { ...greedy, stop: [`<${ids[5]}><${ids[6]}>`] });
    expect(stopped).toMatchObject({ finish: 'stop', ids: ids.slice(0, 5), text: decode(ids.slice(0, 5)) });
    const other = await createGenerator(engine, checkpoint, { decode, stopIds: [ids[4]!], batch: 1 });
    const [ended] = await other.generate([{ prompt, row: 0 }], greedy);
    expect(ended).toMatchObject({ finish: 'stop', ids: ids.slice(0, 5), text: decode(ids.slice(0, 4)) });
    await other.release();
  });

  it('stops when aborted, and refuses what does not fit, naming the row', async () => {
    const abort = new AbortController();
    const running = generator.generate([{ prompt: plain[0]!.prompt, row: 0 }], greedy, {
      signal: abort.signal, onProgress: ({ tokens }) => { if (tokens === 3) abort.abort(new Error('enough')); },
    });
    await expect(running).rejects.toThrow('enough');
    await expect(generator.generate([{ prompt: [1, 2, 3], row: 41 }], { ...greedy, maxNewTokens: 9000 }))
      .rejects.toThrow('Row 41: the prompt of 3 tokens and maxNewTokens = 9000 make 9003; the context of smollm2-135m-instruct is');
    await expect(generator.generate([{ prompt: [], row: 5 }], greedy)).rejects.toThrow('Row 5: the prompt has no tokens.');
    await expect(generator.generate([{ prompt: [1], row: 5 }], { ...greedy, topP: 0 }))
      .rejects.toThrow('topP is 0; expected a number above 0, at most 1.');
    const [again] = await generator.generate([{ prompt: plain[0]!.prompt, row: 0 }], { ...greedy, maxNewTokens: 5 });
    expect(again!.ids).toEqual(plain[0]!.ids.slice(0, 5));
  });

  it("generates with an adapter as the scoring program sees it, and without it once it is taken off", async () => {
    const targets = ['q_proj', 'v_proj', 'o_proj', 'down_proj'];
    const plan = planAdapter(checkpoint.tensors.values(), { rank: 4, alpha: 8, targets, dropout: 0, rslora: false });
    const parameters = initialParameters(plan, 1);
    const random = createRandom('test', 1);
    for (const { b } of plan.modules.values()) {
      for (let i = 0; i < b.shape[0] * b.shape[1]; i++) parameters[b.offset + i] = 0.02 * random.normal();
    }
    const buffer = await engine.upload(parameters);
    const adapted = await createGenerator(engine, checkpoint, { decode, stopIds: [END], batch: 4, plan });
    await adapted.setAdapter(view(buffer));
    const requests = plain.slice(0, 2).map(({ prompt }, row) => ({ prompt, row, samples: 2 }));
    const completions = await adapted.generate(requests, { maxNewTokens: 16, temperature: 1, seed: 3 });

    const architecture = architectureOf(checkpoint);
    const weights = adaptedWeights(checkpoint, plan, { dropout: false });
    const program = lower({ scores: traceLogProbs(architecture, weights, 'none') }, { folder: checkpoint.folder });
    const session = await engine.compile(program);
    const layout = layOut(completions.map(({ row, ids }) => ({ prompt: plain[row]!.prompt, response: [...ids] })), { share: true });
    const adapter = Object.fromEntries(weights.parameters.map(({ name, offset, shape }) => [name, view(buffer, shape, offset)]));
    const { scores } = await session.run({ ...feedsOf(program, scoringFeeds(layout, architecture, ropeFeed(architecture))), ...adapter });
    completions.forEach((c, i) => close(c.logprobs, Array.from(layout.labelOf[i]!, (at) => scores!.data[at] as number), 1e-4));
    await session.release();

    await adapted.setAdapter(undefined);
    const [bare] = await adapted.generate([{ prompt: plain[0]!.prompt, row: 0 }], { ...greedy, maxNewTokens: 5 });
    expect(bare!.ids).toEqual(plain[0]!.ids.slice(0, 5));
    expect(completions[0]!.ids).not.toEqual(plain[0]!.ids.slice(0, 16));
    await adapted.release();
    await engine.free(buffer);
  });
});
