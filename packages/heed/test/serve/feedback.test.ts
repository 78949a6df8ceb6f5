/** Feedback over HTTP, with the official client as the app that is asked for it. */
import { join } from 'node:path';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FeedbackStore, openFeedback } from '../../src/feedback/store.js';
import { feedbackRows } from '../../src/feedback/rows.js';
import { type RunningServer, startServer } from '../../src/serve/server.js';
import { scratchFolder } from '../support/scratch.js';
import { served } from './support.js';

const { folder } = scratchFolder();
const tiny = served();
let store: FeedbackStore;
let server: RunningServer;
let client: OpenAI;
beforeAll(async () => {
  store = await openFeedback(join(folder, 'feedback.db'));
  server = await startServer(tiny().voices, { port: 0, feedback: store });
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none', maxRetries: 0 });
});
afterAll(async () => {
  await server.stop();
  store.close();
});
const ask = (more: object = {}) => client.chat.completions.create({
  model: 'tiny', messages: [{ role: 'user', content: 'Why?' }], max_tokens: 6, seed: 3, ...more,
});
const post = (body: object, headers: Record<string, string> = {}) =>
  client.post('/feedback', { body, headers }) as Promise<{ feedback_id: string }>;

describe('POST /v1/feedback', () => {
  it('turns what is said of an answer into a row with the answer as it was sent', async () => {
    const { id, choices } = await ask({ metadata: { episode_id: 'talk', page: 'help' } });
    await post({ inference_id: id, metric_name: 'comment', value: 'Right, but far too long.', tags: { who: 'bea' } });
    await post({ inference_id: id, metric_name: 'helpful', value: false });
    const [kept] = (await store.all()).filter((one) => one.id === id);
    expect(kept).toMatchObject({
      model: 'tiny', episode: 'talk', tags: { page: 'help' }, completion: choices[0]!.message.content, finish: choices[0]!.finish_reason,
      prompt: [{ role: 'user', content: 'Why?' }],
      feedback: [{ metric: 'comment', said: 'comment', tags: { who: 'bea' } }, { metric: 'helpful', said: 'vote', value: false }],
    });
    expect(feedbackRows([kept!], 'judged').rows).toEqual([
      { id, prompt: 'Why?', completion: choices[0]!.message.content, judgment: 'Right, but far too long.', satisfied: false },
    ]);
  });

  it('knows a streamed answer when its last words are there, and each of several choices', async () => {
    const stream = await ask({ stream: true, n: 2 }) as unknown as AsyncIterable<OpenAI.ChatCompletionChunk>;
    const texts = ['', ''];
    let id = '';
    let finished = 0;
    for await (const { id: own, choices: [choice] } of stream) {
      id = own;
      texts[choice!.index] += choice!.delta.content ?? '';
      if (choice!.finish_reason === null) continue;
      finished++;
      await post({ inference_id: id, choice: choice!.index, metric_name: 'helpful', value: choice!.index === 0 });
    }
    expect(finished).toBe(2);
    const kept = (await store.all()).filter((one) => one.id === id);
    expect(kept.map(({ choice, completion, feedback }) => [choice, completion, feedback[0]!.value])).toEqual([
      [0, texts[0], true], [1, texts[1], false],
    ]);
    await expect(post({ inference_id: id, metric_name: 'helpful', value: true })).rejects.toThrow(/2 choices; name/);
  });

  it('keeps what a request began the answer with as part of the answer', async () => {
    const { id, choices } = await ask({
      messages: [{ role: 'user', content: 'Why?' }, { role: 'assistant', content: 'Because ' }],
      continue_final_message: true, add_generation_prompt: false,
    });
    const [kept] = (await store.all()).filter((one) => one.id === id);
    expect(kept).toMatchObject({ completion: `Because ${choices[0]!.message.content}`, prompt: [{ content: 'Why?' }] });
  });

  it('counts a doubled post once', async () => {
    const { id } = await ask();
    const body = { inference_id: id, metric_name: 'stars', value: 4 };
    const [first, second] = [await post(body, { 'Idempotency-Key': 'one' }), await post(body, { 'Idempotency-Key': 'one' })];
    expect(second).toEqual(first);
    await expect(post({ ...body, value: 5 }, { 'Idempotency-Key': 'one' })).rejects.toThrow(/came with other feedback/);
    const [kept] = (await store.all()).filter((one) => one.id === id);
    expect(kept!.feedback).toHaveLength(1);
  });

  it('refuses, by field, what it cannot keep', async () => {
    await expect(post({ inference_id: 'chatcmpl-none', metric_name: 'helpful', value: true })).rejects.toMatchObject({ status: 404 });
    await expect(post({ inference_id: 'x', metric_name: 'helpful', value: 'yes' })).rejects.toMatchObject({ status: 400, param: 'value' });
    await expect(post({ inference_id: 'x', metric_name: 'helpful', value: true, tag: {} })).rejects.toThrow(/tag\. Did you mean tags\?/);
    const raw = await fetch(`${server.url}/feedback`, { method: 'POST', body: '{}', headers: { 'content-type': 'text/plain' } });
    expect(raw.status).toBe(415);
    expect((await fetch(`${server.url}/feedback`)).status).toBe(405);
    // A server without a store keeps nothing, and says so.
    const { client: other } = tiny();
    await expect(other.post('/feedback', { body: { inference_id: 'x', metric_name: 'helpful', value: true } }))
      .rejects.toThrow(/keeps no feedback\. Start it with --feedback/);
  });
});
