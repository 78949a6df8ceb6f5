import OpenAI from 'openai';
import PQueue from 'p-queue';
import { setTimeout as pause } from 'node:timers/promises';
import type { Failure } from '../respondent.js';
import type { EndpointOptions } from './options.js';
import { type Budget, type Tokens, tokensAbout } from './budget.js';
import { wholeFetch } from './body.js';
import { hideKeys } from '../../run/keys.js';
import { type Reason, looksLikeHtml, reasonOf } from './reason.js';

/** A reply's JSON, or why there is none. `took` counts what was spent either way. */
export type Sent = { readonly took: Took } & ({ readonly json: object } | { readonly reason: Failure & { readonly status?: number } });

export interface Took {
  readonly tokens: Tokens;
  readonly milliseconds: number;
  readonly cost?: number;
}

export interface EndpointClient {
  /**
   * Posts a body, with all retries. `completion`: the most tokens that the server may write. `urgent` requests go first: they belong to
   * questions that are answered in part already.
   */
  post(
    path: '/chat/completions' | '/completions',
    body: object,
    limits: { readonly completion: number; readonly urgent: boolean; readonly signal?: AbortSignal },
  ): Promise<Sent>;
  /** Takes keys out of a server's words. */
  hide(text: string): string;
  close(): void;
}

