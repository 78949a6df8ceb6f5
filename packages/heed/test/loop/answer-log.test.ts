import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Engine, startEngine } from '@heed/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Generator } from '../../src/generate/generator.js';
import { openGenerator } from '../../src/generate/open.js';
import type { Completion } from '../../src/generate/request.js';
import { type Answer, answerPrompts } from '../../src/loop/answer-log.js';
import { type Model, loadModel } from '../../src/model/load.js';
import { Interrupted } from '../../src/run/signals.js';
import { scratchFolder } from '../support/scratch.js';
import { tinyTalker } from './talkative.js';

const { folder, write } = scratchFolder();
const lines = (file: string): string[] => readFileSync(file, 'utf8').trim().split('\n').sort();

/**
 * Answers at once, the last prompt first. Log-probabilities hold the company of the call, as rounding does in the kernels: an answer
 * that is made again in other company differs.
 */
function fakeGenerator(): { readonly generator: Pick<Generator, 'generate'>; readonly calls: number[][] } {
  const calls: number[][] = [];
  return {
    calls,
    generator: {
      async generate(requests, { seed }, { onCompletion, onProgress } = {}) {
        calls.push(requests.map(({ row }) => row));
        const completions = requests.flatMap(({ prompt, row, samples = 1 }) => Array.from({ length: samples }, (_, sample): Completion => ({
          row, sample, ids: [...prompt, sample, 2], text: `ä${row}.${sample}`,
          logprobs: [-seed / 3, -requests.length / 7], finish: sample === 0 ? 'stop' : 'length',
        })));
        for (const [i, completion] of [...completions].reverse().entries()) {
          onCompletion?.(completion);
          onProgress?.({ tokens: i, finished: i + 1, total: completions.length });
        }
        return completions;
      },
    },
  };
}

const prompts = Array.from({ length: 100 }, (_, i) => [i, 7]);
const base = { round: 1, prompts, samples: 2, sampling: { maxNewTokens: 4, temperature: 1, seed: 5 } };

