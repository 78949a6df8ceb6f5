/** The servers of an endpoint, which serve one model: which of them takes the next request, and how each of them does. */
import type { ServerCount } from '../respondent.js';
import type { Clock } from './clock.js';
import { type Health, createHealth } from './health.js';
import { type ServerOptions, serversOf } from './options.js';
import { type Reason, isAboutServer } from './reason.js';
import { type Failed, type Replied, type Send, createSender } from './sender.js';
import { NOTHING } from './budget.js';

/** A place at a server, for one request. */
export interface Place {
  readonly url: string;
  readonly send: Send;
  /**
   * Gives the place back, and says what became of the request; nothing where it was not sent.
   *
   * @param quiet the milliseconds that the server asks to be left alone for; left out: it does not ask
   */
  leave(sent?: Replied | Failed, quiet?: number): void;
}

export interface Pool {
  /** Requests at a time at all servers together. */
  readonly places: number;
  /**
   * Waits for a place at the server that has the fewest requests under way for its weight, of those that are well and ask for no patience.
   * Servers in `tried` are taken last. Fails where the signal ends the wait, and where all servers ask for more patience than there is.
   */
  take(tried: ReadonlySet<string>, signal: AbortSignal): Promise<Place | Failed>;
  /** A place at every server, for what all of them must be told; it counts for no limit. */
  everyone(): readonly (() => Place)[];
  /** Whether a server that is not in `tried` could answer now. */
  hasOther(tried: ReadonlySet<string>): boolean;
  counts(): readonly ServerCount[];
}

export interface PoolTools {
  readonly key: string | undefined;
  readonly clock: Clock;
  /** Longest pause, in milliseconds, that a server may ask for. */
  readonly patience: number;
  /** Takes a line for people, which may hold what a server said. */
  note(line: string): void;
}

interface Server {
  readonly url: string;
  readonly weight: number;
  readonly limit: number;
  readonly send: Send;
  readonly health: Health;
  readonly count: { answered: number; putOff: number; failed: number };
  /** Requests under way. */
  busy: number;
  /** A request finds out whether the server, which is set aside, answers again. */
  probing: boolean;
  quietUntil: number;
  /** The requests that it took, divided by its weight; of servers with as much to do, the one with the least is next. */
  turn: number;
}

export function createPool(options: ServerOptions, { key, clock, patience, note }: PoolTools): Pool {
  const { concurrency, timeout, backoff } = options;
  const servers = serversOf(options).map(({ url, weight }): Server => ({
    url, weight, limit: Math.max(1, Math.round(concurrency * weight)), send: createSender(url, timeout, key), health: createHealth(backoff),
    count: { answered: 0, putOff: 0, failed: 0 }, busy: 0, probing: false, quietUntil: 0, turn: 0,
  }));
  const alone = servers.length === 1;
  const change = createSignal();

  const isAside = ({ health }: Server): boolean => health.asideUntil !== undefined;
  const isAwake = ({ quietUntil }: Server): boolean => quietUntil <= clock.now();

  /** The server for a request, or the milliseconds until there may be one without any request's end; Infinity: nobody knows. */
  function choose(tried: ReadonlySet<string>): Server | { readonly wait: number; readonly asleep: boolean } {
    const now = clock.now();
    const well = servers.filter((server) => !isAside(server));
    // Where all are set aside, they are asked as a single server that is down would be.
    const group = well.length > 0 ? well : servers;
    const mayProbe = well.length > 0 && tried.size === 0;
    const aside = mayProbe ? servers.filter((server) => isAside(server) && !server.probing) : [];
    const readyAt = ({ health: { asideUntil = 0 }, quietUntil }: Server): number => Math.max(asideUntil, quietUntil);
    const due = aside.find((server) => readyAt(server) <= now);
    if (due !== undefined) return due;
    const awake = group.filter(isAwake);
    const fresh = awake.filter(({ url }) => !tried.has(url));
    const open = (fresh.length > 0 ? fresh : awake).filter(({ busy, limit }) => busy < limit);
    if (open.length > 0) return leastBusy(open);
    const paused = group.filter((server) => !isAwake(server)).map(({ quietUntil }) => quietUntil);
    return { wait: Math.min(...paused, ...aside.map(readyAt)) - now, asleep: awake.length === 0 };
  }

  function leastBusy(open: readonly Server[]): Server {
    const next = open.reduce((best, one) => {
      const more = one.busy / one.weight - best.busy / best.weight;
      return more < 0 || (more === 0 && one.turn < best.turn) ? one : best;
    });
    // Whoever cannot take a turn loses it: a server that comes back is not flooded.
    next.turn += 1 / next.weight;
    for (const server of servers) if (!open.includes(server)) server.turn = Math.max(server.turn, next.turn);
    return next;
  }

  function occupy(server: Server): Place {
    server.busy++;
    const isProbe = isAside(server) && !server.probing;
    if (isProbe) server.probing = true;
    return {
      url: server.url,
      send: server.send,
      leave(sent, quiet) {
        server.busy--;
        if (isProbe) server.probing = false;
        server.quietUntil = Math.max(server.quietUntil, clock.now() + (quiet ?? 0));
        if (sent !== undefined) learn(server, 'json' in sent ? undefined : sent.reason, quiet !== undefined);
        change.happen();
      },
    };
  }

  /** Counts a request, and finds out whether the server is well. */
  function learn(server: Server, reason: Reason | undefined, asks: boolean): void {
    const { url, count, health } = server;
    if (reason?.failure === 'cancelled') return;
    if (asks) {
      count.putOff++;
    } else if (reason === undefined || !isAboutServer(reason)) {
      count.answered++;
      if (health.answered() && !alone) note(`${url} answers again.`);
    } else {
      count.failed++;
      if (health.failed(clock.now()) && !alone) note(`${url} is set aside, and tried again from time to time: ${reason.detail}`);
    }
  }

  return {
    places: servers.reduce((sum, { limit }) => sum + limit, 0),
    async take(tried, signal) {
      for (;;) {
        if (signal.aborted) return STOPPED;
        const chosen = choose(tried);
        if ('url' in chosen) return occupy(chosen);
        const { wait, asleep } = chosen;
        if (asleep && wait > patience && wait < Infinity) {
          const detail = `${alone ? 'the server asks' : 'all servers ask'} for ${Math.round(wait / 1000)} s of patience`;
          return { reason: { failure: 'rate-limit', detail, again: false }, took: NOTHING };
        }
        const over = new AbortController();
        await Promise.race([change.next(), clock.sleep(Math.min(wait, A_DAY), AbortSignal.any([signal, over.signal]))]);
        over.abort();
      }
    },
    everyone: () => servers.map((server) => () => occupy(server)),
    hasOther: (tried) => servers.some((server) => !isAside(server) && isAwake(server) && !tried.has(server.url)),
    counts: () => servers.map(({ url, count }) => ({ url, ...count })),
  };
}

export const STOPPED: Failed = { reason: { failure: 'cancelled', detail: 'the run was stopped', again: false }, took: NOTHING };

/** Timers take no longer waits. */
const A_DAY = 86_400_000;

/** Something that happens again and again, and that several wait for. */
function createSignal(): { next(): Promise<void>; happen(): void } {
  let waiting: (() => void)[] = [];
  return {
    next: () => new Promise((resolve) => waiting.push(resolve)),
    happen() {
      const all = waiting;
      waiting = [];
      for (const go of all) go();
    },
  };
}
