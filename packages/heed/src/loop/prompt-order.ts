import { createRandom } from '../run/random.js';

/**
 * The prompts of round `k` (from 1), `each` of them: shuffled passes over all prompts, one after another, so that every prompt comes up
 * equally often. Where `each` is the number of prompts or more, every round takes all of them in the given order.
 */
export function promptsOf<T>(prompts: readonly T[], k: number, each: number, seed: number): readonly T[] {
  const n = prompts.length;
  if (each >= n) return prompts;
  const passes = new Map<number, readonly T[]>();
  const pass = (epoch: number): readonly T[] => {
    if (!passes.has(epoch)) passes.set(epoch, createRandom('prompts', seed, epoch).shuffle(prompts));
    return passes.get(epoch)!;
  };
  return Array.from({ length: each }, (_, i) => {
    const at = (k - 1) * each + i;
    return pass(Math.floor(at / n))[at % n]!;
  });
}
