import type { Engine } from '@heed/tensor';
import type { Architecture } from '../model/decoder.js';
import { tableRow } from '../model/rope.js';
import { type KeyValueCache, allocateCache } from './cache.js';
import { prefillGroups } from './prefill.js';
import type { GenerationSequence } from './sequence.js';
import type { Sessions } from './sessions.js';

/** The sequences that are worked on, each in a slot of the cache. */
export interface Slots {
  /** Always the first slots, in this order. */
  readonly live: readonly GenerationSequence[];
  /** Puts sequences into the slots behind the live ones and fills these slots up to the prompts' last tokens. Returns the cache, with room for the next step. */
  admit(fresh: readonly GenerationSequence[]): Promise<KeyValueCache>;
  /** Frees a slot; the last live sequence moves into the gap. */
  vacate(slot: number): Promise<void>;
  /** Frees all slots without a look at the cache. */
  clear(): void;
  release(): Promise<void>;
}

/** A cache has room for a text's whole reach, but no more than this beyond what is written: most texts end long before a far reach. */
const AHEAD = 1024;

/** @param most Slots that there may be. */
export function createSlots(engine: Engine, sessions: Sessions, architecture: Architecture, most: number): Slots {
  const live: GenerationSequence[] = [];
  let cache: KeyValueCache | undefined;

  /** Room for these sequences, of which the first are live: as they are now, and as they may become where nothing need be moved. */
  async function makeRoom(sequences: readonly GenerationSequence[]): Promise<KeyValueCache> {
    const now = Math.max(...sequences.map((s) => s.position)) + 1;
    const later = Math.max(...sequences.map((s) => Math.min(s.reach, s.position + 1 + AHEAD)));
    const held = cache;
    if (held !== undefined && held.slots >= sequences.length && held.length >= (live.length === 0 ? later : now)) return held;
    const length = Math.max(held?.length ?? 0, Math.min(architecture.context, 64 * Math.ceil(later / 64)));
    const slots = Math.max(held?.slots ?? 0, sequences.length);
    cache = undefined;
    if (live.length > 0) {
      // Twice as many slots, so that callers who come one after the other make few copies.
      return (cache = await held!.grow(slots > held!.slots ? Math.min(most, Math.max(slots, 2 * held!.slots)) : slots, length, live.map((s) => s.position)));
    }
    await held?.release();
    return (cache = await allocateCache(engine, architecture, slots, length));
  }

  /** Texts that share the computation of their prompt. */
  const promptOf = (s: GenerationSequence): string => `${tableRow(s.reach, architecture)(0)} ${s.promptKey}`;

  /** Computes prompts, one sequence for each; `slotOf` learns where they are. The prompt's last token is the first step's input, so that samples share all of the prefill. */
  async function prefill(held: KeyValueCache, leaders: readonly GenerationSequence[], slotOf: Map<string, number>): Promise<void> {
    for (const group of prefillGroups(leaders, (s) => s.prompt.length - 1)) {
      const first = live.length;
      live.push(...group);
      group.forEach((s, i) => slotOf.set(promptOf(s), first + i));
      if (group[0]!.prompt.length > 1) await sessions.prefill(held, first, group.map((s) => ({ ids: s.prompt.slice(0, -1), reach: s.reach })));
    }
  }

  /** Copies prompts from the slots that have them. */
  async function copyPrompts(held: KeyValueCache, followers: readonly GenerationSequence[], slotOf: ReadonlyMap<string, number>): Promise<void> {
    const copies = new Map<number, number[]>();
    for (const s of followers) {
      const source = slotOf.get(promptOf(s))!;
      copies.set(source, [...(copies.get(source) ?? []), live.push(s) - 1]);
    }
    for (const [source, targets] of copies) await held.copy(source, targets, live[source]!.prompt.length - 1);
  }

  return {
    live,
    async admit(fresh) {
      const held = await makeRoom([...live, ...fresh]);
      if (fresh.length === 0) return held;
      const slotOf = new Map(live.map((s, slot) => [promptOf(s), slot]));
      const leaders = new Set(new Map(fresh.filter((s) => !slotOf.has(promptOf(s))).map((s) => [promptOf(s), s])).values());
      await prefill(held, [...leaders], slotOf);
      await copyPrompts(held, fresh.filter((s) => !leaders.has(s)), slotOf);
      return held;
    },
    async vacate(slot) {
      const end = live.pop()!;
      if (slot === live.length) return;
      live[slot] = end;
      await cache!.copy(live.length, [slot], end.position);
    },
    clear() {
      live.length = 0;
    },
    async release() {
      await cache?.release();
      cache = undefined;
    },
  };
}
