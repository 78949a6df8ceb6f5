/** What does not fit is refused in OpenAI's shape; the server goes on. */
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.js';
import type { ErrorBody } from '../../src/serve/api-error.js';
import { SPARE_CONNECTIONS, startServer } from '../../src/serve/server.js';
import { served } from './support.js';

const tiny = served({ queue: 6, maxBody: 20_000 });
const good = { model: 'tiny', messages: [{ role: 'user', content: 'Why?' }], max_tokens: 4, seed: 1 };
const text = { model: 'tiny', prompt: 'Why', max_tokens: 4 };

interface Refused extends ErrorBody { readonly status: number; readonly headers: Headers }
async function post(path: string, body: unknown, { type = 'application/json', ...headers }: Record<string, string> = {}): Promise<Refused> {
  const sent = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
  const response = await fetch(`${tiny().server.url}${path}`, {
    method: 'POST',
    body: sent,
    headers: { ...(type === '' ? {} : { 'content-type': type }), ...headers },
  });
  return { status: response.status, headers: response.headers, ...(await response.json() as ErrorBody) };
}
const CHAT = '/v1/chat/completions';
const COMPLETIONS = '/v1/completions';

describe('the official client', () => {
  it('throws its own errors', async () => {
    const { client } = tiny();
    const chat = (more: object) => client.chat.completions.create({ ...good, messages: [{ role: 'user', content: 'Why?' }], ...more });
    await expect(chat({ model: 'tinny' })).rejects.toThrow(OpenAI.NotFoundError);
    await expect(chat({ model: 'tinny' })).rejects.toThrow(
      'The model "tinny" does not exist; this server has tiny, tuned. Did you mean tiny?',
    );
    await expect(chat({ temperature: -1 })).rejects.toThrow(OpenAI.BadRequestError);
    await expect(chat({ n: 7 })).rejects.toThrow('at most 6');
    await expect(chat({ max_tokens: 4000, stream: true })).rejects.toMatchObject({
      status: 400,
      code: 'context_length_exceeded',
      param: 'messages',
      type: 'invalid_request_error',
    });
  });
});

const CALL = { id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } };

