import PQueue from 'p-queue';
import type { Failure, ServerCount } from '../respondent.js';
import { hideKeys } from '../../run/keys.js';
import { type Budget, NOTHING, type Tokens, tokensAbout } from './budget.js';
import { CLOCK, type Clock } from './clock.js';
import { LONGEST_WAIT } from './health.js';
import type { ServerOptions } from './options.js';
import { STOPPED, createPool } from './pool.js';
import { isAboutServer } from './reason.js';
import type { AdapterPath, Failed, Replied } from './sender.js';

/** A reply's JSON and the server that sent it, or why there is none. `took` counts what was spent either way. */
export type Sent = { readonly took: Took } & ({ readonly json: object; readonly from: string } | { readonly reason: Refusal });

/** Why a request got no reply, with the status that a server answered with. */
export type Refusal = Failure & { readonly status?: number };

/** What one server said to what all of them were told; no reason where it agreed. */
export interface Told {
  readonly url: string;
  readonly reason?: Refusal;
}

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
  /**
   * Tells every server something, the ones that are set aside too, with all retries.
   *
   * @param retries Default: as the options say.
   */
  everywhere(
    path: AdapterPath, body: object, limits: { readonly retries?: number; readonly signal?: AbortSignal },
  ): Promise<readonly Told[]>;
  /** Takes keys out of a server's words. */
  hide(text: string): string;
  /** What became of the requests to each server so far. */
  counts(): readonly ServerCount[];
  close(): void;
}

export interface ClientTools {
  readonly key?: string | undefined;
  readonly budget: Budget;
  readonly clock?: Clock;
  /** Takes a line for people: which server is set aside, and which answers again. Default: silent. */
  readonly note?: ((line: string) => void) | undefined;
}

/** Default of `patience`, in seconds: longer than any limit by the minute, shorter than one by the day. */
export const PATIENCE = 600;
/**
 * After this many questions in a row failed with all their retries, each further one is tried once, until one succeeds. A server that asks
 * for patience is reachable, so its reply does not count as a failure.
 */
const GIVE_UP = 8;

/**
 * Talks to the servers of an endpoint: within the limits on requests at a time and per interval, within the budget, and with retries. While
 * a server asks for patience, no request is sent to it. A request that fails at one server is put to another at once; where there is none
 * that it has not been put to, it waits, and begins anew.
 */
