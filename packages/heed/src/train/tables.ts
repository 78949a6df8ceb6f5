import type { Feed } from '@heed/tensor';
import type { BoundMethod } from '../method/method.js';
import type { TokenSequence } from '../text/token-sequence.js';
import { type Item, supervisedOf } from './item.js';

/**
 * Rows side by side as a loss sees them: B rows of T slots for tokens, and K places for lists. One width for all names, so that a
 * loss can set them side by side.
 */
export interface Tables {
  readonly items: readonly Item[];
  readonly slots: number; // T
  readonly places: number; // K
  /** `one`, `mask:<name>` and `column:<name>` of every name and column; `tokens:<column>` and `marked:<name>` where there are such. */
  readonly feeds: Readonly<Record<string, Feed>>;
}

/** Numbers for one sequence's supervised tokens. */
export type TokenValues = ArrayLike<number>;

export function makeTables(method: BoundMethod, items: readonly Item[]): Tables {
  const sequences = items.flatMap((item) => Object.values(item.sequences).flat());
  const slots = Math.max(1, ...sequences.map((s) => supervisedOf(s)));
  const places = Math.max(1, ...items.flatMap((item) => [...method.lists].map((name) => item.sequences[name]?.length ?? 0)));
  const size = { items, slots, places, feeds: {} };
  const feeds: Record<string, Feed> = { one: { data: new Float32Array(items.length).fill(1), shape: [items.length] } };
  for (const name of method.names) {
    feeds[`mask:${name}`] = tokenTable(method, size, name, (item, k) => new Float32Array(supervisedOf(item.sequences[name]![k]!)).fill(1));
  }
  for (const name of method.marks) {
    feeds[`marked:${name}`] = tokenTable(method, size, name, (item, k) => marksOf(item.sequences[name]![k]!));
  }
  for (const name of method.columns) feeds[`column:${name}`] = columnTable(method, size, name);
  for (const [column, name] of Object.entries(method.tokenColumns))
    feeds[`tokens:${column}`] = tokenColumnTable(method, size, column, name);
  return { ...size, feeds };
}

/** 1 for each supervised token that is marked, else 0. */
const marksOf = ({ response, supervised, marked }: TokenSequence): number[] =>
  response.flatMap((_, t) => (supervised?.[t] === false ? [] : [marked?.[t] === true ? 1 : 0]));

/** [B, T] or [B, K, T] of numbers for each token of a name, 0 where there is none. */
export function tokenTable(
  method: BoundMethod,
  { items, slots, places }: Tables,
  name: string,
  values: (item: Item, k: number) => TokenValues,
): Feed {
  const width = method.lists.has(name) ? places : 1;
  const data = new Float32Array(items.length * width * slots);
  items.forEach((item, row) => {
    item.sequences[name]?.forEach((_, k) => data.set(values(item, k), (row * width + k) * slots));
  });
  return { data, shape: method.lists.has(name) ? [items.length, places, slots] : [items.length, slots] };
}

/** [B (, K) (, size)] of `size` numbers for each sequence of a name, 0 where there is none. */
export function sequenceTable(
  method: BoundMethod,
  { items, places }: Tables,
  name: string,
  size: number,
  values: (item: Item, k: number) => ArrayLike<number>,
): Feed {
  const width = method.lists.has(name) ? places : 1;
  const data = new Float32Array(items.length * width * size);
  items.forEach((item, row) => {
    item.sequences[name]?.forEach((_, k) => data.set(values(item, k), (row * width + k) * size));
  });
  return { data, shape: [items.length, ...(method.lists.has(name) ? [places] : []), ...(size === 1 ? [] : [size])] };
}

function columnTable(method: BoundMethod, { items, places }: Tables, name: string): Feed {
  const list = method.listColumns.has(name);
  const width = list ? places : 1;
  const data = new Float32Array(items.length * width);
  items.forEach((item, row) => {
    const value = item.columns[name];
    const fits = list ? Array.isArray(value) && value.every((x) => typeof x === 'number') : typeof value === 'number';
    if (!fits) throw new Error(`${method.name}: the column ${name} of ${item.where} is ${JSON.stringify(value)}.`);
    const numbers = typeof value === 'number' ? [value] : (value as readonly number[]);
    if (numbers.length > width)
      throw new Error(`${method.name}: the column ${name} of ${item.where} has ${numbers.length} numbers for ${width} sequences.`);
    data.set(numbers, row * width);
  });
  return { data, shape: list ? [items.length, places] : [items.length] };
}

/** [B, T] or [B, K, T] of a column with a number for each supervised token of a name. */
function tokenColumnTable(method: BoundMethod, tables: Tables, column: string, name: string): Feed {
  return tokenTable(method, tables, name, (item, k) => {
    const value = (item.columns[column] as readonly (readonly number[])[] | undefined)?.[k];
    const wanted = supervisedOf(item.sequences[name]![k]!);
    if (value?.length === wanted && value.every((x) => Number.isFinite(x))) return value;
    const found = value === undefined ? 'is missing' : `holds ${value.length} numbers, or one that is not finite`;
    throw new Error(
      `${method.name}: the token column ${column} of ${item.where} ${found}; ${name} ${k + 1} has ${wanted} supervised tokens.`,
    );
  });
}
