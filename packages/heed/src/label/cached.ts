/** The reply cache: a respondent that is asked only what its label store does not hold yet. */
import { setTimeout as pause } from 'node:timers/promises';

import type { AskHooks, ChoiceQuestion, Failure, Respondent, TextQuestion } from '../judge/respondent.js';
import { createBatchWriter } from './batch-writer.js';
import { type Kind, keyOf, type Reply, retryable, wasAsked } from './record.js';
import type { LabelStore } from './store.js';
import { type CachedRespondent, countUsage, type UsageTotals } from './usage.js';

/** Questions claimed and asked together: enough to fill a server or to sort by length, few enough to share work between processes. */
const CHUNK = 1024;

type Put<Q, R> = (questions: readonly Q[], hooks: AskHooks) => Promise<readonly R[]>;

/**
 * The same respondent behind the reply cache. Each reply is stored as it comes, so that a run that is killed and started again asks only
 * what is missing. Several processes may share a store: each question is asked by one of them, and all get the same replies. A respondent
 * that keeps its answers itself (`keepsOwn`) is asked each time, and nothing of it is stored.
 */
export function cached(respondent: Respondent, store: LabelStore, { chunk = CHUNK }: { readonly chunk?: number } = {}): CachedRespondent {
  const usage = countUsage(respondent);
  const { totals } = usage;
  if (respondent.keepsOwn === true) return counted(respondent, totals);
  let begun: Promise<void> | undefined;
  const begin = async (): Promise<void> => respondent.spentBefore?.(await store.spent(respondent.name));

  async function ask<Q extends ChoiceQuestion | TextQuestion, R extends Reply>(
    kind: Kind, questions: readonly Q[], put: Put<Q, R>, { onReply, signal }: AskHooks,
  ): Promise<readonly R[]> {
    const batch = gather<Q, R>((question) => keyOf(respondent.name, kind, question), questions, onReply);
    totals.questions += questions.length;
    /** Settles the questions whose reply is in the store; returns the keys of the others. */
    const settleKnown = async (keys: readonly string[]): Promise<readonly string[]> => {
      const known = await store.get(keys);
      return keys.filter((key) => {
        const reply = known.get(key);
        if (reply !== undefined) usage.known(key, reply);
        if (reply === undefined || retryable(reply)) return true;
        totals.reused += batch.timesOf(key);
        batch.settle(key, reply);
        return false;
      });
    };
    let waiting = await settleKnown(batch.keys);
    if (waiting.length > 0) await (begun ??= begin());
    while (waiting.length > 0) {
      const elsewhere: string[] = [];
      for (let at = 0; at < waiting.length; at += chunk) {
        const some = waiting.slice(at, at + chunk);
        if (signal?.aborted === true) {
          for (const key of some) batch.settle(key, CANCELLED);
          continue;
        }
        const ours = await store.claims.take(some);
        const claimed = some.filter((key) => ours.has(key));
        elsewhere.push(...some.filter((key) => !ours.has(key)));
        if (claimed.length > 0) await askClaimed(claimed, batch, put, signal);
      }
      // What others have claimed or answered meanwhile: taken from the store, or over from the dead, else waited for.
      if (elsewhere.length === 0) break;
      const left = await settleKnown(elsewhere);
      await store.claims.bury();
      if (left.length === waiting.length) await pause(Math.min(250, store.claims.leaseMs / 4));
      waiting = left;
    }
    return batch.replies;
  }

  /** Asks what this process has claimed, and stores each reply as it comes. */
  async function askClaimed<Q extends ChoiceQuestion | TextQuestion, R extends Reply>(
    keys: readonly string[], batch: Batch<Q, R>, put: Put<Q, R>, signal: AbortSignal | undefined,
  ): Promise<void> {
    const settle = (key: string, reply: Reply): void => {
      if (wasAsked(reply)) {
        totals.asked++;
        totals.reused += batch.timesOf(key) - 1;
      }
      batch.settle(key, reply);
    };
    const writer = createBatchWriter(store, settle);
    const open = new Set(keys);
    const take = (key: string, reply: Reply): void => {
      if (!open.delete(key)) return;
      usage.asked(key, reply);
      if (wasAsked(reply)) writer.add({ key, respondent: respondent.name, question: JSON.stringify(batch.questionOf(key)), reply });
      else settle(key, reply);
    };
    const heart = setInterval(() => void store.claims.renew().catch(() => undefined), store.claims.leaseMs / 3);
    heart.unref();
    try {
      const replies = await put(keys.map(batch.questionOf), { onReply: (i, reply) => take(keys[i]!, reply), signal });
      replies.forEach((reply, i) => take(keys[i]!, reply));
    } finally {
      clearInterval(heart);
      // What was answered before something went wrong is kept.
      await writer.close();
      await store.claims.release(keys);
    }
    if (open.size > 0) throw new Error(`${respondent.name} gave no reply to ${open.size} of ${keys.length} questions.`);
  }

  return {
    name: respondent.name,
    usage: totals,
    choose: async (questions, hooks = {}) => ask('choose', questions, (some, more) => respondent.choose(some, more), hooks),
    write: async (questions, hooks = {}) => ask('write', questions, (some, more) => respondent.write(some, more), hooks),
    close: async () => respondent.close(),
  };
}

/** A respondent that keeps its answers itself: its questions are counted, and the store keeps nothing. */
function counted(respondent: Respondent, totals: UsageTotals): CachedRespondent {
  const count = <R extends Reply>(replies: readonly R[]): readonly R[] => {
    totals.questions += replies.length;
    totals.asked += replies.filter(wasAsked).length;
    return replies;
  };
  return {
    ...respondent,
    usage: totals,
    choose: async (questions, hooks) => count(await respondent.choose(questions, hooks)),
    write: async (questions, hooks) => count(await respondent.write(questions, hooks)),
  };
}

const CANCELLED: Failure = { failure: 'cancelled', detail: 'stopped before it was asked' };

/** The questions of one call by their keys; a question that stands there several times is one key. */
interface Batch<Q, R> {
  readonly keys: readonly string[];
  readonly questionOf: (key: string) => Q;
  timesOf(key: string): number;
  settle(key: string, reply: Reply): void;
  /** In the order of the questions, once all are settled. */
  readonly replies: readonly R[];
}

function gather<Q, R extends Reply>(keyed: (question: Q) => string, questions: readonly Q[], onReply: AskHooks['onReply']): Batch<Q, R> {
  const places = new Map<string, number[]>();
  questions.forEach((question, place) => {
    const key = keyed(question);
    const same = places.get(key);
    if (same === undefined) places.set(key, [place]);
    else same.push(place);
  });
  const replies = new Array<R>(questions.length);
  return {
    keys: [...places.keys()], replies,
    questionOf: (key) => questions[places.get(key)![0]!]!,
    timesOf: (key) => places.get(key)!.length,
    settle(key, reply) {
      for (const place of places.get(key)!) {
        replies[place] = reply as R;
        onReply?.(place, reply);
      }
    },
  };
}
