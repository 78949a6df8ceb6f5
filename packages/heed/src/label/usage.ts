/** What is counted of a respondent behind the reply cache. */
import type { Respondent, ServerCount, Usage } from '../judge/respondent.js';
import type { Reply } from './record.js';

/** What replies took. */
export interface Spent {
  promptTokens: number;
  completionTokens: number;
  /** Absent where no reply had a price. */
  cost?: number;
}

/** What a respondent was asked. Tokens, time and cost are those of the questions asked now, whatever became of them. */
export interface UsageTotals extends Spent {
  questions: number;
  /** Replies that were in the store, were given by another process meanwhile, or belong to a question that stands twice in one call. */
  reused: number;
  asked: number;
  /** Sum over the questions; they may have been asked side by side. */
  milliseconds: number;
  /** What the replies from the store had taken when they were asked for, and what earlier attempts at the questions of now had taken. */
  readonly earlier: Spent;
  /** What became of the requests of now to each server; absent where a respondent has none. */
  readonly servers?: readonly ServerCount[];
}

/** A respondent behind the reply cache. */
export interface CachedRespondent extends Respondent {
  /** Grows as questions are asked. */
  readonly usage: Readonly<UsageTotals>;
}

/** Counts each question once, as asked now or as asked earlier. */
export interface UsageCounter {
  readonly totals: UsageTotals;
  asked(key: string, reply: Reply): void;
  /** A reply that was in the store, or an attempt that failed. */
  known(key: string, reply: Reply): void;
}

export function countUsage({ servers }: Pick<Respondent, 'servers'>): UsageCounter {
  const totals: UsageTotals = {
    questions: 0, reused: 0, asked: 0, promptTokens: 0, completionTokens: 0, milliseconds: 0,
    earlier: { promptTokens: 0, completionTokens: 0 },
    get servers() {
      return servers?.();
    },
  };
  const counted = new Set<string>();
  return {
    totals,
    asked(key, { usage }) {
      counted.add(key);
      if (usage === undefined) return;
      add(totals, usage);
      totals.milliseconds += usage.milliseconds;
    },
    known(key, { usage }) {
      if (usage !== undefined && !counted.has(key)) add(totals.earlier, usage);
      counted.add(key);
    },
  };
}

function add(spent: Spent, { promptTokens, completionTokens, cost }: Usage): void {
  spent.promptTokens += promptTokens;
  spent.completionTokens += completionTokens;
  if (cost !== undefined) spent.cost = (spent.cost ?? 0) + cost;
}

/** The totals of two respondents. */
export function addTotals(a: UsageTotals, b: UsageTotals): UsageTotals {
  return {
    questions: a.questions + b.questions, reused: a.reused + b.reused, asked: a.asked + b.asked,
    ...addSpent(a, b), milliseconds: a.milliseconds + b.milliseconds, earlier: addSpent(a.earlier, b.earlier),
    ...(a.servers === undefined && b.servers === undefined ? {} : { servers: addServers([...a.servers ?? [], ...b.servers ?? []]) }),
  };
}

/** The counts of each server together. */
function addServers(counts: readonly ServerCount[]): ServerCount[] {
  const byUrl = new Map<string, ServerCount>();
  for (const one of counts) {
    const { answered, putOff, failed } = byUrl.get(one.url) ?? { answered: 0, putOff: 0, failed: 0 };
    byUrl.set(one.url, {
      url: one.url, answered: answered + one.answered, putOff: putOff + one.putOff, failed: failed + one.failed,
    });
  }
  return [...byUrl.values()];
}

/** A line for each of several servers, with what it did; no lines for a single server. */
export const serverLines = ({ servers = [] }: Pick<UsageTotals, 'servers'>): string[] => (servers.length < 2 ? [] : servers.map(
  ({ url, answered, putOff, failed }) => `${url}: ${answered} requests answered, ${putOff} put off, ${failed} failed`,
));

function addSpent(a: Spent, b: Spent): Spent {
  const tokens = { promptTokens: a.promptTokens + b.promptTokens, completionTokens: a.completionTokens + b.completionTokens };
  return a.cost === undefined && b.cost === undefined ? tokens : { ...tokens, cost: (a.cost ?? 0) + (b.cost ?? 0) };
}
