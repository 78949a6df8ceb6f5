/** Answers of any model, kept by the middleware, through the real `ai` package. */
import { join } from 'node:path';
import type { LanguageModelV3Content, LanguageModelV3GenerateResult, LanguageModelV3StreamPart } from '@ai-sdk/provider';
import { feedbackRows } from '@heed/heed/feedback';
import { type LanguageModel, generateText, stepCountIs, streamText, tool, wrapLanguageModel } from 'ai';
import { MockLanguageModelV3, simulateReadableStream } from 'ai/test';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { scratchFolder } from '../../heed/test/support/scratch.js';
import { type FeedbackStore, captureFeedback, inferenceId, openFeedback, sendFeedback } from '../src/index.js';

const { folder } = scratchFolder();
let store: FeedbackStore;
beforeAll(async () => { store = await openFeedback(join(folder, 'feedback.db')); });
afterAll(() => store.close());

const usage = {
  inputTokens: { total: 3, noCache: 3, cacheRead: 0, cacheWrite: 0 }, outputTokens: { total: 2, text: 2, reasoning: 0 },
};
const ending = (unified: 'stop' | 'length' | 'tool-calls') => ({ unified, raw: unified });
const said = (content: LanguageModelV3Content[], unified: 'stop' | 'tool-calls' = 'stop'): LanguageModelV3GenerateResult => ({
  content, finishReason: ending(unified), usage, warnings: [], response: { id: 'resp-1' }, providerMetadata: { hosted: { tier: 'free' } },
});
const text = (words: string): LanguageModelV3Content => ({ type: 'text', text: words });
const hosted = (...results: LanguageModelV3GenerateResult[]): LanguageModel =>
  wrapLanguageModel({ model: new MockLanguageModelV3({ modelId: 'hosted', doGenerate: results }), middleware: captureFeedback(store) });
const streamed = (parts: LanguageModelV3StreamPart[], stream = simulateReadableStream({ chunks: parts })): LanguageModel =>
  wrapLanguageModel({
    model: new MockLanguageModelV3({ modelId: 'hosted', doStream: async () => ({ stream }) }), middleware: captureFeedback(store),
  });
const WORDS: LanguageModelV3StreamPart[] = [
  { type: 'stream-start', warnings: [] }, { type: 'response-metadata', id: 'resp-2' }, { type: 'text-start', id: '0' },
  { type: 'text-delta', id: '0', delta: 'It is ' }, { type: 'text-delta', id: '0', delta: 'six.' },
];
const FINISH: LanguageModelV3StreamPart[] = [{ type: 'text-end', id: '0' }, { type: 'finish', usage, finishReason: ending('length') }];
const keptAs = async (id: string | undefined) => (await store.all()).filter((one) => one.id === id);

describe('an answer of generateText', () => {
  it('is kept with its prompt, and what is said of it by its id becomes a row', async () => {
    const { providerMetadata, response } = await generateText({
      model: hosted(said([{ type: 'reasoning', text: 'Hm.' }, text('It is '), text('5.')])), system: 'Be brief.', prompt: 'What is 2 + 2?',
      providerOptions: { heed: { metadata: { episode_id: 'ticket-1', page: 'help' } } },
    });
    expect([response.id, providerMetadata!['hosted']]).toEqual(['resp-1', { tier: 'free' }]);
    const id = inferenceId(providerMetadata)!;
    await sendFeedback(store, { inference_id: id, metric_name: 'comment', value: 'It says 5.' });
    await sendFeedback(store, { episode_id: 'ticket-1', metric_name: 'helpful', value: false });
    const kept = await keptAs(id);
    const prompt = [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: 'What is 2 + 2?' }];
    expect(kept).toMatchObject([{
      prompt, completion: 'It is 5.', model: 'hosted', finish: 'stop', episode: 'ticket-1', tags: { page: 'help', response_id: 'resp-1' },
    }]);
    expect(feedbackRows(kept, 'judged').rows).toEqual([{ id, prompt, completion: 'It is 5.', judgment: 'It says 5.', satisfied: false }]);
  });

  it('is one of several in a loop with tools, and a step that calls one makes no row', async () => {
    const call: LanguageModelV3Content = { type: 'tool-call', toolCallId: 'c1', toolName: 'stock', input: '{"item":"kettle"}' };
    const { steps } = await generateText({
      model: hosted(said([text('I look it up.'), call], 'tool-calls'), said([text('Seven are left.')])),
      prompt: 'How many kettles?', stopWhen: stepCountIs(2),
      tools: {
        stock: tool({ description: 'How many there are', inputSchema: z.object({ item: z.string() }), execute: async () => ({ left: 7 }) }),
      },
    });
    const ids = steps.map(({ providerMetadata }) => inferenceId(providerMetadata)!);
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) await sendFeedback(store, { inference_id: id, metric_name: 'helpful', value: true });
    const [[first], [second]] = [await keptAs(ids[0]), await keptAs(ids[1])];
    expect(first).toMatchObject({ completion: 'I look it up.', finish: 'tool_calls' });
    expect(second).toMatchObject({
      completion: 'Seven are left.', finish: 'stop',
      prompt: [
        {
          role: 'user', content: 'How many kettles?',
          tools: [{ type: 'function', function: { name: 'stock', description: 'How many there are' } }],
        },
        {
          role: 'assistant', content: 'I look it up.',
          tool_calls: [{ id: 'c1', type: 'function', function: { name: 'stock', arguments: { item: 'kettle' } } }],
        },
        { role: 'tool', content: '{"left":7}', name: 'stock', tool_call_id: 'c1' },
      ],
    });
    expect(feedbackRows([first!, second!], 'labelled')).toMatchObject({
      rows: [{ completion: 'Seven are left.', label: true }], leftOut: { 'answers that call functions: their text is not all of them': 1 },
    });
  });

  it('is given without an id where it cannot be kept, and Node warns', async () => {
    const warned = new Promise<Error>((resolve) => { process.once('warning', resolve); });
    const { text: words, providerMetadata } = await generateText({
      model: hosted(said([text('A cat.')])),
      messages: [{
        role: 'user', content: [{ type: 'text', text: 'What is this?' }, { type: 'image', image: 'aGVlZA==', mediaType: 'image/png' }],
      }],
    });
    expect([words, inferenceId(providerMetadata)]).toEqual(['A cat.', undefined]);
    expect(await warned).toMatchObject({
      name: 'HeedFeedback', message: 'An answer of hosted was not kept for feedback: it holds more than text: image/png',
    });
  });

  it('is not asked for with metadata that are no texts', async () => {
    const asked = generateText({ model: hosted(), prompt: 'Why?', providerOptions: { heed: { metadata: { stars: 4 } } } });
    await expect(asked).rejects.toThrow('providerOptions.heed.metadata.stars is 4; expected a text.');
  });
});

