import type { Feed } from '@heed/tensor';
import type { BoundMethod } from '../method/method.js';
import { type Layout, lastRows, layOut } from '../model/layout.js';
import type { TokenSequence } from '../text/token-sequence.js';
import type { Item } from './item.js';
import { type Tables, makeTables } from './tables.js';

/** A sequence in a micro-batch, and the item that it belongs to. */
export interface Owner {
  readonly item: number;
  readonly name: string;
  /** Its place in a list; 0 where the name stands for one sequence. */
  readonly place: number;
  readonly sequence: TokenSequence;
}

/** Rows that go through the model together: their layout, and the tables that sort the model's results by the names of sequences. */
export interface MicroBatch {
  readonly items: readonly Item[];
  readonly layout: Layout;
  readonly tables: Tables;
  readonly feeds: Readonly<Record<string, Feed>>;
  /** Supervised response tokens. */
  readonly supervised: number;
  /** The sequences in the order of the layout. */
  readonly owners: readonly Owner[];
}

/** Lays out the sequences with these names. Default: those that the method sends a gradient through. */
export function makeMicroBatch(
  method: BoundMethod,
  items: readonly Item[],
  { share = true, names = method.names.filter((n) => !method.detached.has(n)) }: { share?: boolean; names?: readonly string[] } = {},
): MicroBatch {
  const owners = items.flatMap((item, i) =>
    names.flatMap((name) => (item.sequences[name] ?? []).map((sequence, place): Owner => ({ item: i, name, place, sequence }))),
  );
  const layout = layOut(owners.map((o) => o.sequence), { share });
  const tables = makeTables(method, items);
  return {
    items, layout, tables, owners, supervised: layout.labels.length,
    feeds: { ...tables.feeds, ...lastRowFeeds(owners, layout), ...pickFeeds(method, names, owners, layout, tables) },
  };
}

/** Tables that lead from supervised tokens and sequences of the layout to the slots of each name, and back. */
function pickFeeds(
  method: BoundMethod,
  names: readonly string[],
  owners: readonly Owner[],
  layout: Layout,
  { items, slots, places }: Tables,
): Record<string, Feed> {
  const n = layout.labels.length;
  const feeds: Record<string, Feed> = {};
  for (const name of names) {
    const width = method.lists.has(name) ? places : 1;
    const shape = method.lists.has(name) ? [items.length, places] : [items.length];
    const sequences = items.length * width;
    const pick = new Int32Array(sequences * slots);
    const picked = new Int32Array(n).fill(sequences * slots);
    const sequence = new Int32Array(sequences);
    const sequenceAt = new Int32Array(owners.length).fill(sequences);
    owners.forEach((owner, s) => {
      if (owner.name !== name) return;
      const at = owner.item * width + owner.place;
      sequence[at] = s;
      sequenceAt[s] = at;
      let slot = at * slots;
      for (const label of layout.labelOf[s]!) {
        if (label < 0) continue;
        pick[slot] = label;
        picked[label] = slot++;
      }
    });
    feeds[`pick:${name}`] = { data: pick, shape: [...shape, slots] };
    feeds[`picked:${name}`] = { data: picked, shape: [n] };
    feeds[`sequence:${name}`] = { data: sequence, shape };
    feeds[`sequenceAt:${name}`] = { data: sequenceAt, shape: [owners.length] };
  }
  return feeds;
}

/** Tables that lead from the layout to the rows that a head reads, and back. */
function lastRowFeeds(owners: readonly Owner[], layout: Layout): Record<string, Feed> {
  const last = lastRows(owners.map((o) => o.sequence));
  const lastAt = new Int32Array(layout.responseRows).fill(owners.length);
  last.forEach((row, s) => (lastAt[row] = s));
  return { lastFrom: { data: last, shape: [last.length] }, lastAt: { data: lastAt, shape: [lastAt.length] } };
}