export function createEndpointClient(options: ServerOptions, { key, budget, clock = CLOCK, note }: ClientTools): EndpointClient {
  const { rate, retries, backoff } = options;
  const longest = 1000 * (options.patience ?? PATIENCE);

  const hide = (text: string): string => hideKeys(key === undefined ? text : text.replaceAll(key, '[key]'));
  const clean = (text: string): string => {
    const plain = hide(text).replaceAll(/\s+/g, ' ').replaceAll(/[^\P{C}]/gu, '').trim();
    return plain.length > 300 ? `${plain.slice(0, 299)}…` : plain;
  };
  const pool = createPool(options, { key, clock, patience: longest, note: (line) => note?.(clean(line)) });
  const queue = new PQueue({
    concurrency: pool.places,
    ...(rate === undefined ? {} : { intervalCap: rate.requests, interval: 1000 * rate.seconds, strict: true }),
  });
  const closing = new AbortController();
  let failures = 0;

  return {
    async post(path, body, { completion, urgent, signal }) {
      const stop = AbortSignal.any(signal === undefined ? [closing.signal] : [signal, closing.signal]);
      const atMost = { prompt: tokensAbout(Buffer.byteLength(JSON.stringify(body))), completion };
      let tokens = NOTHING;
      let milliseconds = 0;
      const took = (): Took => {
        return { tokens, milliseconds, cost: budget.costOf(tokens) };
      };
      /** The servers at which this attempt failed. */
      const tried = new Set<string>();

      async function once(attempt: number): Promise<Tried> {
        const place = await pool.take(tried, stop);
        if ('reason' in place) return { ...place, wait: 0, asks: false };
        const short = stop.aborted ? undefined : budget.reserve(atMost);
        if (stop.aborted || short !== undefined) {
          place.leave();
          return short === undefined ? UNSENT : { ...UNSENT, reason: { failure: 'budget', detail: short, again: false } };
        }
        const sent = await place.send(path, body, atMost, stop).catch((error: unknown) => {
          budget.settle(atMost, NOTHING);
          place.leave();
          throw error;
        });
        budget.settle(atMost, sent.took);
        if ('json' in sent) {
          place.leave(sent);
          return { ...sent, at: place.url };
        }
        const { failure, again, after } = sent.reason;
        const most = failure === 'rate-limit' ? Math.min(LONGEST_WAIT, longest) : LONGEST_WAIT;
        const wait = after ?? Math.min(most, 1000 * backoff * 2 ** attempt) * (1 - Math.random() / 4);
        const asks = again && (failure === 'rate-limit' || after !== undefined);
        // The pause holds for all requests to this server, and starts before the next one takes its turn.
        place.leave(sent, asks ? wait : undefined);
        return { ...sent, wait, asks, at: place.url };
      }

      for (let attempt = 0; ;) {
        let trying: Promise<Tried> | undefined;
        const attend = async (): Promise<Tried> => {
          const start = performance.now();
          const result = await once(attempt);
          milliseconds += performance.now() - start;
          return result;
        };
        const sent = await queue
          .add(() => (trying = attend()), { priority: urgent || attempt > 0 || tried.size > 0 ? 1 : 0, signal: stop })
          .catch((error: unknown) => {
            if (!stop.aborted) throw error;
            // A request that waits for its turn leaves the queue. One under way ends at once, and may have to be paid for.
            return trying ?? UNSENT;
          });
        tokens = { prompt: tokens.prompt + sent.took.prompt, completion: tokens.completion + sent.took.completion };
        if ('json' in sent) {
          failures = 0;
          return { json: sent.json, from: sent.at, took: took() };
        }
        const { reason: { failure, detail, again, status }, wait, asks, at } = sent;
        if (at !== undefined && (asks || isAboutServer(sent.reason)) && !stop.aborted) {
          tried.add(at);
          if (pool.hasOther(tried)) continue;
        }
        const patient = again && attempt < retries && (asks ? wait <= longest : failures < GIVE_UP);
        if (!patient || stop.aborted) {
          if (again && !asks) failures++;
          const tries = attempt > 0 ? ` (tried ${attempt + 1} times)` : '';
          const long = asks && wait > longest ? ` (it asks for ${Math.round(wait / 1000)} s of patience)` : '';
          return { reason: { failure, detail: clean(detail) + tries + long, status }, took: took() };
        }
        attempt++;
        tried.clear();
        if (!asks) await clock.sleep(wait, stop);
      }
    },
    everywhere(path, body, { retries: most = retries, signal }) {
      const stop = AbortSignal.any(signal === undefined ? [closing.signal] : [signal, closing.signal]);
      return Promise.all(pool.everyone().map(async (enter): Promise<Told> => {
        for (let attempt = 0; ; attempt++) {
          const place = enter();
          const sent = await place.send(path, body, NOTHING, stop).catch((error: unknown) => {
            place.leave();
            throw error;
          });
          place.leave(sent);
          if ('json' in sent) return { url: place.url };
          const { reason: { failure, detail, status, again, after } } = sent;
          if (!again || attempt >= most || stop.aborted) return { url: place.url, reason: { failure, detail: clean(detail), status } };
          await clock.sleep(Math.min(longest, after ?? Math.min(LONGEST_WAIT, 1000 * backoff * 2 ** attempt)), stop);
        }
      }));
    },
    hide,
    counts: pool.counts,
    close: () => closing.abort(),
  };
}

/** One try; where it failed, how long to wait before the next, whether the server asks for that, and which server it is. */
type Tried = (Replied & { readonly at: string }) | (Failed & { readonly wait: number; readonly asks: boolean; readonly at?: string });

const UNSENT: Tried & Failed = { ...STOPPED, wait: 0, asks: false };
