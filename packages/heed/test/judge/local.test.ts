import { type Engine, startEngine, view } from '@heed/tensor';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type ChoiceQuestion, type ChoiceReply, type TextReply, failed } from '../../src/judge/respondent.js';
import { createLocalRespondent } from '../../src/judge/local.js';
import { askForTexts } from '../../src/judge/ask-for-texts.js';
import { type Model, loadModel } from '../../src/model/load.js';
import { type Adapter, loadAdapter } from '../../src/model/peft.js';
import { createScorer } from '../../src/model/scorer.js';
import { tinyChat } from '../cli/support.js';
import { scratch } from '../model/support.js';

let engine: Engine;
let model: Model;
let adapter: Adapter;

beforeAll(async () => {
  const made = await tinyChat(scratch());
  engine = await startEngine();
  model = await loadModel(made.model);
  adapter = await loadAdapter(made.adapter, model.checkpoint);
});
afterAll(() => engine.close());

const PREAMBLE = 'You compare two answers and say which is better.\n';
const ask = (text: string, answers: readonly string[], begun?: string): ChoiceQuestion =>
  ({ messages: [{ role: 'user', content: PREAMBLE + text }], answers, ...(begun === undefined ? {} : { begun }) });
const questions = [
  ask('A', ['1', '2'], 'Preferred='),
  ask('Something longer', ['1', '2'], 'Preferred='),
  ask('B', ['yes', 'no']),
  ask('C', ['1', '10', '2', '100']),
];

/** log p of each answer by the plain scorer. */
async function plain(question: ChoiceQuestion, adapted: boolean, end = false): Promise<number[]> {
  const parameters = adapted ? view(await engine.upload(adapter.parameters)) : undefined;
  const scorer = await createScorer(engine, model, parameters && { plan: adapter.plan, parameters });
  const prompt = [...model.template.prompt(question.messages), ...model.tokenizer.encode(question.begun ?? '', { after: 'control token' })];
  const scored = await scorer.logProbs(
    question.answers.map((answer) => ({
      prompt,
      response: [...model.tokenizer.encode(answer, { after: 'text' }), ...(end ? [model.template.response('x').at(-1)!] : [])],
    })),
  );
  await scorer.release();
  return scored.map((all) => all.reduce<number>((a, b) => a + b!, 0));
}

