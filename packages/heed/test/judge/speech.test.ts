import { beforeAll, describe, expect, it } from 'vitest';
import { createEndpointRespondent } from '../../src/judge/endpoint.js';
import { structuredAnswerOf } from '../../src/judge/endpoint/match.js';
import { EndpointOptions } from '../../src/judge/endpoint/options.js';
import type { ChoiceReply, Respondent, TextQuestion } from '../../src/judge/respondent.js';
import { askForTexts } from '../../src/judge/ask-for-texts.js';
import { fake, said } from '../label/fake.js';
import { chatPlaces, chatText, chatTop, type FaultyServer, faultyServer } from './faulty-server.js';

// What a judge thinks, and what it says instead of an answer, is no answer: on both endpoints, and of any respondent.
let server: FaultyServer;
beforeAll(async () => { server = await faultyServer(() => ({})); });
const open = (more: Partial<EndpointOptions> = {}): Respondent =>
  createEndpointRespondent(EndpointOptions.parse({ url: server.url, model: 'm', retries: 0, samples: 4, ...more }));
const messages = [{ role: 'user' as const, content: 'Which?' }];
const choose = async (more: Partial<EndpointOptions> = {}) => (await open(more).choose([{ messages, answers: ['A', 'B'] }]))[0]!;
const question: TextQuestion = { messages, maxNewTokens: 40, temperature: 0, seed: 0 };
const write = async (more: Partial<EndpointOptions> = {}) => (await askForTexts(open(more), [question]))[0]!;
const p = (reply: object): number[] => (reply as ChoiceReply).logprobs.map((x) => Math.round(1e4 * Math.exp(x)) / 1e4);
const message = (fields: object, finish = 'stop'): object => ({ choices: [{ index: 0, message: fields, finish_reason: finish }] });
const text = (words: string, finish = 'stop', logprobs: object | null = null): object =>
  ({ choices: [{ index: 0, text: words, finish_reason: finish, logprobs }] });

describe('texts', () => {
  it.each([
    ['marked thoughts', chatText('<think>\nIs "steel" right?</think>\nToo short.')],
    ['thoughts that the template opened', chatText('Is "steel" right?</think>Too short.')],
    ['thoughts in a field', message({ content: 'Too short.', reasoning_content: 'Is "steel" right?' })],
    ['a part of thoughts', message({ content: [{ type: 'thinking', thinking: 'Hm.' }, { type: 'text', text: 'Too short.' }] })],
  ])('are said without %s', async (_, reply) => {
    server.behave(() => reply);
    expect(await write()).toMatchObject({ text: 'Too short.', finish: 'stop' });
  });

  it('of completions too', async () => {
    server.behave(() => text('Well?</think>\n\nToo short.'));
    expect(await write({ api: 'completions' })).toMatchObject({ text: 'Too short.' });
    server.behave(() => text('', 'content_filter'));
    expect(await write({ api: 'completions' })).toMatchObject({ failure: 'refused' });
  });

  it.each([
    ['within marks', message({ content: '<think>Is "steel"' }, 'length')],
    ['in a field', message({ content: null, reasoning: 'Is "steel"' }, 'length')],
  ])('fail where they end within thoughts %s', async (_, reply) => {
    server.behave(() => reply);
    expect(await write()).toMatchObject({ failure: 'cut-off', detail: expect.stringMatching(/^still thinking after 40 tokens/) as string });
  });

  it('know thoughts without a mark by the other replies to the same prompt', async () => {
    const texts = ['Is it?</think>No.', 'Let me see, is "steel" the'];
    const judge = fake({ write: (_, i) => said(texts[i]!, i === 0 ? 'stop' : 'length') });
    expect(await askForTexts(judge, [question, question])).toMatchObject([{ text: 'No.' }, { failure: 'cut-off' }]);
    // By itself, nothing shows it.
    const alone = fake({ write: () => said(texts[1]!, 'length') });
    expect(await askForTexts(alone, [question])).toMatchObject([{ text: texts[1]! }]);
  });
});

