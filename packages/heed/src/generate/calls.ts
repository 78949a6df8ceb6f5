import type { Completion, GenerationHooks } from './request.js';
import type { GenerationSequence } from './sequence.js';

/** Everything asked for at once, which succeeds or fails as one. */
export interface Call {
  readonly sequences: readonly GenerationSequence[];
  readonly hooks: GenerationHooks;
  tokens: number;
  finished: number;
  /** Settled: what is left of its sequences is dropped. */
  over: boolean;
  resolve(completions: Completion[]): void;
  reject(reason: unknown): void;
}

/** The calls that are not settled, and which of their sequences wait. */
export interface Calls {
  readonly open: ReadonlySet<Call>;
  /** Puts a call's sequences behind those that wait. */
  add(call: Call): void;
  /** Whose sequence this is; undefined once that call is settled. */
  of(sequence: GenerationSequence): Call | undefined;
  /** The next `n` sequences that wait, or as many as there are. */
  take(n: number): GenerationSequence[];
  /** Ends a call by `how`, which resolves or rejects it. A call is settled once; later tries do nothing. */
  settle(call: Call, how: () => void): void;
  /** Runs what a caller gave us: where it throws, its own call fails and no other. */
  guard(call: Call, body: () => void): void;
  /** Rejects the calls whose signal is aborted. */
  dropAborted(): void;
  /** Lets go of waiting sequences whose call is settled. */
  dropSettled(): void;
  /** Rejects every call. */
  fail(reason: unknown): void;
}

export function createCalls(): Calls {
  const open = new Set<Call>();
  const callOf = new Map<GenerationSequence, Call>();
  let waiting: GenerationSequence[] = [];
  /** Whether sequences of a settled call may be among the waiting, of which there can be very many. */
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
