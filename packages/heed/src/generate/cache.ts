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
  /** A larger cache with the first `positions[i]` of each slot i; this one is released. */
  grow(slots: number, length: number, positions: readonly number[]): Promise<KeyValueCache>;
  /** The first positions of one slot: a view for every layer and head, keys and values. */
  rows(slot: number, positions: number): View[];
  release(): Promise<void>;
}

export async function allocateCache(engine: Engine, architecture: Architecture, slots: number, length: number): Promise<KeyValueCache> {
  const { layers, keyHeads, headSize } = architecture;
  const head = length * headSize;
  const slot = keyHeads * head;
  const buffer = await engine.allocate('float32', 2 * layers * slots * slot);
  // Slots of one layer lie side by side, so that the live ones are a prefix: a batch of another size needs no copy.
  const start = (part: number, index: number): number => (part * slots + index) * slot;
  const rows = (at: number, positions: number): View[] =>
    Array.from({ length: 2 * layers * keyHeads }, (_, i) =>
      view(buffer, [positions * headSize], start(Math.floor(i / keyHeads), at) + (i % keyHeads) * head));
  const move = async (moves: readonly { readonly from: View; readonly to: View }[]): Promise<void> => {
    if (moves.length > 0) await engine.copy(moves);
  };
  return {
    slots,
    length,
    rows,
    at(first, count) {
      const feeds: Record<string, View> = {};
      const into: Record<string, View> = {};
      for (let layer = 0; layer < layers; layer++) for (const [part, name] of ['Key', 'Value'].entries()) {
        const own = view(buffer, [count, keyHeads, length, headSize], start(2 * layer + part, first));
        feeds[`past${name}${layer}`] = own;
        into[`present${name}${layer}`] = own;
      }
      return { feeds, into };
    },
    async copy(from, to, positions) {
      if (positions === 0) return;
      const source = rows(from, positions);
      await move(to.flatMap((target) => rows(target, positions).map((view, i) => ({ from: source[i]!, to: view }))));
    },
    async grow(moreSlots, longer, positions) {
      const next = await allocateCache(engine, architecture, moreSlots, longer);
      await move(positions.flatMap((count, slot) => {
        if (count === 0) return [];
        const to = next.rows(slot, count);
        return rows(slot, count).map((from, i) => ({ from, to: to[i]! }));
      }));
      await engine.free(buffer);
      return next;
    },
    release: () => engine.free(buffer),
  };
}