describe('choices', () => {
  it('read the answer after thoughts that are there as a whole', async () => {
    const first = { '<think>': 0.97, A: 0.02, B: 0.01 };
    server.behave(({ body }) => (body['max_tokens'] === 1 ? chatTop(first) : chatPlaces(
      ['<think>', first], ['\n\n', { '\n\n': 1 }], ['</think>', { '</think>': 1 }], ['\n\n', { '\n\n': 1 }], ['B', { B: 0.75, A: 0.25 }],
    )));
    expect(p(await choose())).toEqual([0.25, 0.75]);
  });

  it('fail where the thoughts do not end', async () => {
    server.behave(({ body }) => (body['logprobs'] === true ? chatTop({ '<think>': 0.97, A: 0.02, B: 0.01 }) : chatText('<think>A is')));
    expect(await choose()).toMatchObject({ failure: 'no-such-answer', detail: expect.stringContaining('still thinking') as string });
  });

  it('never read the tokens of thoughts that a server sends in a field', async () => {
    // The template opened the thoughts, so their first word stands where an answer would; "A" is likely there for another reason.
    const thinking = { ...chatTop({ A: 0.9, B: 0.1 }) } as { choices: { message: object }[] };
    thinking.choices[0]!.message = { content: '', reasoning_content: 'A' };
    server.behave(({ body }) => (body['logprobs'] === true ? thinking : chatText('B', 'B', 'B', 'A')));
    expect(await choose()).toMatchObject({ source: 'samples' });
    expect(p(await choose())).toEqual([0.25, 0.75]);
  });

  it('are counted from samples without their thoughts and refusals', async () => {
    server.behave(() => chatText('<think>A</think>B', 'A</think>B', 'A', 'No, I cannot help with that.'));
    expect(p(await choose({ topLogprobs: 0 }))).toEqual([0.3333, 0.6667]);
    server.behave(() => chatText(...Array<string>(4).fill('I’m sorry, but I can’t help with that.')));
    const detail = expect.stringContaining('all 4 samples refuse') as string;
    expect(await choose({ topLogprobs: 0 })).toMatchObject({ failure: 'refused', detail });
  });

  it('take tokens by what they say, on both endpoints', async () => {
    // 0.6 + 0.1 for "A" against 0.2 for "B".
    server.behave(() => chatTop({ '▁A': 0.6, B: 0.2, A: 0.1 }));
    expect(p(await choose())).toEqual([0.7, 0.2]);
    const top = { 'ĠA': Math.log(0.6), '<0x42>': Math.log(0.2) };
    server.behave(() => text(' A', 'length', { tokens: ['A'], token_logprobs: [Math.log(0.1)], top_logprobs: [top] }));
    expect(p(await choose({ api: 'completions' }))).toEqual([0.7, 0.2]);
    // Completions that write log-probabilities as chats do (llama.cpp).
    const content = [{ token: 'A', logprob: Math.log(0.6), top_logprobs: [{ token: ' B', logprob: Math.log(0.3) }] }];
    server.behave(() => text('A', 'length', { content }));
    expect(p(await choose({ api: 'completions' }))).toEqual([0.6, 0.3]);
  });
});

it.each([
  ['{"answer": "B"}', 1],
  ['```json\n{"answer": "B"}\n```', 1],
  ['```\n{"answer": "B"}\n```\nI hope this helps.', 1],
  ['Here {as asked} it is: {"answer": "B"} — done.', 1],
  ['{"reason": "it says {\\"B\\"}", "answer": "A"}', 0],
  ['{"answer": "C"}', -1],
  ['{"answer": "A"} or {"answer": "B"}', -1],
  ['{"answer": "A"', -1],
  ['B', 1],
])('the sample %j gives answer %i', (sample, answer) => {
  expect(structuredAnswerOf(sample, ['A', 'B'])).toBe(answer);
});