describe('a log of answers', () => {
  it('holds each answer as it was finished, and gives them back by prompt and sample', async () => {
    const file = join(folder, 'whole', 'answers.jsonl');
    const seen: string[] = [];
    const { generator, calls } = fakeGenerator();
    const answers = await answerPrompts(file, { ...base, generator, hooks: { onProgress: (done, of) => seen.push(`${done}/${of}`) } });
    expect(answers.map(({ row, sample }) => 2 * row + sample)).toEqual([...Array(200).keys()]);
    expect(answers[7]).toEqual({
      round: 1, row: 3, sample: 1, ids: [3, 7, 1, 2], logprobs: [-5 / 3, -96 / 7], text: 'ä3.1', finish: 'length',
    });
    const written = readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Answer);
    expect(written.slice(0, 2)).toEqual([answers[191], answers[190]]);
    expect(calls.map((rows) => rows.length)).toEqual([96, 4]);
    expect([seen[0], seen[1], seen.at(-1)]).toEqual(['0/200', '1/200', '200/200']);
    expect(await answerPrompts(file, { ...base, generator })).toEqual(answers);
    expect(calls).toHaveLength(2);
  });

  it('keeps what filters kept at each place', async () => {
    const file = join(folder, 'kept', 'answers.jsonl');
    const { generator } = fakeGenerator();
    const filtered = {
      generate: (...[requests, sampling, hooks]: Parameters<typeof generator.generate>) => generator.generate(requests, sampling, {
        ...hooks,
        onCompletion: (one) => hooks?.onCompletion?.({ ...one, sampled: one.ids.map(() => -0.5), kept: one.ids.map((id) => [id, 9]) }),
      }),
    };
    const asked = { ...base, prompts: prompts.slice(0, 2) };
    const answers = await answerPrompts(file, { ...asked, generator: filtered });
    expect(answers[3]).toMatchObject({ ids: [1, 7, 1, 2], kept: [[1, 9], [7, 9], [1, 9], [2, 9]], sampled: [-0.5, -0.5, -0.5, -0.5] });
    const silent = { generate: () => Promise.reject(new Error('asked again')) };
    expect(await answerPrompts(file, { ...asked, generator: silent })).toEqual(answers);
  });

  it('ends with the same bits wherever it was cut, and keeps what other rounds wrote', async () => {
    const file = join(folder, 'rounds.jsonl');
    const some = { ...base, prompts: prompts.slice(0, 2) };
    const first = await answerPrompts(file, { ...some, round: 'train', generator: fakeGenerator().generator });
    const start = readFileSync(file).length;
    const expected = await answerPrompts(file, { ...some, generator: fakeGenerator().generator });
    expect(first.map((a) => ({ ...a, round: 1 }))).toEqual(expected);
    const bytes = readFileSync(file);
    for (let cut = start; cut < bytes.length; cut++) {
      const path = write('cut.jsonl', bytes.subarray(0, cut));
      const { generator, calls } = fakeGenerator();
      expect(await answerPrompts(path, { ...some, generator })).toEqual(expected);
      // All prompts together, as at first: alone, the missing ones would have other log-probabilities.
      expect(calls).toEqual([[0, 1]]);
      expect(lines(path)).toEqual(lines(file));
    }
  });

  it('asks only for the group that was under way', async () => {
    const file = join(folder, 'groups.jsonl');
    await answerPrompts(file, { ...base, generator: fakeGenerator().generator });
    const whole = readFileSync(file, 'utf8').split('\n');
    const path = write('group.jsonl', `${whole.slice(0, 195).join('\n')}\n`);
    const { generator, calls } = fakeGenerator();
    await answerPrompts(path, { ...base, generator });
    expect(calls).toEqual([[96, 97, 98, 99]]);
    expect(lines(path)).toEqual(lines(file));
  });

  it('stops when asked to, and keeps what is finished', async () => {
    const file = join(folder, 'stopped.jsonl');
    const interrupt = { requested: false };
    const onProgress = (done: number): void => { interrupt.requested = done === 3; };
    const stopped = answerPrompts(file, { ...base, generator: fakeGenerator().generator, hooks: { onProgress, interrupt } });
    await expect(stopped).rejects.toThrow(Interrupted);
    await expect(stopped).rejects.toThrow('3 of 200 answers are written; go on with --resume.');
    expect(lines(file)).toHaveLength(3);
  });

  it('refuses a file that is of something else, naming the line', async () => {
    const answer = { round: 1, row: 4, sample: 1, ids: [1], logprobs: [-1], text: '', finish: 'stop' };
    const ask = (name: string, rows: readonly object[], samples = 2) => {
      const file = write(name, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
      return answerPrompts(file, { ...base, prompts: prompts.slice(0, 5), samples, generator: fakeGenerator().generator });
    };
    await expect(ask('a', [answer, { ...answer, logprobs: [null], row: 3 }])).rejects.toThrow(/a:2: not an answer/);
    await expect(ask('b', [{ ...answer, row: 5 }])).rejects.toThrow('b:1: an answer beyond the 5 prompts with 2 answers each');
    await expect(ask('c', [answer], 1)).rejects.toThrow('c:1: an answer beyond the 5 prompts with 1 answers each');
    await expect(ask('d', [answer, answer])).rejects.toThrow(/d:2: a second answer/);
  });
});

describe('the answers of a model', () => {
  let engine: Engine;
  let model: Model;
  beforeAll(async () => {
    model = await loadModel(await tinyTalker(folder, { context: 512 }));
    engine = await startEngine({ threads: 1 });
  });
  afterAll(() => engine.close());

  it('are equal to the last bit after kills, from a generator that did other work before', async () => {
    const request = {
      ...base,
      prompts: Array.from({ length: 99 }, (_, i) => model.template.prompt([{ role: 'user', content: 'x'.repeat(1 + (i % 5)) + i }])),
      sampling: { maxNewTokens: 12, temperature: 1, seed: 3 },
    };
    const open = () => openGenerator(engine, model, { batch: 8 });
    const whole = join(folder, 'model.jsonl');
    const first = await open();
    const answers = await answerPrompts(whole, { ...request, generator: first });
    expect(new Set(answers.map(({ finish }) => finish))).toEqual(new Set(['stop', 'length']));
    for (const { ids, finish, logprobs } of answers) {
      expect(logprobs).toHaveLength(ids.length);
      if (finish === 'stop') expect(model.template.stopIds).toContain(ids.at(-1));
      else expect(ids).toHaveLength(12);
    }
    const path = join(folder, 'killed.jsonl');
    for (const stopAt of [1, 100, 150, 197]) {
      const interrupt = { requested: false };
      const onProgress = (done: number): void => { interrupt.requested ||= done >= stopAt; };
      const generator = stopAt === 150 ? first : await open();
      await expect(answerPrompts(path, { ...request, generator, hooks: { onProgress, interrupt } })).rejects.toThrow(Interrupted);
      if (generator !== first) await generator.release();
    }
    expect(await answerPrompts(path, { ...request, generator: first })).toEqual(answers);
    expect(lines(path)).toEqual(lines(whole));
    await first.release();
  });
});
