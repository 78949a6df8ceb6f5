/** A server on a port. */
import { createAdaptorServer } from '@hono/node-server';
import type { Server } from 'node:http';

import { UserError } from '../errors.js';
import { isLoopback } from './access.js';
import type { FeedbackStore } from '../feedback/store.js';
import { createApp } from './app.js';
import { createGate } from './gate.js';
import { listen } from './listen.js';
import type { Log } from './answer.js';
import type { Voices } from './voices.js';

/** How a server listens, and what it puts up with. */
export interface ServerOptions {
  /** Default: 127.0.0.1. Any address that others can reach needs a token. */
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly token?: string;
  /** Answers being made, waited for or asked for by requests that are read, before 429. Default: 256. */
  readonly queue?: number;
  /** Most bytes of a request. Default: 4 MiB. */
  readonly maxBody?: number;
  /** Milliseconds that running requests have to finish when the server stops. Default: 10 000. */
  readonly grace?: number;
  readonly log?: Log;
  /** Where chats and what is said of them are kept; it stays the caller's. Default: nowhere. */
  readonly feedback?: FeedbackStore;
  /** The folder in which clients may have adapters loaded (/v1/load_lora_adapter). Default: none are. */
  readonly adapters?: string;
}

/** A server that listens. */
export interface RunningServer {
  /** `http://127.0.0.1:8321` */
  readonly url: string;
  /** Takes no more requests, lets those that run finish within the grace time, and ends the rest. */
  stop(): Promise<void>;
}

/** Connections beyond those of the queue. */
export const SPARE_CONNECTIONS = 256;

/** Listens. The voices stay the caller's. @throws UserError where the port is taken, or others could ask without a token */
export async function startServer(
  voices: Voices,
  {
    host = '127.0.0.1', port, token, queue = 256, maxBody = 4 * 2 ** 20, grace = 10_000, log = () => undefined, feedback, adapters,
  }: ServerOptions,
): Promise<RunningServer> {
  checkExposure(host, token);
  const gate = createGate(queue);
  const ending = new AbortController();
  const app = createApp({
    voices, gate, maxBody, signal: ending.signal, log, feedback, adapters, ...(token === undefined || token === '' ? {} : { token }),
  });
  const server = createAdaptorServer({ fetch: app.fetch }) as Server;
  // Node waits 5 minutes for a whole request and a minute for its headers; a body of this size takes seconds.
  server.requestTimeout = 60_000;
  server.headersTimeout = 30_000;
  // Room for a connection for each answer, and for those that are told to come back or only wait; Node closes more than these at once.
  server.maxConnections = queue + SPARE_CONNECTIONS;
  const url = await listen(server, host, port);
  return {
    url,
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const late = setTimeout(() => ending.abort(new Error('The server is shutting down.')), grace);
      // Requests whose bodies are not there by then.
      const unread = setTimeout(() => server.closeAllConnections(), grace + 1000);
      await gate.close();
      clearTimeout(late);
      clearTimeout(unread);
      // What was written last must still reach its readers; connections that only wait are closed.
      server.closeIdleConnections();
      const cut = setTimeout(() => server.closeAllConnections(), 1000);
      await closed;
      clearTimeout(cut);
    },
  };
}

/** @throws UserError where others than this machine could ask without a token */
export function checkExposure(host: string, token: string | undefined): void {
  if (isLoopback(host) || (token ?? '') !== '') return;
  throw new UserError(`On ${host} others can reach the server, so it needs a token.`, [
    'Set HEED_SERVE_TOKEN in the environment; clients send it as their API key.',
    'Or leave --host out: then only this machine can reach it.',
  ]);
}
