/** A respondent that remembers: what is in the store is not asked again. */
import { setTimeout as pause } from 'node:timers/promises';

import type { AskHooks, ChoiceQuestion, Failure, Respondent, TextQuestion } from '../judge/respondent.js';
import { type StoredRespondent, openAccount } from './asking.js';
import { type Kind, keyOf } from './key.js';
import { keeps, lasts } from './lasting.js';
import type { Answer } from './record.js';
import type { LabelStore } from './store.js';
import { unstored } from './unstored.js';
import { createWriter } from './writer.js';

/** Questions claimed and asked in one go: enough to fill a server or sort by length, few enough to share work between processes. */
const CHUNK = 1024;

type Put<Q, R> = (questions: readonly Q[], hooks: AskHooks) => Promise<readonly R[]>;

/**
 * The same respondent, asked only what the store lacks. Each reply is stored as it comes, so that a run that is killed and started again asks what is
 * missing. Several processes may do this with one store at once: each question is asked by one of them, and all get the same replies.
 * One who keeps its answers itself (`keepsOwn`) is asked each time, and the store learns nothing of it.
 */
export function stored(inner: Respondent, store: LabelStore, { chunk = CHUNK }: { readonly chunk?: number } = {}): StoredRespondent {
  const account = openAccount();
  const { asking } = account;
  if (inner.keepsOwn === true) return unstored(inner, asking);
  let begun: Promise<void> | undefined;
  const begin = async (): Promise<void> => inner.spentBefore?.(await store.spent(inner.name));

  async function ask<Q extends ChoiceQuestion | TextQuestion, R extends Answer>(kind: Kind, questions: readonly Q[], put: Put<Q, R>, { onReply, signal }: AskHooks): Promise<readonly R[]> {
    const batch = gather<Q, R>((question) => keyOf(inner.name, kind, question), questions, onReply);
    asking.questions += questions.length;
    /** Settles what the store knows of these; the others. */
    const settleKnown = async (keys: readonly string[]): Promise<readonly string[]> => {
      const known = await store.get(keys);
      return keys.filter((key) => {
        const reply = known.get(key);
        if (reply !== undefined) account.known(key, reply);
        if (reply === undefined || !lasts(reply)) return true;
        asking.reused += batch.timesOf(key);
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
  async function askClaimed<Q extends ChoiceQuestion | TextQuestion, R extends Answer>(keys: readonly string[], batch: Batch<Q, R>, put: Put<Q, R>, signal: AbortSignal | undefined): Promise<void> {
    const settle = (key: string, reply: Answer): void => {
      if (keeps(reply)) {
        asking.asked++;
        asking.reused += batch.timesOf(key) - 1;
      }
      batch.settle(key, reply);
    };
    const writer = createWriter(store, settle);
    const open = new Set(keys);
    const take = (key: string, reply: Answer): void => {
      if (!open.delete(key)) return;
      account.asked(key, reply);
      if (keeps(reply)) writer.add({ key, respondent: inner.name, question: JSON.stringify(batch.questionOf(key)), reply });
      else settle(key, reply);
    };
    const heart = setInterval(() => void store.claims.renew().catch(() => undefined), store.claims.leaseMs / 3);
    heart.unref();
    try {
      const replies = await put(keys.map(batch.questionOf), { onReply: (i, reply) => take(keys[i]!, reply), ...(signal === undefined ? {} : { signal }) });
      replies.forEach((reply, i) => take(keys[i]!, reply));
    } finally {
      clearInterval(heart);
      // What was answered before something went wrong is kept.
      await writer.close();
      await store.claims.release(keys);
    }
    if (open.size > 0) throw new Error(`${inner.name} gave no reply to ${open.size} of ${keys.length} questions.`);
  }

  return {
    name: inner.name,
    asking,
    choose: async (questions, hooks = {}) => ask('choose', questions, (some, more) => inner.choose(some, more), hooks),
    write: async (questions, hooks = {}) => ask('write', questions, (some, more) => inner.write(some, more), hooks),
    close: async () => inner.close(),
  };
}

const CANCELLED: Failure = { failure: 'cancelled', detail: 'stopped before it was asked' };

/** Questions of one go, each known by its key; one that stands there several times is one key. */
interface Batch<Q, R> {
  readonly keys: readonly string[];
  readonly questionOf: (key: string) => Q;
  timesOf(key: string): number;
  settle(key: string, reply: Answer): void;
  /** In the order of the questions, once all are settled. */
  readonly replies: readonly R[];
}

function gather<Q, R extends Answer>(keyed: (question: Q) => string, questions: readonly Q[], onReply: AskHooks['onReply']): Batch<Q, R> {
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
