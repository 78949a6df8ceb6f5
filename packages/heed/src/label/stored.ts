/** A respondent that remembers: what is in the store is not asked again. */
import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

import { type AskHooks, type Asked, type ChoiceQuestion, type Failure, type Respondent, type TextQuestion, type Usage } from '../judge/asked.js';
import type { Asking, Spent, StoredRespondent } from './asking.js';
import { keeps, lasts } from './lasting.js';
import type { Answer } from './record.js';
import type { Entry, LabelStore } from './store.js';
import { unstored } from './unstored.js';

/** Questions claimed and asked in one go: enough to fill a server or sort by length, few enough to share work between processes. */
const CHUNK = 1024;

type Kind = 'choose' | 'write';

/** What tells questions apart: who is asked, the prompt, the decoding and the seed. */
export function keyOf(respondent: string, kind: Kind, question: ChoiceQuestion | TextQuestion): string {
  return createHash('sha256').update(JSON.stringify([1, respondent, kind, canonical(question)])).digest('hex');
}

/** A list rather than an object, so that the order in which somebody wrote the fields does not count. */
function canonical(question: ChoiceQuestion | TextQuestion): unknown[] {
  const { messages, begun = '' }: Asked = question;
  const prompt = [messages.map(({ role, content }) => [role, content]), begun];
  if ('answers' in question) return [...prompt, question.answers];
  const { maxNewTokens, temperature, topK = null, topP = null, stop = [], seed } = question;
  return [...prompt, maxNewTokens, temperature, topK, topP, stop, seed];
}

/**
 * The same respondent, asked only what the store lacks. Each reply is stored as it comes, so that a run that is killed and started again asks what is
 * missing. Several processes may do this with one store at once: each question is asked by one of them, and all get the same replies.
 * One who keeps its answers itself (`keepsOwn`) is asked each time, and the store learns nothing of it.
 */
