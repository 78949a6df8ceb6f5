import OpenAI from 'openai';
import PQueue from 'p-queue';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Failure } from '../asked.js';
import type { EndpointOptions } from '../options.js';
import { type Tokens, createBudget, tokensAbout } from './budget.js';
import { wholeFetch } from './body.js';
import { type Reason, looksLikeHtml, reasonOf } from './reason.js';

/** A reply's JSON, or why there is none; what it took either way. */
export type Sent = { readonly took: Took } & ({ readonly json: object } | { readonly reason: Failure & { readonly status?: number } });

export interface Took {
  readonly tokens: Tokens;
  readonly milliseconds: number;
  readonly cost?: number;
}

export interface EndpointClient {
  /**
   * Posts a body, with all retries. `completion`: most tokens that it may make the server write. `urgent` requests belong to questions that
   * are answered in part already, and go first.
   */
  post(path: '/chat/completions' | '/completions', body: object, limits: { readonly completion: number; readonly urgent: boolean; readonly signal?: AbortSignal }): Promise<Sent>;
  /** Takes keys out of a server's words. */
  hide(text: string): string;
  close(): void;
}

const LONGEST_WAIT = 60_000;
/** So many questions in a row that failed although they were tried again: from then on each is tried once, until one succeeds. */
const GIVE_UP = 8;

/** Talks to one server: so many requests at a time and per interval, within the budget, with retries; a server that asks for patience is left alone by all. */
export function createEndpointClient(options: EndpointOptions, key: string | undefined): EndpointClient {
  const { url, concurrency, rate, timeout, retries, backoff } = options;
  // Set although empty: the client would read its own environment variables.
  const openai = new OpenAI({
    baseURL: url, apiKey: key ?? 'none', adminAPIKey: null, organization: null, project: null, maxRetries: 0, timeout: Math.ceil(1000 * timeout), fetch: wholeFetch, logLevel: 'off',
  });
  const queue = new PQueue({ concurrency, ...(rate === undefined ? {} : { intervalCap: rate.requests, interval: 1000 * rate.seconds, strict: true }) });
  const budget = createBudget(options);
  const closing = new AbortController();
  let quietUntil = 0;
  let failures = 0;

  const hide = (text: string): string =>
    (key === undefined ? text : text.replaceAll(key, '[key]')).replaceAll(/\b(sk|pk|key)-[\w*.-]{6,}/gi, '[key]').replaceAll(/\bBearer\s+\S+/gi, 'Bearer [key]');
  const clean = (text: string): string => {
    const plain = hide(text).replaceAll(/\s+/g, ' ').replaceAll(/[^\P{C}]/gu, '').trim();
    return plain.length > 300 ? `${plain.slice(0, 299)}…` : plain;
  };

  async function once(path: string, body: object, most: Tokens, signal: AbortSignal): Promise<{ json: object; took: Tokens } | { reason: Reason; took: Tokens }> {
    const wait = quietUntil - Date.now();
    if (wait > 0) await sleep(wait, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return STOPPED;
    const short = budget.reserve(most);
    if (short !== undefined) return { reason: { failure: 'budget', detail: short, again: false }, took: NOTHING };
    let took: Tokens = NOTHING;
    try {
      const json = objectOf(await openai.post<unknown>(path, { body, signal }));
      took = usageOf(json) ?? most;
      return { json, took };
    } catch (error) {
      const reason = error instanceof NotJson ? error.reason : reasonOf(error, timeout);
      if (reason.lost === true) took = most;
      return { reason, took };
    } finally {
      budget.settle(most, took);
    }
  }

  return {
    async post(path, body, { completion, urgent, signal }) {
      const stop = signal === undefined ? closing.signal : AbortSignal.any([signal, closing.signal]);
      const most = { prompt: tokensAbout(Buffer.byteLength(JSON.stringify(body))), completion };
      let tokens = NOTHING;
      let milliseconds = 0;
      const took = (): Took => {
        const cost = budget.costOf(tokens);
        return { tokens, milliseconds, ...(cost === undefined ? {} : { cost }) };
      };
      for (let attempt = 0; ; attempt++) {
        const sent = await queue.add(async () => {
          const start = performance.now();
          const result = await once(path, body, most, stop);
          milliseconds += performance.now() - start;
          return result;
        }, { priority: urgent || attempt > 0 ? 1 : 0, signal: stop }).catch((error: unknown) => {
          // Those that wait for their turn leave the queue.
          if (stop.aborted) return STOPPED;
          throw error;
        });
        tokens = { prompt: tokens.prompt + sent.took.prompt, completion: tokens.completion + sent.took.completion };
        if ('json' in sent) {
          failures = 0;
          return { json: sent.json, took: took() };
        }
        const { failure, detail, again, after, status } = sent.reason;
        const wait = after ?? Math.min(LONGEST_WAIT, 1000 * backoff * 2 ** attempt) * (1 - Math.random() / 4);
        const patient = again && attempt < retries && failures < GIVE_UP && wait <= LONGEST_WAIT;
        if (!patient || stop.aborted) {
          if (again) failures++;
          const tries = attempt > 0 ? ` (tried ${attempt + 1} times)` : '';
          const long = again && wait > LONGEST_WAIT ? ` (it asks for ${Math.round(wait / 1000)} s of patience)` : '';
          return { reason: { failure, detail: clean(detail) + tries + long, ...(status === undefined ? {} : { status }) }, took: took() };
        }
        if (failure === 'rate-limit' || after !== undefined) quietUntil = Math.max(quietUntil, Date.now() + wait);
        else await sleep(wait, undefined, { signal: stop }).catch(() => undefined);
      }
    },
    hide,
    close: () => closing.abort(),
  };
}

const NOTHING: Tokens = { prompt: 0, completion: 0 };
const STOPPED: { readonly reason: Reason; readonly took: Tokens } = { reason: { failure: 'cancelled', detail: 'the run was stopped', again: false }, took: NOTHING };

class NotJson extends Error {
  constructor(readonly reason: Reason) {
    super(reason.detail);
  }
}

/** The reply as an object. Some servers send JSON without saying so; the client then gives text. */
function objectOf(reply: unknown): object {
  const bad = (detail: string, again: boolean): never => {
    throw new NotJson({ failure: 'bad-response', detail, again, lost: true });
  };
  if (typeof reply === 'string') {
    if (looksLikeHtml(reply)) bad('the reply is HTML and not JSON: is the url the one that ends with /v1?', false);
    try {
      return objectOf(JSON.parse(reply) as unknown);
    } catch (error) {
      if (error instanceof NotJson) throw error;
      bad(`the reply is not JSON: ${JSON.stringify(reply.slice(0, 80))}`, true);
    }
  }
  if (typeof reply !== 'object' || reply === null || Array.isArray(reply)) return bad(`the reply is ${JSON.stringify(reply)?.slice(0, 80) ?? 'empty'} and not an object`, true);
  return reply;
}

function usageOf(json: object): Tokens | undefined {
  const { prompt_tokens: prompt, completion_tokens: completion } = ((json as { usage?: unknown }).usage ?? {}) as Record<string, unknown>;
  return typeof prompt === 'number' && prompt >= 0 ? { prompt, completion: typeof completion === 'number' && completion >= 0 ? completion : 0 } : undefined;
}
