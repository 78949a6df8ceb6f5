import type { Engine } from '@heed/tensor';
import type { Architecture } from '../model/decoder.js';
import { tableRow } from '../model/rope.js';
import { type KeyValueCache, allocateCache } from './cache.js';
import type { GenerationSequence } from './sequence.js';
import type { Sessions } from './sessions.js';

/** The sequences that are worked on, each in a slot of the cache. */
export interface Slots {
  /** The sequences by slot. They take the first slots, without a gap. */
  readonly live: readonly GenerationSequence[];
  /**
   * Puts sequences into the slots behind the live ones and fills these slots up to the prompts' last tokens. Returns the cache, with
   * room for the next step.
   */
  admit(fresh: readonly GenerationSequence[]): Promise<KeyValueCache>;
  /** Frees a slot; the last live sequence moves into the gap. */
  vacate(slot: number): Promise<void>;
  /** Empties all slots, whatever the cache holds. */
  clear(): void;
  /** Frees the cache; `admit` allocates another. */
  release(): Promise<void>;
}

/** How many positions a cache has beyond what is written, where texts may become longer than that: most end long before. */
export const AHEAD = 1024;

/** @param most Most slots of the cache. */
export function createSlots(engine: Engine, sessions: Sessions, architecture: Architecture, most: number): Slots {
  const live: GenerationSequence[] = [];
  let cache: KeyValueCache | undefined;

  /**
   * Returns a cache with room for these sequences, of which the first are live. A new cache also has room for what they may become;
   * one that must be copied grows only when it is full.
   */
  async function makeRoom(sequences: readonly GenerationSequence[]): Promise<KeyValueCache> {
    const now = Math.max(...sequences.map((s) => s.position)) + 1;
    const later = Math.max(...sequences.map((s) => Math.min(s.reach, s.position + 1 + AHEAD)));
    const held = cache;
    if (held !== undefined && held.slots >= sequences.length && held.length >= (live.length === 0 ? later : now)) return held;
    const length = Math.max(held?.length ?? 0, Math.min(architecture.context, 64 * Math.ceil(later / 64)));
    const slots = Math.max(held?.slots ?? 0, sequences.length);
    cache = undefined;
    if (live.length === 0 || held === undefined) {
      await held?.release();
      cache = await allocateCache(engine, architecture, slots, length);
      return cache;
    }
    // Twice as many slots, so that calls made one after the other cause few copies.
    const more = slots > held.slots ? Math.min(most, Math.max(slots, 2 * held.slots)) : slots;
    cache = await held.grow(more, length, live.map((s) => s.position));
    return cache;
  }

  /** Equal for sequences whose prompts are computed once for both. */
  const promptOf = (s: GenerationSequence): string => `${tableRow(s.reach, architecture)(0)} ${s.promptKey}`;

  /**
   * Computes prompts, one sequence for each, and notes their slots in `slotOf`. A prompt's last token is left to the first step, so that
   * samples of a prompt share all of the prefill.
   */
  async function prefill(held: KeyValueCache, leaders: readonly GenerationSequence[], slotOf: Map<string, number>): Promise<void> {
    for (const group of prefillGroups(leaders, (s) => s.prompt.length - 1)) {
      const first = live.length;
      live.push(...group);
      group.forEach((s, i) => slotOf.set(promptOf(s), first + i));
      if (group[0]!.prompt.length === 1) continue;
      await sessions.prefill(held, first, group.map((s) => ({ ids: s.prompt.slice(0, -1), reach: s.reach })));
    }
  }

  /** Copies the prompts of sequences from the slots that have them. */
  async function copyPrompts(
    held: KeyValueCache, sequences: readonly GenerationSequence[], slotOf: ReadonlyMap<string, number>,
  ): Promise<void> {
    const copies = new Map<number, number[]>();
    for (const s of sequences) {
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

/** Tokens that one prefill may have: matrix products of this many rows already run at full speed. */
const ROWS = 512;
/** How much padding a group may have, as a share of its tokens. */
const WASTE = 0.25;

/** Groups prompts of similar length, to be computed together. Short prompts gain from company; long prompts go alone. */
export function prefillGroups<T>(items: readonly T[], lengthOf: (item: T) => number): T[][] {
  const groups: T[][] = [];
  let real = 0;
  for (const item of [...items].sort((a, b) => lengthOf(a) - lengthOf(b))) {
    const group = groups.at(-1);
    const length = lengthOf(item);
    const padded = group === undefined ? Infinity : length * (group.length + 1);
    if (padded <= ROWS && padded <= (real + length) * (1 + WASTE)) {
      group!.push(item);
      real += length;
    } else {
      groups.push([item]);
      real = length;
    }
  }
  return groups;
}
