/** The provider against a real `heed serve` with a tiny model, through the real `ai` package. */
import { join } from 'node:path';
import { generateText, jsonSchema, Output, streamText } from 'ai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFeedback } from '../../heed/src/feedback/store.js';
import { type RunningServer, startServer } from '../../heed/src/serve/server.js';
import { served } from '../../heed/test/serve/support.js';
import { scratchFolder } from '../../heed/test/support/scratch.js';
import { type FeedbackStore, UserError, createHeed, inferenceId, sendFeedback } from '../src/index.js';

const { folder } = scratchFolder();
const tiny = served();
let store: FeedbackStore;
let server: RunningServer;
let heed: ReturnType<typeof createHeed>;
let to: { readonly baseURL: string; readonly apiKey: string };
beforeAll(async () => {
  store = await openFeedback(join(folder, 'feedback.db'));
  server = await startServer(tiny().voices, { port: 0, feedback: store, token: 'secret' });
  to = { baseURL: `${server.url}/v1`, apiKey: 'secret' };
  heed = createHeed(to);
});
afterAll(async () => {
  await server.stop();
  store.close();
});
const keptAs = async (id: string | undefined) => (await store.all()).filter((one) => one.id === id);

describe('a model of heed serve', () => {
  it('answers with what a request of the same fields gets, and is told what is thought of it', async () => {
    const { text, providerMetadata, usage, finishReason } = await generateText({
      model: heed('tuned'), prompt: 'Why?', maxOutputTokens: 6, seed: 3, temperature: 0.9,
      providerOptions: { heed: { top_k: 5, metadata: { episode_id: 'ticket-1' } } },
    });
    const direct = await tiny().client.chat.completions.create({
      model: 'tuned', messages: [{ role: 'user', content: 'Why?' }], max_tokens: 6, seed: 3, temperature: 0.9,
      ...{ top_k: 5 },
    });
    expect([text, usage.inputTokens, usage.outputTokens, finishReason]).toEqual([
      direct.choices[0]!.message.content, direct.usage!.prompt_tokens, direct.usage!.completion_tokens, direct.choices[0]!.finish_reason,
    ]);
    const id = inferenceId(providerMetadata)!;
    const comment = { inference_id: id, metric_name: 'comment', value: 'Too short.' };
    const first = await sendFeedback(to, comment, { key: 'once' });
    expect(await sendFeedback(to, comment, { key: 'once' })).toBe(first);
    await sendFeedback(to, { episode_id: 'ticket-1', metric_name: 'helpful', value: false });
    expect(await keptAs(id)).toMatchObject([{
      completion: text, model: 'tuned', episode: 'ticket-1',
      feedback: [{ metric: 'comment', value: 'Too short.' }, { metric: 'helpful', value: false }],
    }]);
  });

  it('streams, says what it cost, and gives the id at the end', async () => {
    const { textStream, usage, providerMetadata } = streamText({ model: heed('tiny'), prompt: 'Why?', maxOutputTokens: 6, seed: 3 });
    let text = '';
    for await (const piece of textStream) text += piece;
    expect((await usage).outputTokens).toBe(6);
    expect(await keptAs(inferenceId(await providerMetadata))).toMatchObject([{ completion: text }]);
  });

  it('keeps to a schema', async () => {
    const schema = jsonSchema<{ good: boolean }>({
      type: 'object', properties: { good: { type: 'boolean' } }, required: ['good'], additionalProperties: false,
    });
    const { output } = await generateText({ model: heed('tiny'), prompt: 'Is it good?', seed: 1, output: Output.object({ schema }) });
    expect(Object.keys(output)).toEqual(['good']);
    expect(typeof output.good).toBe('boolean');
  });
});

describe('feedback that cannot be taken', () => {
  it.each([
    ['an answer that is not kept', { inference_id: 'x', metric_name: 'helpful', value: true }, { param: 'inference_id', unknown: true }],
    ['a text that is neither comment nor demonstration', { inference_id: 'x', metric_name: 'helpful', value: 'yes' }, { param: 'value' }],
    ['neither answer nor conversation', { metric_name: 'helpful', value: true }, { param: 'inference_id' }],
  ])('names its field, by server and by store: %s', async (_, feedback, fault) => {
    const [byServer, byStore] = [await failure(sendFeedback(to, feedback)), await failure(sendFeedback(store, feedback))];
    expect(byServer).toMatchObject({ name: 'FeedbackFault', ...fault });
    expect(byStore).toMatchObject({ name: 'FeedbackFault', message: byServer.message, ...fault });
  });

  it('is a token that is not accepted, a server that keeps none, or no server at all', async () => {
    const vote = { inference_id: 'x', metric_name: 'helpful', value: true };
    expect(await failure(sendFeedback({ ...to, apiKey: 'other' }, vote))).toMatchObject({ name: 'UserError' });
    const without = { baseURL: `${tiny().server.url}/v1` };
    expect((await failure(sendFeedback(without, vote))).message).toBe('This server keeps no feedback. Start it with --feedback FILE.db.');
    const { url } = await startServer(tiny().voices, { port: 0 }).then(async (one) => (await one.stop(), one));
    const gone = await failure(sendFeedback({ baseURL: `${url}/v1` }, vote));
    expect(gone).toBeInstanceOf(UserError);
    expect(gone.message).toBe(`The server at ${url}/v1/feedback cannot be reached.`);
  });
});

const failure = (work: Promise<unknown>): Promise<Error> =>
  work.then(() => { throw new Error('nothing failed'); }, (error: unknown) => error as Error);
