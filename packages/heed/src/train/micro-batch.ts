import type { Feed } from '@heed/tensor';
import type { BoundMethod, Sequence } from '../method/method.js';
import { type Layout, layOut } from '../model/layout.js';

/** A row made ready: its named sequences in tokens, and its columns of numbers. */
export interface Item {
  /** Its place in the data, which keys everything random about it. */
  readonly index: number;
  /** For messages: where the row came from. */
  readonly where: string;
  readonly sequences: Partial<Record<string, Sequence>>;
  readonly columns: Readonly<Record<string, number>>;
}

/** Rows that go through the model together: how they lie, and the tables that sort their log-probabilities by name. */
export interface MicroBatch {
  readonly items: readonly Item[];
  readonly layout: Layout;
  readonly feeds: Record<string, Feed>;
  /** Supervised response tokens. */
  readonly supervised: number;
  /** For each named sequence of each row: its tokens in the order of the table's row. */
  readonly owners: readonly { readonly item: number; readonly name: string; readonly sequence: Sequence }[];
}

export function makeMicroBatch(method: BoundMethod, items: readonly Item[], { share = true }: { share?: boolean } = {}): MicroBatch {
  const owners = items.flatMap((item, i) =>
    method.names.flatMap((name) => (item.sequences[name] === undefined ? [] : [{ item: i, name, sequence: item.sequences[name] }])),
  );
  const layout = layOut(owners.map((o) => o.sequence), { share });
  const n = layout.labels.length;
  const feeds: Record<string, Feed> = { one: { data: new Float32Array(items.length).fill(1), shape: [items.length] } };
  const slots = Math.max(...layout.labelOf.map((l) => l.filter((i) => i >= 0).length));
  for (const name of method.names) {
    const places = owners.flatMap((o, s) => (o.name === name ? [{ row: o.item, labels: layout.labelOf[s]!.filter((l) => l >= 0) }] : []));
    const pick = new Int32Array(items.length * slots);
    const mask = new Float32Array(items.length * slots);
    const picked = new Int32Array(n).fill(items.length * slots);
    for (const { row, labels } of places) {
      labels.forEach((label, t) => {
        pick[row * slots + t] = label;
        mask[row * slots + t] = 1;
        picked[label] = row * slots + t;
      });
    }
    const shape = [items.length, slots];
    feeds[`pick:${name}`] = { data: pick, shape };
    feeds[`mask:${name}`] = { data: mask, shape };
    feeds[`picked:${name}`] = { data: picked, shape: [n] };
  }
  for (const name of method.columns) {
    feeds[`column:${name}`] = { data: Float32Array.from(items, (item) => item.columns[name]!), shape: [items.length] };
  }
  return { items, layout, feeds, supervised: n, owners };
}
