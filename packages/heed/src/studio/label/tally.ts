/** Counts of what people said of a set. They are made once, and kept up: reading 100,000 labels for every look would take seconds. */
import { setImmediate, setTimeout } from 'node:timers/promises';

import { type AnnotatedItem, annotatedAt, annotatedParts } from '../../feedback/annotation-rows.js';
import type { AnnotationStore } from '../../feedback/annotations.js';
import type { LabelSetLine } from '../api.js';
import { type Counted, type ItemCounts, countsOf } from './counted.js';

/** The counts of a set. */
export interface Tally {
  /** How often each thing was counted, in an order that follows from the things alone. */
  all(): readonly (readonly [Counted, number])[];
  /** Places where people differ, those that differ most first. */
  apart(): readonly number[];
}

/** How many items of a set were counted so far. */
export interface Counting { readonly done: number; readonly of: number }

interface Kept {
  readonly tally: Tally;
  /** Items that were counted at first. */
  done: number;
  /** Ends when the tally is as the store was when it was asked. */
  now(): Promise<void>;
}

/** Items that are read at once. */
const PART = 200;
const tallies = new WeakMap<AnnotationStore, Map<string, Kept>>();

/**
 * The counts as the store has them now; or how far counting has come, where it takes longer than that.
 *
 * @param patience Milliseconds; 0: not at all. Default: until it is done.
 */
export async function tallyOf(store: AnnotationStore, set: LabelSetLine, patience = Infinity): Promise<Tally | Counting> {
  const sets = tallies.get(store) ?? new Map<string, Kept>();
  tallies.set(store, sets);
  const kept = sets.get(set.id) ?? keep(store, set);
  sets.set(set.id, kept);
  const ready = kept.now().then(() => true, (error: unknown) => {
    // The next one who asks counts anew.
    sets.delete(set.id);
    throw error;
  });
  const inTime = await (patience === Infinity ? ready : Promise.race([ready, patience > 0 ? setTimeout(patience, false) : false]));
  return inTime ? kept.tally : { done: kept.done, of: set.items };
}

function keep(store: AnnotationStore, set: LabelSetLine): Kept {
  const items = new Map<number, { readonly keys: readonly string[]; readonly apart: number }>();
  const counts = new Map<string, number>();
  const differing = new Map<number, number>();
  let newest: number | undefined;

  function put(place: number, { counted, apart }: ItemCounts): void {
    const keys = counted.map((one) => JSON.stringify(one));
    for (const key of items.get(place)?.keys ?? []) change(key, -1);
    for (const key of keys) change(key, 1);
    if (keys.length === 0) items.delete(place);
    else items.set(place, { keys, apart });
    if (apart > 0) differing.set(place, apart);
    else differing.delete(place);
  }
  function change(key: string, by: number): void {
    const n = (counts.get(key) ?? 0) + by;
    if (n === 0) counts.delete(key);
    else counts.set(key, n);
  }
  const putAll = (all: readonly AnnotatedItem[]): void => { for (const one of all) put(one.item.place, countsOf(one)); };

  async function countAll(): Promise<void> {
    const before = await store.newest();
    for await (const { done, items: part } of annotatedParts(store, set)) {
      putAll(part);
      kept.done = done;
    }
    newest = before;
  }

  async function catchUp(): Promise<void> {
    if (newest === undefined) await countAll();
    const now = await store.newest();
    if (now === newest) return;
    const places = await store.changedAfter(set.id, newest!);
    for (let at = 0; at < places.length; at += PART) {
      if (at > 0) await setImmediate();
      const part = places.slice(at, at + PART);
      const there = await annotatedAt(store, set, part);
      const said = new Set(there.map(({ item: { place } }) => place));
      // Of these everything was taken back.
      for (const place of part) if (!said.has(place)) put(place, { counted: [], apart: 0 });
      putAll(there);
    }
    newest = now;
  }

  let tail = Promise.resolve();
  const kept: Kept = {
    done: 0,
    now: () => (tail = tail.then(catchUp)),
    tally: {
      all: () => [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, n]) => [JSON.parse(key) as Counted, n]),
      apart: () => [...differing].sort(([p, a], [q, b]) => b - a || p - q).map(([place]) => place),
    },
  };
  return kept;
}