describe('a body that does not fit', () => {
  it.each<[string, unknown, string, string | null]>([
    [CHAT, '{', 'not valid JSON', null],
    [CHAT, new Uint8Array([0x7b, 0xff, 0x7d]), 'not UTF-8', null],
    [CHAT, JSON.stringify({ ...good, messages: [{ role: 'user', content: 'a \ud83d b' }] }), 'half a surrogate pair (\\ud83d)', null],
    [CHAT, '[]', 'must be a JSON object', null],
    [CHAT, { ...good, model: undefined }, 'You must provide model', 'model'],
    [CHAT, { ...good, messages: undefined }, 'You must provide messages', 'messages'],
    [CHAT, { ...good, messages: [] }, 'messages:', 'messages'],
    [CHAT, { ...good, messages: [{ role: 'king', content: '' }] }, 'expected one of', 'messages[0].role'],
    [CHAT, { ...good, messages: [{ role: 'user' }] }, 'messages[0].content', 'messages[0].content'],
    [
      CHAT,
      { ...good, messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'x' } }] }] },
      'messages[0].content[0].type',
      'messages[0].content[0].type',
    ],
    [CHAT, { ...good, messages: 'Why?' }, 'messages:', 'messages'],
    [CHAT, { ...good, messages: ['Why?'] }, 'messages[0]:', 'messages[0]'],
    [CHAT, { ...good, messages: [{ role: 'user', content: null }] }, 'messages[0].content', 'messages[0].content'],
    [
      CHAT,
      { ...good, messages: [...good.messages, { role: 'assistant', content: 'x', tool_calls: [CALL] }] },
      'The chat template leaves out tool_calls of turn 2',
      'messages',
    ],
    [
      CHAT,
      { ...good, messages: [...good.messages, { role: 'assistant', content: 'x', function_call: { name: 'f' } }] },
      'not supported',
      'messages[1].function_call',
    ],
    [
      CHAT,
      { ...good, messages: [...good.messages, { role: 'assistant', content: 'x', refusal: 'No.' }] },
      'not supported',
      'messages[1].refusal',
    ],
    [
      CHAT,
      { ...good, messages: [...good.messages, { role: 'assistant', content: 'x', reasoning_content: 'Hm.' }] },
      'not supported',
      'messages[1].reasoning_content',
    ],
    [
      CHAT,
      { ...good, messages: [{ role: 'user', content: 'x', colour: 'red' }] },
      'Unrecognized request argument supplied: messages[0].colour',
      'messages[0].colour',
    ],
    [CHAT, { ...good, max_tokens: '4' }, 'max_tokens:', 'max_tokens'],
    [CHAT, { ...good, max_tokens: 0 }, 'max_tokens:', 'max_tokens'],
    [CHAT, { ...good, max_completion_tokens: 5 }, 'give one of them', 'max_tokens'],
    [CHAT, { ...good, max_tokens: 250 }, "This model's maximum context length is 256 tokens", 'messages'],
    [CHAT, { ...good, temprature: 1 }, 'Unrecognized request argument supplied: temprature. Did you mean temperature?', 'temprature'],
    [CHAT, { ...good, top_p: 0 }, 'top_p:', 'top_p'],
    [CHAT, { ...good, seed: 1.5 }, 'seed:', 'seed'],
    [CHAT, { ...good, stop: '' }, 'stop:', 'stop'],
    [CHAT, { ...good, top_logprobs: 3 }, 'top_logprobs needs logprobs', 'top_logprobs'],
    [CHAT, { ...good, logprobs: true, top_logprobs: 21 }, 'top_logprobs:', 'top_logprobs'],
    [CHAT, { ...good, frequency_penalty: 0.5 }, 'not supported', 'frequency_penalty'],
    [CHAT, { ...good, logit_bias: { 3: 4 } }, 'not supported', 'logit_bias'],
    [CHAT, { ...good, tools: [{}] }, 'You must provide tools[0].type', 'tools'],
    [CHAT, { ...good, response_format: { type: 'xml' } }, 'expected one of text, json_object', 'response_format'],
    [CHAT, { ...good, continue_final_message: true }, 'needs a last message of the assistant', 'messages'],
    [CHAT, { ...good, continue_final_message: true, add_generation_prompt: true }, 'must be false', 'add_generation_prompt'],
    [COMPLETIONS, { ...text, prompt: undefined }, 'You must provide prompt', 'prompt'],
    [COMPLETIONS, { ...text, prompt: [] }, 'expected a text, a list', 'prompt'],
    [COMPLETIONS, { ...text, prompt: [99999] }, 'holds token 99999', 'prompt'],
    [COMPLETIONS, { ...text, prompt: ['a', 3] }, 'prompt', 'prompt'],
    [COMPLETIONS, { ...text, best_of: 3 }, 'best_of', 'best_of'],
    [COMPLETIONS, { ...text, suffix: 'x' }, 'Unrecognized request argument', 'suffix'],
    [COMPLETIONS, { ...text, max_tokens: 0 }, 'max_tokens is 0', 'max_tokens'],
    [COMPLETIONS, { ...text, echo: true, logprobs: 21 }, 'logprobs:', 'logprobs'],
  ])('%s %j: %s', async (path, body, message, param) => {
    const { status, error } = await post(path, body);
    expect(status).toBe(400);
    expect(error.message).toContain(message);
    expect(error.param === null ? null : error.param.slice(0, param?.length)).toBe(param);
    expect(error.type).toBe('invalid_request_error');
  });

  it('takes null for absent, and what says nothing about the answer', async () => {
    const plain = await post(CHAT, good) as unknown as { choices: object[] };
    const same = (await post(CHAT, {
      ...good,
      stop: null,
      top_p: null,
      stream: null,
      frequency_penalty: 0,
      logit_bias: {},
      tools: [],
      tool_choice: 'none',
      response_format: { type: 'text' },
      user: 'me',
      metadata: { a: 'b' },
      store: false,
    })) as unknown as { choices: object[] };
    expect(same.choices).toEqual(plain.choices);
  });

  it('is refused by its size and its type, and paths by their method', async () => {
    expect(await post(CHAT, { ...good, user: 'x'.repeat(30_000) })).toMatchObject({
      status: 413,
      error: { code: 'request_too_large', type: 'invalid_request_error' },
    });
    expect(await post(CHAT, JSON.stringify(good), { type: 'text/plain' })).toMatchObject({
      status: 415,
      error: { code: 'unsupported_media_type' },
    });
    expect(await post('/v1/embeddings', {})).toMatchObject({ status: 404, error: { code: 'unknown_url' } });
    const got = await fetch(`${tiny().server.url}${CHAT}`);
    expect([got.status, ((await got.json()) as ErrorBody).error.code]).toEqual([405, 'method_not_allowed']);
  });

  it('is refused when it grows beyond its size in pieces', async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const request = http.request(
        `${tiny().server.url}${CHAT}`,
        { method: 'POST', headers: { 'content-type': 'application/json', 'transfer-encoding': 'chunked' } },
        (response) => resolve(response.resume().statusCode),
      );
      request.on('error', reject);
      for (let i = 0; i < 30; i++) request.write('x'.repeat(1000));
    });
    expect(status).toBe(413);
  });
});

