import fc from 'fast-check';
import { type Engine, startEngine } from '@heed/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drawFromAll } from '../../src/generate/filter.js';
import type { Generator } from '../../src/generate/generator.js';
import { changeLogits, forbidden, repeating } from '../../src/generate/masks.js';
import { openGenerator } from '../../src/generate/open.js';
import { type SamplingOptions, checkOptions } from '../../src/generate/options.js';
import { type Model, loadModel } from '../../src/model/load.js';
import { tinyChat } from '../cli/support.js';
import { scratchFolder } from '../support/scratch.js';

const base: SamplingOptions = { maxNewTokens: 40, temperature: 0, seed: 0 };
const text = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 14 });

describe('the tokens that must not come', () => {
  it('are those that would make an n-gram stand in the text twice', () => {
    fc.assert(fc.property(text, fc.integer({ min: 1, max: 4 }), (ids, n) => {
      const grams = (all: readonly number[]): string[] => all.slice(n - 1).map((_, i) => all.slice(i, i + n).join());
      const before = grams(ids);
      const twice = [0, 1, 2, 3].filter((next) => ids.length + 1 >= n && before.includes(grams([...ids, next]).at(-1)!));
      expect([...repeating(ids, n)].sort()).toEqual(twice);
    }));
  });

  it('are those that would make the text end in a forbidden word', () => {
    const words = fc.array(fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 3 }), { maxLength: 4 });
    fc.assert(fc.property(text, words, (ids, bad) => {
      const ends = (all: readonly number[], word: readonly number[]): boolean => `,${all.join()}`.endsWith(`,${word.join()}`);
      const banned = [0, 1, 2, 3].filter((next) => bad.some((word) => ends([...ids, next], word)));
      expect([...forbidden(ids, bad)].sort()).toEqual(banned);
    }));
  });

  it('change the logits behind biases and the penalty, whose numbers are these', () => {
    const logits = Float32Array.of(2, -1, 0.5, 3);
    const written = { prompt: [0, 1], ids: [2], stopIds: [3] };
    expect([...changeLogits(logits, written, { ...base, logitBias: { 0: 1, 1: -1 }, repetitionPenalty: 2 })]).toEqual([1.5, -4, 0.25, 3]);
    expect([...changeLogits(logits, written, { ...base, endBias: { add: 2, after: 1 } })]).toEqual([2, -1, 0.5, 5]);
    expect([...changeLogits(logits, written, { ...base, endBias: { add: 2, after: 2 } })]).toEqual([2, -1, 0.5, 3]);
    expect([...changeLogits(logits, written, { ...base, noRepeatNgram: 1 })]).toEqual([-Infinity, -Infinity, -Infinity, 3]);
    expect([...changeLogits(logits, written, { ...base, badWords: [[3], [2, 0], [1, 0]] })]).toEqual([-Infinity, -1, 0.5, -Infinity]);
    expect([...logits]).toEqual([2, -1, 0.5, 3]);
  });

  it('are never drawn, at any temperature, and where nothing is left that is said', () => {
    const hot = { ...base, temperature: 1e6 };
    const logits = Float32Array.of(-Infinity, 0, -Infinity, -40);
    expect([0, 0.49, 0.51, 1 - 2 ** -53].map((u) => drawFromAll(logits, hot, u).id)).toEqual([1, 1, 3, 3]);
    expect(drawFromAll(logits, { ...hot, topK: 3 }, 1 - 2 ** -53).id).toBe(3);
    expect(() => drawFromAll(Float32Array.of(-Infinity, -Infinity), base, 0)).toThrow('every token is forbidden');
  });

  it('are checked', () => {
    const wrong = (options: Partial<SamplingOptions>): (() => void) => () => checkOptions({ ...base, ...options }, 100);
    expect(wrong({ noRepeatNgram: -1 })).toThrow('noRepeatNgram is -1; expected a whole number from 0.');
    expect(wrong({ badWords: [[]] })).toThrow('badWords holds a word that is no list of tokens');
    expect(wrong({ badWords: [[100]] })).toThrow('badWords');
    expect(wrong({ logitBias: { 100: 1 } })).toThrow('logitBias is 1 for 100');
    expect(wrong({ endBias: { add: 1, after: -1 } })).toThrow('endBias is {"add":1,"after":-1}');
    expect(wrong({ noRepeatNgram: 3, badWords: [[99]], logitBias: { 99: -100 }, endBias: { add: 2, after: 0 } })).not.toThrow();
  });
});

