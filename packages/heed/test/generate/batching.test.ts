import fc from 'fast-check';
import { type Engine, startEngine } from '@heed/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Generator } from '../../src/generate/generator.js';
import { openGenerator } from '../../src/generate/open.js';
import type { SamplingOptions } from '../../src/generate/options.js';
import type { Completion, Token } from '../../src/generate/request.js';
import { createTextStream } from '../../src/generate/text-stream.js';
import { type Model, loadModel } from '../../src/model/load.js';
import { createScorer } from '../../src/model/scorer.js';
import { tinyChat } from '../cli/support.js';
import { scratchFolder } from '../support/scratch.js';

const { folder } = scratchFolder();
let engine: Engine;
let model: Model;
let generator: Generator;
beforeAll(async () => {
  model = await loadModel((await tinyChat(folder, { context: 4096 })).model);
  engine = await startEngine({ threads: 1 });
  generator = await open(3);
});
afterAll(() => engine.close());

const open = (batch: number) => openGenerator(engine, model, { batch });
const prompt = (text: string): number[] => model.template.prompt([{ role: 'user', content: text }]);
const close = (a: readonly number[], b: readonly (number | null)[]): void => {
  expect(a.length).toBe(b.length);
  for (const [i, x] of a.entries()) expect(Math.abs(x - b[i]!)).toBeLessThan(1e-4);
};

const WAYS: readonly SamplingOptions[] = [
  { maxNewTokens: 30, temperature: 0, seed: 0 },
  { maxNewTokens: 9, temperature: 0.9, seed: 4 },
  { maxNewTokens: 21, temperature: 2, topP: 0.8, seed: 4 },
  { maxNewTokens: 14, temperature: 1, repetitionPenalty: 1.3, seed: 9 },
  { maxNewTokens: 17, temperature: 1.5, topK: 3, seed: 4, top: 5 },
  { maxNewTokens: 12, temperature: 0, seed: 4, top: 20 },
  { maxNewTokens: 8, temperature: 1, seed: 5, stop: ['e', 'x'] },
];

describe('calls that share a batch', () => {
  const ask = (way: SamplingOptions, i: number) => generator.generate([{ prompt: prompt('x'.repeat(i + 1)), row: i, samples: 2 }], way);

  it('get what each would get alone, whatever its options and its company', async () => {
    const together = await Promise.all(WAYS.map(ask));
    const written = ({ ids, text, finish }: Completion) => ({ ids, text, finish });
    for (const [i, way] of WAYS.entries()) {
      const alone = await ask(way, i);
      expect(together[i]!.map(written)).toEqual(alone.map(written));
      alone.forEach((c, k) => close(c.logprobs, together[i]![k]!.logprobs));
    }
  });

  it('join while it runs, in a cache that grows, and leave it when aborted', async () => {
    const far = { maxNewTokens: 1500, temperature: 0, seed: 0 };
    const [alone] = await (await open(1)).generate([{ prompt: prompt('far'), row: 0 }], far);
    const fresh = await open(4);
    const abort = new AbortController();
    const order: string[] = [];
    const others: Promise<unknown>[] = [];
    const long = fresh.generate([{ prompt: prompt('far'), row: 0 }], far, {
      onProgress({ tokens }) {
        if (tokens === 5) {
          const near = fresh.generate([{ prompt: prompt('near'), row: 0 }], { ...far, maxNewTokens: 6 });
          others.push(near.then(() => order.push('near')));
        }
        if (tokens === 7) {
          const gone = fresh.generate([{ prompt: prompt('gone'), row: 0, samples: 5 }], far, { signal: abort.signal });
          others.push(expect(gone).rejects.toThrow('nobody listens'));
        }
        if (tokens === 9) abort.abort(new Error('nobody listens'));
      },
    });
    const [joined] = await long.finally(() => order.push('far'));
    await Promise.all(others);
    expect(others).toHaveLength(2);
    expect(order).toEqual(['near', 'far']);
    expect(joined!.ids).toEqual(alone!.ids);
    expect(joined!.ids.length).toBeGreaterThan(1100);
    await fresh.release();
  });

  it('fail alone where what one of them gave throws', async () => {
    const onToken = (): void => { throw new Error('no screen'); };
    const bad = generator.generate([{ prompt: prompt('a'), row: 0, samples: 2 }], WAYS[1]!, { onToken });
    const good = ask(WAYS[0]!, 0);
    await expect(bad).rejects.toThrow('no screen');
    expect((await good)[0]!.ids).toEqual((await ask(WAYS[0]!, 0))[0]!.ids);
  });
});

