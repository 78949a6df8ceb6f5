import { type Engine, type View, view } from '@heed/tensor';
import type { Architecture } from '../model/decoder.js';

/** Keys and values of up to `slots` sequences of up to `length` positions, in engine memory. */
export interface KeyValueCache {
  readonly slots: number;
  readonly length: number;
  /** The same memory as feeds `past…` and as outputs `present…`, of `count` slots from `first` on. */
  at(first: number, count: number): { readonly feeds: Readonly<Record<string, View>>; readonly into: Readonly<Record<string, View>> };
  /** Copies the first `positions` of one slot to others. */
  copy(from: number, to: readonly number[], positions: number): Promise<void>;
  release(): Promise<void>;
}

export async function allocateCache(engine: Engine, { layers, keyHeads, headSize }: Architecture, slots: number, length: number): Promise<KeyValueCache> {
  const head = length * headSize;
  const slot = keyHeads * head;
  const buffer = await engine.allocate('float32', 2 * layers * slots * slot);
  // Slots of one layer lie side by side, so that the live ones are a prefix: a batch of another size needs no copy.
  const start = (part: number, index: number): number => (part * slots + index) * slot;
  return {
    slots,
    length,
    at(first, count) {
      const feeds: Record<string, View> = {};
      const into: Record<string, View> = {};
      for (let layer = 0; layer < layers; layer++) for (const [part, name] of ['Key', 'Value'].entries()) {
        feeds[`past${name}${layer}`] = into[`present${name}${layer}`] = view(buffer, [count, keyHeads, length, headSize], start(2 * layer + part, first));
      }
      return { feeds, into };
    },
    async copy(from, to, positions) {
      const size = [positions * headSize];
      const moves = to.flatMap((target) =>
        Array.from({ length: 2 * layers * keyHeads }, (_, i) => {
          const part = Math.floor(i / keyHeads);
          const offset = (i % keyHeads) * head;
          return { from: view(buffer, size, start(part, from) + offset), to: view(buffer, size, start(part, target) + offset) };
        }),
      );
      if (positions > 0 && moves.length > 0) await engine.copy(moves);
    },
    release: () => engine.free(buffer),
  };
}
