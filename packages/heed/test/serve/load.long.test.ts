/** Two hundred requests at once, a third of them malformed or given up: every good one is answered right. */
import OpenAI from 'openai';
import { describe, expect, it, vi } from 'vitest';
import { startServer } from '../../src/serve/server.js';
import { served } from './support.js';

const tiny = served({ maxBody: 50_000 });
type Create = OpenAI.ChatCompletionCreateParamsNonStreaming;
const request = (i: number): Create => ({
  model: i % 3 === 0 ? 'tuned' : 'tiny', messages: [{ role: 'user', content: `Question ${i % 7}` }], seed: i % 5, max_tokens: 3 + (i % 9),
  ...[{ temperature: 0 }, {}, { top_p: 0.7 }, { logprobs: true, top_logprobs: 4 }, { n: 2 }, { stop: 'a' }][i % 6],
});
const texts = ({ choices }: OpenAI.ChatCompletion): (string | null)[] => choices.map(({ message }) => message.content);

describe('under load', () => {
  it('answers every good request right and survives the others', async () => {
    const { client, server, failures } = tiny();
    // Each kind of request alone, first.
    const alone = new Map<string, (string | null)[]>();
    for (let i = 0; i < 140; i++) {
      const key = JSON.stringify(request(i));
      if (!alone.has(key)) alone.set(key, texts(await client.chat.completions.create(request(i))));
    }
    const raw = async (body: string): Promise<number> =>
      (await fetch(`${server.url}/v1/chat/completions`, { method: 'POST', body, headers: { 'content-type': 'application/json' } })).status;
    const bad: (() => Promise<void>)[] = [
      async () => expect(await raw('{"model": ')).toBe(400),
      async () => expect(await raw(JSON.stringify({ ...request(0), messages: 7 }))).toBe(400),
      async () => expect(await raw(JSON.stringify({ ...request(0), user: 'x'.repeat(60_000) }))).toBe(413),
      async () => expect(await raw(JSON.stringify({ ...request(0), model: 'gpt-9' }))).toBe(404),
      async () => expect(await raw('['.repeat(40_000))).toBe(400),
      // Given up while it is made, whole and streamed.
      async () => {
        const abort = new AbortController();
        const asked = client.chat.completions.create({ ...request(1), max_tokens: 150 }, { signal: abort.signal });
        setImmediate(() => abort.abort());
        await expect(asked).rejects.toThrow(OpenAI.APIUserAbortError);
      },
      async () => {
        const stream = await client.chat.completions.create({ ...request(2), max_tokens: 150, stream: true });
        await stream[Symbol.asyncIterator]().next();
        stream.controller.abort();
      },
    ];
    const good = Array.from({ length: 140 }, (_, i) => async () => {
      if (i % 4 !== 1)
        return expect(texts(await client.chat.completions.create(request(i)))).toEqual(alone.get(JSON.stringify(request(i))));
      const pieces: string[] = [];
      for await (const { choices } of await client.chat.completions.create({ ...request(i), stream: true }))
        for (const { index, delta } of choices) pieces[index] = (pieces[index] ?? '') + (delta.content ?? '');
      return expect(pieces).toEqual(alone.get(JSON.stringify(request(i))));
    });
    const all = good.flatMap((ask, i) => (i % 2 === 0 ? [ask, bad[(i / 2) % bad.length]!] : [ask]));
    expect(all).toHaveLength(210);
    await Promise.all(all.map((ask) => ask()));
    expect(failures).toEqual([]);
    expect((await client.models.list()).data).toHaveLength(2);
  });

  it('stops working on what nobody waits for', async () => {
    const { client, voices, lines } = tiny();
    const { generator } = voices.all.get('tiny')!;
    const generate = vi.spyOn(generator, 'generate');
    const abort = new AbortController();
    const whole = client.chat.completions.create({ ...request(1), n: 4, max_tokens: 200 }, { signal: abort.signal });
    const ended = expect(whole).rejects.toThrow(OpenAI.APIUserAbortError);
    const stream = await client.chat.completions.create({ ...request(1), max_tokens: 200, stream: true });
    await expect.poll(() => generate.mock.calls.length).toBe(2);
    abort.abort();
    stream.controller.abort();
    await ended;
    for (const { value } of generate.mock.results) await expect(value).rejects.toThrow();
    generate.mockRestore();
    await expect.poll(() => lines.filter((line) => line.includes(' 499 ')).length).toBeGreaterThan(0);
  });
});

describe('stopping', () => {
  it('lets what runs finish, and ends it when the grace time is over', async () => {
    const { voices } = tiny();
    for (const [grace, ends] of [[60_000, 'finished'], [0, 'ended']] as const) {
      const server = await startServer(voices, { port: 0, grace });
      const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none', maxRetries: 0 });
      const stream = await client.chat.completions.create({ ...request(1), max_tokens: 200, temperature: 0, stream: true });
      let stopping: Promise<void> | undefined;
      let finish: string | null = null;
      const read = async (): Promise<void> => {
        for await (const { choices: [choice] } of stream) {
          stopping ??= server.stop();
          finish ??= choice?.finish_reason ?? null;
        }
      };
      if (ends === 'finished') await read();
      else await expect(read()).rejects.toThrow('shutting down');
      expect(finish).toBe(ends === 'finished' ? 'length' : null);
      await stopping;
      await expect(client.models.list()).rejects.toThrow(OpenAI.APIConnectionError);
    }
  });
});