describe('the likeliest tokens of each place', () => {
  it('are in falling order, hold the greedy choice, and have the log-probabilities that the scorer gives', async () => {
    const given = prompt('Why?');
    const [greedy] = await generator.generate([{ prompt: given, row: 0 }], WAYS[5]!);
    expect(greedy!.tops!.map((top) => top[0]!.id)).toEqual(greedy!.ids);
    const scorer = await createScorer(engine, model);
    const [first] = greedy!.tops!;
    const scored = await scorer.logProbs(first!.map(({ id }) => ({ prompt: given, response: [id] })));
    expect(first).toHaveLength(20);
    close(first!.map(({ logprob }) => logprob), scored.map(([x]) => x!));
    expect(first!.map(({ logprob }) => logprob)).toEqual(first!.map(({ logprob }) => logprob).sort((a, b) => b - a));
    const [sampled] = await generator.generate([{ prompt: given, row: 0 }], WAYS[4]!);
    close(sampled!.logprobs, (await scorer.logProbs([{ prompt: given, response: sampled!.ids }]))[0]!);
    await scorer.release();
  });
});

describe('tokens that come with the text', () => {
  it('are those of the completion, each with the text that it ends in', async () => {
    const pieces: Token[] = [];
    let text = '';
    const [done] = await generator.generate([{ prompt: prompt('Tell'), row: 0 }], { ...WAYS[6]!, maxNewTokens: 40, top: 2 }, {
      onToken: (_row, _sample, delta, tokens) => { text += delta; pieces.push(...tokens); },
    }) as [Completion];
    expect(text).toBe(done.text);
    expect(pieces.map(({ id }) => id)).toEqual(done.ids);
    expect(pieces.map(({ top }) => top)).toEqual(done.tops);
  });

  it('make up the text of all, whatever the bytes are', () => {
    const telling = fc.constantFrom(0x41, 0x80, 0x9d, 0xc3, 0xce, 0xd6, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x99, 0x82);
    const bytes = fc.array(fc.oneof(telling, fc.nat(255)), { maxLength: 30 });
    fc.assert(fc.property(bytes, (ids) => {
      const decode = (some: readonly number[]): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(some));
      const stream = createTextStream(decode, []);
      let text = '';
      let known = 0;
      for (const id of ids) {
        text += stream.push(id).delta;
        expect(stream.tokens).toBeGreaterThanOrEqual(known);
        known = stream.tokens;
      }
      expect(text + stream.end()).toBe(decode(ids));
    }));
  });

  it('wait for the rest of their character, and for what may become a stop text', () => {
    const words = ['a', 'b', 'c', 'st', 'op', '\u{1F642}'];
    // Tokens 10 to 13 are the four bytes of one character.
    const face = new TextEncoder().encode('\u{1F642}');
    const bytesOf = (id: number): number[] => (id < 10 ? [...new TextEncoder().encode(words[id])] : [face[id - 10]!]);
    const decode = (ids: readonly number[]): string => new TextDecoder().decode(Uint8Array.from(ids.flatMap(bytesOf)));
    const stream = createTextStream(decode, ['stop']);
    const push = (id: number): [string, number] => [stream.push(id).delta, stream.tokens];
    expect([push(0), push(10), push(11), push(12)]).toEqual([['a', 1], ['', 1], ['', 1], ['', 1]]);
    expect(push(13)).toEqual(['\u{1F642}', 5]);
    expect([push(3), push(2), push(3), push(4)]).toEqual([['', 5], ['stc', 7], ['', 7], ['', 7]]);
    expect(stream.cut).toEqual({ text: 'a\u{1F642}stc', tokens: 7 });
  });
});
