import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll } from 'vitest';

export interface Asked {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Record<string, unknown>;
}

/** What the server does with a request: an object is sent as JSON with status 200. */
export type Behaviour = (asked: Asked, response: ServerResponse, count: number) => object | undefined | Promise<object | undefined>;

export interface FaultyServer {
  readonly url: string;
  readonly asked: Asked[];
  /** Requests that were open at the same time, at most. */
  readonly most: number;
  behave(behaviour: Behaviour): void;
  close(): Promise<void>;
}

/** A server on the loopback that does what a test tells it to. @param port default: any that is free */
export async function faultyServer(first: Behaviour, port = 0): Promise<FaultyServer> {
  let behaviour = first;
  const asked: Asked[] = [];
  let [open, most, count] = [0, 0, 0];
  const server = createServer((request, response) => {
    most = Math.max(most, ++open);
    response.on('close', () => open--);
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const one = {
        path: request.url ?? '',
        headers: request.headers,
        body: JSON.parse(Buffer.concat(parts).toString()) as Record<string, unknown>,
      };
      asked.push(one);
      void Promise.resolve(behaviour(one, response, count++)).then((json) => {
        if (json !== undefined) response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(json));
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const close = (): Promise<void> => new Promise((resolve) => {
    server.closeAllConnections();
    server.close(() => resolve());
  });
  afterAll(close);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    asked,
    get most() {
      return most;
    },
    behave(next) {
      behaviour = next;
      asked.length = 0;
      [most, count] = [0, 0];
    },
    close,
  };
}

export const fail = (response: ServerResponse, status: number, body: object | string, headers: Record<string, string> = {}): undefined => {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, { 'content-type': typeof body === 'string' ? 'text/html' : 'application/json', ...headers }).end(text);
  return undefined;
};

const usage = { prompt_tokens: 10, completion_tokens: 1, total_tokens: 11 };
const list = (top: Readonly<Record<string, number>>): { token: string; logprob: number }[] =>
  Object.entries(top).map(([token, p]) => ({ token, logprob: Math.log(p) }));

/** A chat reply whose first token has these probabilities. */
export const chatTop = (top: Readonly<Record<string, number>>): object => {
  const [first] = list(top);
  return {
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: first!.token },
        finish_reason: 'length',
        logprobs: { content: [{ ...first, bytes: null, top_logprobs: list(top) }] },
      },
    ],
    usage,
  };
};
/** A chat reply of several tokens: what was said, each with the probabilities in its place. */
export const chatPlaces = (...places: readonly (readonly [string, Readonly<Record<string, number>>])[]): object => {
  const content = places.map(([token, top]) => ({ token, logprob: Math.log(top[token]!), bytes: null, top_logprobs: list(top) }));
  return {
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: places.map(([token]) => token).join('') },
        finish_reason: 'stop',
        logprobs: { content },
      },
    ],
    usage,
  };
};
export const chatText = (...texts: readonly string[]): object => ({
  choices: texts.map((content, index) => ({ index, message: { role: 'assistant', content }, finish_reason: 'stop', logprobs: null })),
  usage,
});
/** A completions reply whose first token has these probabilities. */
export const textTop = (top: Readonly<Record<string, number>>): object => ({
  choices: [
    {
      index: 0,
      text: Object.keys(top)[0],
      finish_reason: 'length',
      logprobs: {
        tokens: [],
        token_logprobs: [],
        top_logprobs: [Object.fromEntries(list(top).map(({ token, logprob }) => [token, logprob]))],
      },
    },
  ],
  usage,
});