export function stored(inner: Respondent, store: LabelStore, { chunk = CHUNK }: { readonly chunk?: number } = {}): StoredRespondent {
  const asking: Asking = { questions: 0, reused: 0, asked: 0, promptTokens: 0, completionTokens: 0, milliseconds: 0, earlier: { promptTokens: 0, completionTokens: 0 } };
  const spend = ({ usage }: Answer): void => {
    if (usage === undefined) return;
    add(asking, usage);
    asking.milliseconds += usage.milliseconds;
  };
  /** Questions that are billed, as asked now or as asked earlier. */
  const billed = new Set<string>();
  const spendEarlier = (key: string, { usage }: Answer): void => {
    if (usage !== undefined && !billed.has(key)) add(asking.earlier, usage);
    billed.add(key);
  };
  const begin = async (): Promise<void> => inner.spentBefore?.(await store.spent(inner.name));
  let begun: Promise<void> | undefined;

  const ask = async <Q extends ChoiceQuestion | TextQuestion, R extends Answer>(
    kind: Kind, questions: readonly Q[], put: (questions: readonly Q[], hooks: AskHooks) => Promise<readonly R[]>, { onReply, signal }: AskHooks,
  ): Promise<R[]> => {
    const places = new Map<string, number[]>();
    questions.forEach((question, place) => {
      const key = keyOf(inner.name, kind, question);
      const same = places.get(key);
      if (same === undefined) places.set(key, [place]);
      else same.push(place);
    });
    const replies = new Array<R>(questions.length);
    const questionOf = (key: string): Q => questions[places.get(key)![0]!]!;
    const settle = (key: string, reply: Answer): void => {
      for (const place of places.get(key)!) {
        replies[place] = reply as R;
        onReply?.(place, reply);
      }
    };

    const settleAsked = (key: string, reply: Answer): void => {
      if (keeps(reply)) {
        asking.asked++;
        asking.reused += places.get(key)!.length - 1;
      }
      settle(key, reply);
    };

    asking.questions += questions.length;
    let waiting = [...places.keys()];
    const settleKnown = async (): Promise<void> => {
      const known = await store.get(waiting);
      waiting = waiting.filter((key) => {
        const reply = known.get(key);
        if (reply !== undefined) spendEarlier(key, reply);
        if (reply === undefined || !lasts(reply)) return true;
        asking.reused += places.get(key)!.length;
        settle(key, reply);
        return false;
      });
    };
    await settleKnown();
    if (waiting.length > 0) await (begun ??= begin());
    while (waiting.length > 0) {
      const elsewhere: string[] = [];
      for (let at = 0; at < waiting.length; at += chunk) {
        const some = waiting.slice(at, at + chunk);
        if (signal?.aborted === true) {
          for (const key of some) settle(key, CANCELLED);
          continue;
        }
        const ours = await store.claims.take(some);
        const claimed = some.filter((key) => ours.has(key));
        elsewhere.push(...some.filter((key) => !ours.has(key)));
        if (claimed.length > 0) await askClaimed(claimed, questionOf, put, settleAsked, signal);
      }
      // What others have claimed or answered meanwhile: taken from the store, or over from the dead, else waited for.
      const left = waiting.length;
      waiting = elsewhere;
      if (waiting.length === 0) break;
      await settleKnown();
      await store.claims.bury();
      if (waiting.length === left) await pause(Math.min(250, store.claims.leaseMs / 4));
    }
    return replies;
  };

  const askClaimed = async <Q extends ChoiceQuestion | TextQuestion, R extends Answer>(
    keys: readonly string[], questionOf: (key: string) => Q, put: (questions: readonly Q[], hooks: AskHooks) => Promise<readonly R[]>,
    settle: (key: string, reply: Answer) => void, signal: AbortSignal | undefined,
  ): Promise<void> => {
    const writer = createWriter(store, settle);
    const open = new Set(keys);
    const take = (key: string, reply: Answer): void => {
      if (!open.delete(key)) return;
      billed.add(key);
      spend(reply);
      if (keeps(reply)) {
        writer.add({ key, respondent: inner.name, question: JSON.stringify(questionOf(key)), reply });
      } else settle(key, reply);
    };
    const heart = setInterval(() => void store.claims.renew().catch(() => undefined), store.claims.leaseMs / 3);
    heart.unref();
    try {
      const replies = await put(keys.map(questionOf), { onReply: (i, reply) => take(keys[i]!, reply), ...(signal === undefined ? {} : { signal }) });
      replies.forEach((reply, i) => take(keys[i]!, reply));
    } finally {
      clearInterval(heart);
      // What was answered before something went wrong is kept.
      await writer.close();
      await store.claims.release(keys);
    }
    if (open.size > 0) throw new Error(`${inner.name} gave no reply to ${open.size} of ${keys.length} questions.`);
  };

  if (inner.keepsOwn === true) return unstored(inner, asking);
  return {
    name: inner.name,
    asking,
    choose: async (questions, hooks = {}) => ask('choose', questions, (some, more) => inner.choose(some, more), hooks),
    write: async (questions, hooks = {}) => ask('write', questions, (some, more) => inner.write(some, more), hooks),
    close: async () => inner.close(),
  };
}

function add(spent: Spent, { promptTokens, completionTokens, cost }: Usage): void {
  spent.promptTokens += promptTokens;
  spent.completionTokens += completionTokens;
  if (cost !== undefined) spent.cost = (spent.cost ?? 0) + cost;
}

const CANCELLED: Failure = { failure: 'cancelled', detail: 'stopped before it was asked' };

/** Stores replies as they come: those that arrive while a transaction is under way share the next one. */
function createWriter(store: LabelStore, settle: (key: string, reply: Answer) => void): { add(entry: Entry): void; close(): Promise<void> } {
  let queue: Entry[] = [];
  let fault: { error: unknown } | undefined;
  let writing: Promise<void> | undefined;
  const write = async (): Promise<void> => {
    await Promise.resolve(); // the replies of one batch come together
    while (queue.length > 0 && fault === undefined) {
      const entries = queue;
      queue = [];
      try {
        const standing = await store.put(entries);
        for (const { key, reply } of entries) settle(key, standing.get(key) ?? reply);
      } catch (error) {
        fault = { error };
      }
    }
    writing = undefined;
  };
  return {
    add(entry) {
      queue.push(entry);
      writing ??= write();
    },
    async close() {
      while (writing !== undefined) await writing;
      if (fault !== undefined) throw fault.error;
    },
  };
}