describe('a generator with masks', () => {
  const { folder } = scratchFolder();
  let engine: Engine;
  let model: Model;
  let generator: Generator;
  beforeAll(async () => {
    model = await loadModel((await tinyChat(folder)).model);
    engine = await startEngine({ threads: 1 });
    generator = await openGenerator(engine, model, { batch: 4 });
  });
  afterAll(() => engine.close());
  const prompt = [5, 6, 5, 7];
  const write = async (options: Partial<SamplingOptions>) => (await generator.generate([{ prompt, row: 0 }], { ...base, ...options }))[0]!;

  it('writes at temperature 0 the likeliest token that may come', async () => {
    const free = await write({});
    const badWords = [[free.ids[0]!], free.ids.slice(1, 3)];
    const { ids, tops } = await write({ noRepeatNgram: 2, badWords, top: model.architecture.vocabulary });
    ids.forEach((id, t) => {
      const before = [...prompt, ...ids.slice(0, t)];
      const banned = new Set([...repeating(before, 2), ...forbidden(before, badWords)]);
      expect(id).toBe(tops![t]!.find((one) => !banned.has(one.id))!.id);
    });
    expect(ids).not.toEqual(free.ids);
  });

  it('ends, is led and is kept from tokens by biases', async () => {
    const { ids, finish } = await write({ endBias: { add: 1000, after: 6 } });
    expect([ids.length, finish]).toEqual([7, 'stop']);
    expect((await write({ logitBias: { 9: 1000 }, maxNewTokens: 3 })).ids).toEqual([9, 9, 9]);
    const hot = await write({ temperature: 5, logitBias: Object.fromEntries(model.template.stopIds.map((id) => [id, -1000])) });
    expect(hot.finish).toBe('length');
  });

  it('gives each sequence of a batch its own', async () => {
    const ways: Partial<SamplingOptions>[] = [{}, { noRepeatNgram: 1 }, { temperature: 1, topK: 5 }, { temperature: 1, badWords: [[4]] }];
    const alone = [];
    for (const way of ways) alone.push((await write(way)).ids);
    const together = await Promise.all(ways.map(write));
    expect(together.map(({ ids }) => ids)).toEqual(alone);
  });

  it('changes in the middle of a completion what chooses its tokens', async () => {
    const seen: (readonly number[])[] = [];
    const never = Object.fromEntries(model.template.stopIds.map((id) => [id, -1000]));
    const steer = {
      every: 3,
      choose: ({ ids, tops }: { ids: readonly number[]; tops: readonly unknown[] }) => {
        seen.push([ids.length, tops.length]);
        return ids.length === 3 ? { logitBias: { 9: 1000 } } : {};
      },
    };
    const options = { ...base, logitBias: never, maxNewTokens: 9, top: 2 };
    const [steered] = await generator.generate([{ prompt, row: 0 }], options, { steer });
    const [plain] = await generator.generate([{ prompt, row: 0 }], options);
    expect(steered!.ids.slice(0, 3)).toEqual(plain!.ids.slice(0, 3));
    expect(steered!.ids.slice(3, 6)).toEqual([9, 9, 9]);
    expect(seen).toEqual([[3, 3], [6, 6]]);
    // From the sixth token on it is as if the text so far had been the prompt.
    const longer = [...prompt, ...steered!.ids.slice(0, 6)];
    const [rest] = await generator.generate([{ prompt: longer, row: 0 }], { ...options, maxNewTokens: 3 });
    expect(steered!.ids.slice(6)).toEqual(rest!.ids);
    const wrong = generator.generate([{ prompt, row: 0 }], options, { steer: { every: 1, choose: () => ({ temperature: -1 }) } });
    await expect(wrong).rejects.toThrow('temperature is -1');
  });
});