/** Tells the time in milliseconds, and waits. Tests pass their own. */
export interface Clock {
  now(): number;
  /** Ends early where the signal says so. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
}

const CLOCK: Clock = {
  now: Date.now,
  sleep: async (milliseconds, signal) => pause(milliseconds, undefined, { signal }).catch(() => undefined),
};

/** Longest wait before a retry where the server asks for none. */
const LONGEST_WAIT = 60_000;
/** Default of `patience`, in seconds: longer than any limit by the minute, shorter than one by the day. */
export const PATIENCE = 600;
/**
 * After this many questions in a row failed with all their retries, each further one is tried once, until one succeeds. A server that asks
 * for patience is reachable, so its reply does not count as a failure.
 */
const GIVE_UP = 8;

/**
 * Talks to one server: within the limits on requests at a time and per interval, within the budget, and with retries. While the server asks
 * for patience, no request is sent to it.
 */
export function createEndpointClient(
  options: EndpointOptions,
  key: string | undefined,
  budget: Budget,
  clock: Clock = CLOCK,
): EndpointClient {
  const { url, concurrency, rate, timeout, retries, backoff } = options;
  const longest = 1000 * (options.patience ?? PATIENCE);
  // The empty fields are set too: otherwise the client would read its own environment variables.
  const openai = new OpenAI({
    baseURL: url,
    apiKey: key ?? 'none',
    adminAPIKey: null,
    organization: null,
    project: null,
    maxRetries: 0,
    timeout: Math.ceil(1000 * timeout),
    fetch: wholeFetch,
    logLevel: 'off',
  });
  const queue = new PQueue({
    concurrency,
    ...(rate === undefined ? {} : { intervalCap: rate.requests, interval: 1000 * rate.seconds, strict: true }),
  });
  const closing = new AbortController();
  let quietUntil = 0;
  let failures = 0;

  const hide = (text: string): string => hideKeys(key === undefined ? text : text.replaceAll(key, '[key]'));
  const clean = (text: string): string => {
    const plain = hide(text).replaceAll(/\s+/g, ' ').replaceAll(/[^\P{C}]/gu, '').trim();
    return plain.length > 300 ? `${plain.slice(0, 299)}…` : plain;
  };

  async function once(path: string, body: object, most: Tokens, signal: AbortSignal): Promise<Replied | Failed> {
    // Another request may learn meanwhile that the server asks for a longer pause.
    for (let wait = quietUntil - clock.now(); wait > 0 && !signal.aborted; wait = quietUntil - clock.now()) {
      if (wait > longest) {
        const detail = `the server asks for ${Math.round(wait / 1000)} s of patience`;
        return { reason: { failure: 'rate-limit', detail, again: false }, took: NOTHING };
      }
      await clock.sleep(wait, signal);
    }
    if (signal.aborted) return STOPPED;
    const short = budget.reserve(most);
    if (short !== undefined) return { reason: { failure: 'budget', detail: short, again: false }, took: NOTHING };
    let took: Tokens = NOTHING;
    try {
      const json = objectOf(await openai.post<unknown>(path, { body, signal }));
      took = usageOf(json) ?? most;
      return { json, took };
    } catch (error) {
      const reason = error instanceof NotJson ? error.reason : reasonOf(error, timeout, openai.baseURL);
      if (reason.lost === true) took = most;
      return { reason, took };
    } finally {
      budget.settle(most, took);
    }
  }

  return {
    async post(path, body, { completion, urgent, signal }) {
      const stop = AbortSignal.any(signal === undefined ? [closing.signal] : [signal, closing.signal]);
      const atMost = { prompt: tokensAbout(Buffer.byteLength(JSON.stringify(body))), completion };
      let tokens = NOTHING;
      let milliseconds = 0;
      const took = (): Took => {
        return { tokens, milliseconds, cost: budget.costOf(tokens) };
      };
      for (let attempt = 0; ; attempt++) {
        const attend = async (): Promise<Attempt> => {
          const start = performance.now();
          const result = await once(path, body, atMost, stop);
          milliseconds += performance.now() - start;
          if ('json' in result) return result;
          const { failure, again, after } = result.reason;
          const most = failure === 'rate-limit' ? Math.min(LONGEST_WAIT, longest) : LONGEST_WAIT;
          const wait = after ?? Math.min(most, 1000 * backoff * 2 ** attempt) * (1 - Math.random() / 4);
          const asks = again && (failure === 'rate-limit' || after !== undefined);
          // The pause holds for all requests, and starts before the next one takes its turn.
          if (asks) quietUntil = Math.max(quietUntil, clock.now() + wait);
          return { ...result, wait, asks };
        };
        let attending: Promise<Attempt> | undefined;
        const sent = await queue
          .add(() => (attending = attend()), { priority: urgent || attempt > 0 ? 1 : 0, signal: stop })
          .catch((error: unknown) => {
            if (!stop.aborted) throw error;
            // A request that waits for its turn leaves the queue. One under way ends at once, and may have to be paid for.
            return attending ?? { ...STOPPED, wait: 0, asks: false };
          });
        tokens = { prompt: tokens.prompt + sent.took.prompt, completion: tokens.completion + sent.took.completion };
        if ('json' in sent) {
          failures = 0;
          return { json: sent.json, took: took() };
        }
        const { reason: { failure, detail, again, status }, wait, asks } = sent;
        const patient = again && attempt < retries && (asks ? wait <= longest : failures < GIVE_UP);
        if (!patient || stop.aborted) {
          if (again && !asks) failures++;
          const tries = attempt > 0 ? ` (tried ${attempt + 1} times)` : '';
          const long = asks && wait > longest ? ` (it asks for ${Math.round(wait / 1000)} s of patience)` : '';
          return { reason: { failure, detail: clean(detail) + tries + long, status }, took: took() };
        }
        if (!asks) await clock.sleep(wait, stop);
      }
    },
    hide,
    close: () => closing.abort(),
  };
}

interface Replied { readonly json: object; readonly took: Tokens }
interface Failed { readonly reason: Reason; readonly took: Tokens }
/** One try; where it failed, how long to wait before the next, and whether the server asks for that. */
type Attempt = Replied | (Failed & { readonly wait: number; readonly asks: boolean });

const NOTHING: Tokens = { prompt: 0, completion: 0 };
const STOPPED: Failed = { reason: { failure: 'cancelled', detail: 'the run was stopped', again: false }, took: NOTHING };

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
  if (typeof reply !== 'object' || reply === null || Array.isArray(reply))
    return bad(`the reply is ${JSON.stringify(reply)?.slice(0, 80) ?? 'empty'} and not an object`, true);
  return reply;
}

function usageOf(json: object): Tokens | undefined {
  const { prompt_tokens: prompt, completion_tokens: completion } = ((json as { usage?: unknown }).usage ?? {}) as Record<string, unknown>;
  return typeof prompt === 'number' && prompt >= 0
    ? { prompt, completion: typeof completion === 'number' && completion >= 0 ? completion : 0 }
    : undefined;
}
