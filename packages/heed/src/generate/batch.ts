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
  /** Puts sequences behind those that wait; resolves with their completions, in this order. */
  submit(sequences: readonly GenerationSequence[], hooks: GenerationHooks): Promise<Completion[]>;
  release(): Promise<void>;
}

/**
 * Continuous batching (Yu et al. 2022): before each step the sequences that wait take the free slots, and after it the finished
 * ones leave.
 */
export function createBatch(engine: Engine, sessions: Sessions, architecture: Architecture, { batch, decode }: { readonly batch: number; readonly decode: (ids: readonly number[]) => string }): Batch {
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
        // The engine failed: whose sequence did it cannot be told, and the caches are not to be trusted.
        calls.fail(error);
        slots.clear();
      }
    }
    running = false;
  }

  /** Takes out what is finished or no longer wanted. */
  async function sweep(): Promise<void> {
    calls.dropSettled();
    for (let slot = live.length - 1; slot >= 0; slot--) {
      const sequence = live[slot]!;
      const call = calls.of(sequence);
      if (call !== undefined && sequence.finish === undefined) continue;
      if (call !== undefined) {
        call.finished++;
        calls.guard(call, () => call.hooks.onCompletion?.(completionOf(sequence, decode)));
      }
      await slots.vacate(slot);
    }
  }

  /** Every live sequence gets a token, every call that has one of them hears of it. */
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
      if (finished === sequences.length) calls.guard(call, () => calls.settle(call, () => call.resolve(sequences.map((s) => completionOf(s, decode)))));
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