describe('a stream', () => {
  it('is kept before its end is given, with an id that the browser finds in the message', async () => {
    const result = streamText({ model: streamed([...WORDS, ...FINISH]), prompt: 'What is 3 + 3?' });
    const begun: (string | undefined)[] = [];
    for await (const part of result.toUIMessageStream()) {
      if (part.type === 'text-start') begun.push(inferenceId(part.providerMetadata));
    }
    const id = inferenceId(await result.providerMetadata);
    expect(begun).toEqual([id]);
    expect((await result.response).id).toBe('resp-2');
    expect(await keptAs(id)).toMatchObject([{
      completion: 'It is six.', finish: 'length', prompt: [{ role: 'user', content: 'What is 3 + 3?' }], tags: { response_id: 'resp-2' },
    }]);
  });

  /** A model whose stream says a few words and then waits, until it is aborted: as `fetch` is. */
  const waiting = () => wrapLanguageModel({
    model: new MockLanguageModelV3({
      modelId: 'hosted',
      doStream: async ({ abortSignal }) => {
        const parts = [...WORDS];
        return {
          stream: new ReadableStream<LanguageModelV3StreamPart>({
            async pull(controller) {
              const part = parts.shift();
              if (part !== undefined) return controller.enqueue(part);
              await new Promise((_, reject) => abortSignal?.addEventListener('abort', () => reject(abortSignal.reason as Error)));
            },
          }),
        };
      },
    }),
    middleware: captureFeedback(store),
  });
  /** Votes against an answer that is not whole: neither text nor vote is learned, what it should have been is. */
  const expectNoRow = async (id: string | undefined, finish: string): Promise<void> => {
    expect(await keptAs(id)).toMatchObject([{ completion: 'It is six.', finish }]);
    await sendFeedback(store, { inference_id: id!, metric_name: 'helpful', value: false });
    await sendFeedback(store, { inference_id: id!, metric_name: 'demonstration', value: 'Because.' });
    const kept = await keptAs(id);
    expect((['labelled', 'preference', 'judged'] as const).flatMap((kind) => feedbackRows(kept, kind).rows)).toEqual([]);
    expect(feedbackRows(kept, 'conversation').rows).toMatchObject([{ messages: [{}, { content: 'Because.' }] }]);
  };

  it.each([
    ['the app aborts', 'aborted', waiting], ['the provider breaks off', 'error', () => streamed(WORDS)],
  ])('that %s is kept as such, and makes no row', async (_, finish, model) => {
    const stop = new AbortController();
    const result = streamText({ model: model(), prompt: 'Why?', abortSignal: stop.signal, onError: () => undefined });
    let [id, seen]: [string | undefined, string] = [undefined, ''];
    for await (const part of result.fullStream) {
      if (part.type === 'text-start') id = inferenceId(part.providerMetadata);
      if (part.type === 'text-delta') seen += part.text;
      if (seen === 'It is six.' && finish === 'aborted') stop.abort();
    }
    await expectNoRow(id, finish);
  });

  it('of which the reader wants no more is kept as such', async () => {
    const { stream } = await waiting().doStream({ prompt: [{ role: 'user', content: [{ type: 'text', text: 'Why?' }] }] });
    const reader = stream.getReader();
    let [id, seen]: [string | undefined, string] = [undefined, ''];
    while (seen !== 'It is six.') {
      const { value } = await reader.read();
      if (value?.type === 'text-start') id = inferenceId(value.providerMetadata);
      if (value?.type === 'text-delta') seen += value.delta;
    }
    await reader.cancel();
    await expectNoRow(id, 'aborted');
  });

  it('that is aborted before its first word is no answer', async () => {
    const count = (await store.all()).length;
    const stop = new AbortController();
    const result = streamText({
      model: streamed([], new ReadableStream({ pull: () => { stop.abort(); throw new Error('aborted'); } })), prompt: 'Why?',
      abortSignal: stop.signal, onError: () => undefined,
    });
    await result.consumeStream();
    expect(await store.all()).toHaveLength(count);
  });
});
