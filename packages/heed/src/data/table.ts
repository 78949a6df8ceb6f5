import { quantileSorted } from 'simple-statistics';

/** Counts of rows, or of parts of rows, by name. */
export interface Table {
  readonly title: string;
  readonly lines: readonly { readonly name: string; readonly rows: number }[];
}

/** How many lines a tally has before the rest is one line. */
const SHOWN = 20;
const BINS = 10;

/** Counts equal values: numbers in their order, words the most frequent first. */
export function tallied(title: string, values: readonly (string | number)[]): Table {
  const counts = new Map<string | number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const sorted = [...counts].sort(([a, m], [b, n]) => {
    if (typeof a === 'number' && typeof b === 'number') return a - b;
    return n - m || (String(a) < String(b) ? -1 : 1);
  });
  const lines = sorted.slice(0, SHOWN).map(([value, rows]) => ({ name: String(value), rows }));
  const rest = sorted.slice(SHOWN);
  if (rest.length > 0) lines.push({ name: `${rest.length} others`, rows: rest.reduce((sum, [, rows]) => sum + rows, 0) });
  return { title, lines };
}

/** Counts numbers in ten ranges of equal width over their range, or the one given; few different numbers are counted singly. */
export function histogram(title: string, values: readonly number[], range?: { readonly from: number; readonly to: number }): Table {
  if (new Set(values).size <= BINS) return tallied(title, values);
  const from = range?.from ?? least(values);
  const to = range?.to ?? most(values);
  const rows = Array<number>(BINS).fill(0);
  for (const value of values) {
    // Half of each end before it is subtracted: the range of finite numbers may be infinite.
    const place = (value / 2 - from / 2) / (to / 2 - from / 2);
    const bin = Math.min(BINS - 1, Math.floor(place * BINS));
    rows[bin] = (rows[bin] ?? 0) + 1;
  }
  const edge = (i: number): string => short(from * (1 - i / BINS) + to * (i / BINS));
  return { title, lines: rows.map((count, i) => ({ name: `${edge(i)} … ${edge(i + 1)}`, rows: count })) };
}

/** "min 0, median 0.5, max 1". */
export function summary(values: readonly number[]): string {
  if (values.length === 0) return 'none';
  const sorted = [...values].sort((a, b) => a - b);
  return `min ${short(sorted[0] ?? 0)}, median ${short(quantileSorted(sorted, 0.5))}, max ${short(sorted.at(-1) ?? 0)}`;
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function least(values: readonly number[]): number {
  return values.reduce((a, b) => Math.min(a, b), Infinity);
}

function most(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b), -Infinity);
}
