import type { Engine } from '@heed/tensor';
import type { Architecture } from '../model/decoder.js';
import { tableRow } from '../model/rope.js';
import { type KeyValueCache, allocateCache } from './cache.js';
import { nextTokens } from './next.js';
import { prefillGroups } from './prefill.js';
import type { Completion, GenerationHooks } from './request.js';
import { type Sequence, completionOf } from './sequence.js';
import type { Sessions } from './sessions.js';

/** The sequences that are worked on together. */
export interface Batch {
  /** Puts sequences behind those that wait; resolves with their completions, in this order. */
  submit(sequences: readonly Sequence[], hooks: GenerationHooks): Promise<Completion[]>;
  release(): Promise<void>;
}

/** Everything asked for at once, which succeeds or fails as one. */
interface Call {
  readonly sequences: readonly Sequence[];
  readonly hooks: GenerationHooks;
  tokens: number;
  finished: number;
  /** Settled: what is left of its sequences is dropped. */
  over: boolean;
  resolve(completions: Completion[]): void;
  reject(reason: unknown): void;
}

/** A cache has room for a text's whole reach, but no more than this beyond what is written: most texts end long before a far reach. */
const AHEAD = 1024;

/**
 * Continuous batching (Yu et al. 2022): before each step the sequences that wait take the free slots, and after it the finished
 * ones leave. Live sequences are always the first slots, in `live`'s order.
 */
export function createBatch(engine: Engine, sessions: Sessions, architecture: Architecture, { batch, decode }: { readonly batch: number; readonly decode: (ids: readonly number[]) => string }): Batch {
  const live: Sequence[] = [];
  let waiting: Sequence[] = [];
  const calls = new Set<Call>();
  const callOf = new Map<Sequence, Call>();
  let cache: KeyValueCache | undefined;
  let running = false;
  /** Whether sequences of a settled call may be among the waiting, of which there can be very many. */
  let stale = false;

  const settle = (call: Call, how: () => void): void => {
    if (call.over) return;
    call.over = true;
    calls.delete(call);
    for (const s of call.sequences) callOf.delete(s);
    stale ||= call.finished < call.sequences.length;
    how();
  };
  /** Runs what a caller gave us: where it throws, its own call fails and no other. */
  const guard = (call: Call, body: () => void): void => {
    try {
      if (!call.over) body();
    } catch (error) {
      settle(call, () => call.reject(error));
    }
  };

  /** Room for these sequences, of which the first are live: as they are now, and as they may become where nothing need be moved. */
  async function makeRoom(sequences: readonly Sequence[]): Promise<KeyValueCache> {
    const now = Math.max(...sequences.map((s) => s.position)) + 1;
    const later = Math.max(...sequences.map((s) => Math.min(s.reach, s.position + 1 + AHEAD)));
    const held = cache;
    if (held !== undefined && held.slots >= sequences.length && held.length >= (live.length === 0 ? later : now)) return held;
    const length = Math.max(held?.length ?? 0, Math.min(architecture.context, 64 * Math.ceil(later / 64)));
    const slots = Math.max(held?.slots ?? 0, sequences.length);
    cache = undefined;
    if (live.length > 0) {
      // Twice as many slots, so that callers who come one after the other make few copies.
      return (cache = await held!.grow(slots > held!.slots ? Math.min(batch, Math.max(slots, 2 * held!.slots)) : slots, length, live.map((s) => s.position)));
    }
    await held?.release();
    return (cache = await allocateCache(engine, architecture, slots, length));
  }

  /** Texts that share the computation of their prompt. */
  const promptOf = (s: Sequence): string => `${tableRow(s.reach, architecture)(0)} ${s.promptKey}`;

  /** Puts waiting sequences into the slots behind the live ones and fills their caches. */
  async function admit(): Promise<KeyValueCache> {
    const fresh = waiting.splice(0, batch - live.length);
    const held = await makeRoom([...live, ...fresh]);
    const sources = new Map(live.map((s, slot) => [promptOf(s), slot]));
    const leaders = [...new Map(fresh.filter((s) => !sources.has(promptOf(s))).map((s) => [promptOf(s), s])).values()];
    const led = new Set(leaders);
    // The prompt's last token is the first step's input, so that samples share all of the prefill.
    for (const group of prefillGroups(leaders, (s) => s.prompt.length - 1)) {
      const first = live.length;
      live.push(...group);
      group.forEach((s, i) => sources.set(promptOf(s), first + i));
      if (group[0]!.prompt.length > 1) await sessions.prefill(held, first, group.map((s) => ({ ids: s.prompt.slice(0, -1), reach: s.reach })));
    }
    const copies = new Map<number, number[]>();
    for (const s of fresh) {
      if (led.has(s)) continue;
      const source = sources.get(promptOf(s))!;
      copies.set(source, [...(copies.get(source) ?? []), live.push(s) - 1]);
    }
    for (const [source, targets] of copies) await held.copy(source, targets, live[source]!.prompt.length - 1);
    return held;
  }

  /** Takes out what is finished or no longer wanted; the last live sequence moves into the gap. */
  async function sweep(): Promise<void> {
    if (stale) waiting = waiting.filter((s) => callOf.has(s));
    stale = false;
    for (let slot = live.length - 1; slot >= 0; slot--) {
      const sequence = live[slot]!;
      const call = callOf.get(sequence);
      if (call !== undefined && sequence.finish === undefined) continue;
      if (call !== undefined) {
        call.finished++;
        guard(call, () => call.hooks.onCompletion?.(completionOf(sequence, decode)));
      }
      const end = live.pop()!;
      if (slot === live.length) continue;
      live[slot] = end;
      await cache!.copy(live.length, [slot], end.position);
    }
  }

  function dropAborted(): void {
    for (const call of calls) {
      const { signal } = call.hooks;
      if (signal?.aborted === true) settle(call, () => call.reject(signal.reason));
    }
  }

  async function step(held: KeyValueCache): Promise<void> {
    const chosen = await nextTokens(sessions, held, live);
    const stepped = new Set<Call>();
    chosen.forEach((token, slot) => {
      const call = callOf.get(live[slot]!);
      if (call === undefined) return;
      stepped.add(call);
      call.tokens++;
      guard(call, () => live[slot]!.push(token));
    });
    await sweep();
    for (const call of stepped) {
      const { hooks: { onProgress }, sequences, tokens, finished } = call;
      guard(call, () => onProgress?.({ tokens, finished, total: sequences.length }));
      if (finished === sequences.length) guard(call, () => settle(call, () => call.resolve(sequences.map((s) => completionOf(s, decode)))));
    }
  }

  async function run(): Promise<void> {
    while (calls.size > 0 || live.length > 0) {
      try {
        dropAborted();
        await sweep();
        if (calls.size > 0) await step(await admit());
      } catch (error) {
        // The engine failed: whose sequence did it cannot be told, and the caches are not to be trusted.
        for (const call of calls) settle(call, () => call.reject(error));
        live.length = 0;
        waiting.length = 0;
      }
    }
    running = false;
  }

  return {
    submit: (sequences, hooks) =>
      new Promise((resolve, reject) => {
        const call: Call = { sequences, hooks, tokens: 0, finished: 0, over: false, resolve, reject };
        calls.add(call);
        for (const s of sequences) {
          callOf.set(s, call);
          waiting.push(s);
        }
        if (running) return;
        running = true;
        void run();
      }),
    async release() {
      await cache?.release();
      cache = undefined;
    },
  };
}
