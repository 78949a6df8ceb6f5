import type { Engine } from '@heed/tensor';
import type { Architecture } from '../model/decoder.js';
import type { KeyValueCache } from './cache.js';
import { type Call, createCalls } from './calls.js';
import { nextTokens } from './next.js';
import type { Completion, GenerationHooks } from './request.js';
import { type GenerationSequence, completionOf } from './sequence.js';
import type { Sessions } from './sessions.js';
import { createSlots } from './slots.js';

/** The sequences that are worked on together. */
export interface Batch {
  /** Puts sequences at the end of the queue; resolves with their completions, in this order. */
  submit(sequences: readonly GenerationSequence[], hooks: GenerationHooks): Promise<Completion[]>;
  /** Frees the cache of keys and values; the next `submit` allocates another. */
  release(): Promise<void>;
}

/**
 * Continuous batching (Yu et al. 2022): before each step waiting sequences take the free slots, and after each step finished
 * sequences leave theirs.
 *
 * @param batch Most sequences at a time.
 */
export function createBatch(engine: Engine, sessions: Sessions, architecture: Architecture, batch: number): Batch {
  const calls = createCalls();
  const slots = createSlots(engine, sessions, architecture, batch);
  const { live } = slots;
  let running = false;

  async function run(): Promise<void> {
    while (calls.open.size > 0 || live.length > 0) {
      try {
        calls.dropAborted();
        await sweep();
        if (calls.open.size > 0) await step(await slots.admit(calls.take(batch - live.length)));
      } catch (error) {
        // The engine failed. Nobody can tell which sequence caused it, and the cache may hold anything: every call fails.
        calls.fail(error);
        slots.clear();
      }
    }
    running = false;
  }

  /** Removes the sequences that are finished, and those whose call is settled. */
  async function sweep(): Promise<void> {
    calls.dropSettled();
    for (let slot = live.length - 1; slot >= 0; slot--) {
      const sequence = live[slot]!;
      const call = calls.of(sequence);
      if (call !== undefined && sequence.finish === undefined) continue;
      if (call !== undefined) {
        call.finished++;
        calls.guard(call, () => call.hooks.onCompletion?.(completionOf(sequence)));
      }
      await slots.vacate(slot);
    }
  }

  /** Appends a token to every live sequence and tells each call of its own. */
  async function step(cache: KeyValueCache): Promise<void> {
    const chosen = await nextTokens(sessions, cache, live);
    const stepped = new Set<Call>();
    chosen.forEach((token, slot) => {
      const call = calls.of(live[slot]!);
      if (call === undefined) return;
      stepped.add(call);
      call.tokens++;
      calls.guard(call, () => live[slot]!.push(token));
    });
    await sweep();
    for (const call of stepped) {
      const { hooks: { onProgress }, sequences, tokens, finished } = call;
      calls.guard(call, () => onProgress?.({ tokens, finished, total: sequences.length }));
      if (finished < sequences.length) continue;
      calls.guard(call, () => calls.settle(call, () => call.resolve(sequences.map((s) => completionOf(s)))));
    }
  }

  return {
    submit: (sequences, hooks) =>
      new Promise((resolve, reject) => {
        calls.add({ sequences, hooks, tokens: 0, finished: 0, over: false, resolve, reject });
        if (running) return;
        running = true;
        void run();
      }),
    release: () => slots.release(),
  };
}