describe('who may ask', () => {
  it('is nobody under a foreign name for this machine', async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      http
        .get(`${tiny().server.url}/v1/models`, { headers: { host: 'evil.example' } }, (response) => resolve(response.resume().statusCode))
        .on('error', reject);
    });
    expect(status).toBe(403);
  });

  it('is who knows the token, where there is one, and others need one to be set', async () => {
    const { voices } = tiny();
    const lines: string[] = [];
    const server = await startServer(voices, { port: 0, token: 'sesame-0123456789', log: (line) => lines.push(line) });
    const ask = async (key: string) => new OpenAI({ baseURL: `${server.url}/v1`, apiKey: key, maxRetries: 0 }).models.list();
    expect((await ask('sesame-0123456789')).data).toHaveLength(2);
    await expect(ask('sesame')).rejects.toThrow(OpenAI.AuthenticationError);
    expect((await fetch(`${server.url}/v1/models`)).status).toBe(401);
    expect(await (await fetch(`${server.url}/health`)).json()).toEqual({ status: 'ok' });
    await server.stop();
    expect(lines.join()).not.toContain('sesame');
    await expect(startServer(voices, { port: 0, host: '0.0.0.0' })).rejects.toThrow(UserError);
    await expect(startServer(voices, { port: 0, host: '0.0.0.0', token: '' })).rejects.toThrow('needs a token');
  });

  it('waits while the server is full', async () => {
    const { client } = tiny();
    const chat = (n: number) =>
      client.chat.completions.create({ ...good, messages: [{ role: 'user', content: 'Why?' }], max_tokens: 60, n });
    const [held, refused] = await Promise.allSettled([chat(6), chat(1)]);
    const told = [held, refused].flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []))[0];
    expect(told).toBeInstanceOf(OpenAI.RateLimitError);
    expect(told).toMatchObject({ status: 429, code: 'queue_full', type: 'rate_limit_error' });
    expect((told as InstanceType<typeof OpenAI.RateLimitError>).headers.get('retry-after')).toBe('1');
    expect((await chat(6)).choices).toHaveLength(6);
  });

  it('holds a place from before its body is read, and gives it back when it goes or is refused', async () => {
    const { voices } = tiny();
    const failures: string[] = [];
    const server = await startServer(voices, { port: 0, queue: 1, log: (line, kind) => kind === 'failure' && failures.push(line) });
    const status = async (body: string): Promise<number> =>
      (await fetch(`${server.url}${CHAT}`, { method: 'POST', body, headers: { 'content-type': 'application/json' } })).status;
    // A body that never comes, of known length or in pieces.
    for (const length of ['content-length: 1000', 'transfer-encoding: chunked']) {
      const slow = net.connect(Number(new URL(server.url).port), '127.0.0.1');
      slow.write(`POST ${CHAT} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nexpect: 100-continue\r\n${length}\r\n\r\n`);
      await once(slow, 'data'); // go on: the request is in
      expect(await status(JSON.stringify(good))).toBe(429);
      slow.destroy();
      await expect.poll(() => status(JSON.stringify(good))).toBe(200);
    }
    expect([
      await status('{'),
      await status(JSON.stringify({ ...good, model: 'gpt-9' })),
      await status(JSON.stringify({ ...good, n: 2 })),
      await status(JSON.stringify(good)),
    ]).toEqual([400, 404, 400, 200]);
    await server.stop();
    expect(failures).toEqual([]);
  });

  it('is hung up on where there are more connections than the queue and those that wait could need', async () => {
    const { voices } = tiny();
    const server = await startServer(voices, { port: 0, queue: 1 });
    const connect = async (): Promise<net.Socket> => {
      const socket = net.connect(Number(new URL(server.url).port), '127.0.0.1');
      await once(socket, 'connect');
      return socket;
    };
    const held = [];
    for (let i = 0; i < 1 + SPARE_CONNECTIONS; i++) held.push(await connect());
    const over = await connect();
    over.resume();
    await once(over, 'close');
    held[0]!.write('GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n');
    expect(String((await once(held[0]!, 'data'))[0])).toContain('200 OK');
    for (const socket of held) socket.destroy();
    await server.stop();
  });

  it('is told when the port is taken', async () => {
    const { voices, server } = tiny();
    await expect(startServer(voices, { port: Number(new URL(server.url).port) })).rejects.toThrow('is in use');
  });
});