describe('a local judge', () => {
  it.each([false, true])('chooses with the log-probabilities of whole answers (adapter: %s)', async (adapted) => {
    const judge = await createLocalRespondent(engine, model, adapted ? { adapter } : {});
    const seen: number[] = [];
    const replies = (await judge.choose(questions, { onReply: (index) => seen.push(index) })) as ChoiceReply[];
    expect([...seen].sort()).toEqual([0, 1, 2, 3]);
    for (const [i, question] of questions.slice(0, 3).entries()) {
      const expected = await plain(question, adapted);
      replies[i]!.logprobs.forEach((p, a) => expect(Math.abs(p - expected[a]!)).toBeLessThan(1e-4));
      expect(replies[i]!.mass).toBeCloseTo(expected.reduce((n, p) => n + Math.exp(p), 0), 5);
      expect(replies[i]).toMatchObject({ source: 'logprobs', usage: { completionTokens: 0 } });
    }
    // "1" is exactly "1": what goes on as "10" is not, and "100" is not "10".
    const [one, ten, two, hundred] = (await plain(questions[3]!, adapted)).map(Math.exp) as [number, number, number, number];
    const expected = [one - ten, ten - hundred, two, hundred];
    replies[3]!.logprobs.forEach((p, a) => expect(Math.abs(p - Math.log(expected[a]!))).toBeLessThan(1e-3));
    expect(replies[3]!.mass).toBeCloseTo(one + two, 5);
    await judge.close();
  });

  it('scores answers with their end of turn where it is asked to', async () => {
    const judge = await createLocalRespondent(engine, model, { endOfTurn: true });
    const [reply] = (await judge.choose([questions[3]!])) as [ChoiceReply];
    const expected = await plain(questions[3]!, false, true);
    reply.logprobs.forEach((p, a) => expect(Math.abs(p - expected[a]!)).toBeLessThan(1e-4));
    await judge.close();
  });

  it('writes the same text for the same seed in whatever company, and other texts for other seeds', async () => {
    const judge = await createLocalRespondent(engine, model);
    const question = { messages: [{ role: 'user' as const, content: 'Hi' }], maxNewTokens: 8, temperature: 1 };
    const many = [0, 1, 2, 0].map((seed) => ({ ...question, seed }));
    const together = (await judge.write(many)) as TextReply[];
    const [alone] = (await judge.write([many[1]!])) as [TextReply];
    expect(alone.text).toBe(together[1]!.text);
    expect(together[0]!.text).toBe(together[3]!.text);
    expect(new Set(together.map(({ text }) => text)).size).toBe(3);
    expect(together[0]!.usage.completionTokens).toBeGreaterThan(0);
    const greedy = (await judge.write([
      { ...question, temperature: 0, seed: 1 },
      { ...question, temperature: 0, seed: 2, begun: 'So' },
    ])) as TextReply[];
    expect(greedy[0]!.text).not.toBe(greedy[1]!.text);
    await judge.close();
  });

  it('frees what it needed only for writing when it rests, and writes the same again', async () => {
    const judge = await createLocalRespondent(engine, model);
    const question = { messages: questions[0]!.messages, maxNewTokens: 6, temperature: 1, seed: 7 };
    const texts = async (): Promise<string[]> => (await judge.write([question])).map((reply) => (reply as TextReply).text);
    await judge.rest!(); // before anything was asked
    const first = await texts();
    const freed = vi.spyOn(engine, 'free');
    await judge.rest!();
    expect(freed).toHaveBeenCalled();
    freed.mockRestore();
    expect(await texts()).toEqual(first);
    await judge.close();
  });

  it('fails one question and answers the others', async () => {
    const judge = await createLocalRespondent(engine, model);
    const replies = await judge.choose([ask('x'.repeat(300), ['1', '2']), questions[0]!, ask('A', ['1', '']), ask('A', ['1', '1'])]);
    expect(replies.map((r) => (failed(r) ? r.failure : 'answered'))).toEqual(['too-long', 'answered', 'no-such-answer', 'no-such-answer']);
    expect(replies[0]).toMatchObject({ detail: expect.stringMatching(/has \d+ tokens .* context of .* is 256/) as unknown });
    const texts = await judge.write([
      { messages: [{ role: 'user', content: 'x'.repeat(300) }], maxNewTokens: 4, temperature: 0, seed: 0 },
      { messages: [{ role: 'user', content: 'x' }], maxNewTokens: 4, temperature: 0, seed: 0 },
    ]);
    expect(texts.map((r) => (failed(r) ? r.failure : 'answered'))).toEqual(['too-long', 'answered']);
    await judge.close();
  });

  it('stops when it is told to, and says so of what is left', async () => {
    const judge = await createLocalRespondent(engine, model);
    const abort = new AbortController();
    abort.abort();
    expect((await judge.choose(questions, { signal: abort.signal })).map((r) => failed(r) && r.failure)).toEqual(
      Array(4).fill('cancelled'),
    );
    expect(
      await judge.write([{ messages: [{ role: 'user', content: 'x' }], maxNewTokens: 4, temperature: 0, seed: 0 }], {
        signal: abort.signal,
      }),
    ).toMatchObject([{ failure: 'cancelled' }]);
    await judge.close();
  });

  it('is named by its weights, its adapter and how it is read', async () => {
    const names = [];
    for (const settings of [
      {},
      { adapter },
      { endOfTurn: true },
      { adapter: { ...adapter, parameters: adapter.parameters.map((x) => x + 1) } },
      { precision: 'int8' as const },
      {},
    ]) {
      const judge = await createLocalRespondent(engine, model, settings);
      names.push(judge.name);
      await judge.close();
    }
    expect(new Set(names).size).toBe(5);
    expect(names[5]).toBe(names[0]);
  });

  it('knows where its template opens thoughts: a text is thoughts until they end, and nothing can be chosen', async () => {
    const { template, tokenizer } = model;
    const prompt: Model['template']['prompt'] = (messages) => [...template.prompt(messages), ...tokenizer.encode('<think>\n')];
    const judge = await createLocalRespondent(engine, { ...model, template: { ...template, prompt } });
    const question = { messages: [{ role: 'user' as const, content: 'A' }], maxNewTokens: 3, temperature: 0, seed: 0 };
    const [written] = await judge.write([question]) as [TextReply];
    expect(written.text).toMatch(/^<think>/);
    expect(await askForTexts(judge, [question])).toMatchObject([{ failure: 'cut-off' }]);
    expect(await judge.choose([ask('A', ['1', '2'])])).toMatchObject([{ failure: 'no-such-answer' }]);
    await judge.close();
  });
});
