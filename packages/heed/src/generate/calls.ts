import type { Completion, GenerationHooks } from './request.js';
import type { GenerationSequence } from './sequence.js';

/** The sequences of one `generate`, which succeed or fail together. */
export interface Call {
  readonly sequences: readonly GenerationSequence[];
  readonly hooks: GenerationHooks;
  tokens: number;
  finished: number;
  /** Whether the call is resolved or rejected; its unfinished sequences are dropped. */
  over: boolean;
  resolve(completions: Completion[]): void;
  reject(reason: unknown): void;
}

/** The calls that are not settled yet, and the queue of their waiting sequences. */
export interface Calls {
  readonly open: ReadonlySet<Call>;
  /** Puts a call's sequences at the end of the queue. */
  add(call: Call): void;
  /** The call of a sequence; undefined once that call is settled. */
  of(sequence: GenerationSequence): Call | undefined;
  /** Takes the next `n` sequences from the queue, or as many as there are. */
  take(n: number): GenerationSequence[];
  /** Ends a call by `how`, which resolves or rejects it. A call is settled once; later tries do nothing. */
  settle(call: Call, how: () => void): void;
  /** Runs a caller's function. If it throws, its own call is rejected and the others go on. */
  guard(call: Call, body: () => void): void;
  /** Rejects the calls whose signal is aborted. */
  dropAborted(): void;
  /** Removes the sequences of settled calls from the queue. */
  dropSettled(): void;
  /** Rejects every call. */
  fail(reason: unknown): void;
}

export function createCalls(): Calls {
  const open = new Set<Call>();
  const callOf = new Map<GenerationSequence, Call>();
  let waiting: GenerationSequence[] = [];
  /** Whether the queue may hold sequences of a settled call: a long queue is searched only then. */
  let stale = false;

  function settle(call: Call, how: () => void): void {
    if (call.over) return;
    call.over = true;
    open.delete(call);
    for (const s of call.sequences) callOf.delete(s);
    stale ||= call.finished < call.sequences.length;
    how();
  }

  return {
    open,
    add(call) {
      open.add(call);
      for (const s of call.sequences) {
        callOf.set(s, call);
        waiting.push(s);
      }
    },
    of: (sequence) => callOf.get(sequence),
    take: (n) => waiting.splice(0, n),
    settle,
    guard(call, body) {
      try {
        if (!call.over) body();
      } catch (error) {
        settle(call, () => call.reject(error));
      }
    },
    dropAborted() {
      for (const call of open) {
        const { signal } = call.hooks;
        if (signal?.aborted === true) settle(call, () => call.reject(signal.reason));
      }
    },
    dropSettled() {
      if (stale) waiting = waiting.filter((s) => callOf.has(s));
      stale = false;
    },
    fail(reason) {
      for (const call of open) settle(call, () => call.reject(reason));
      waiting.length = 0;
    },
  };
}
