import { z } from 'zod';
import { nearest, UserError } from '../errors.js';
import type { RawRow, Source } from './source.js';

/**
 * `data.columns`: our column name → the name it has in the file. The names are TRL's, `text` is the Hugging Face hub's; `judgment`,
 * `satisfied`, `soft_label` and others are ours. Which names there are depends on the kind of row (`RowDefinition.columns`).
 */
export const ColumnMap = z.record(z.string().min(1), z.string().min(1));
export type ColumnMap = Readonly<Record<string, string>>;

/**
 * Names that other formats give to the same columns: Alpaca's; ShareGPT's list of turns; those of OpenAI's preference files, whose prompt
 * is an object `input`; OpenOrca's system prompt.
 */
const alsoCalled: ReadonlyMap<string, string> = new Map([
  ['prompt', 'instruction'], ['completion', 'output'], ['messages', 'conversations'], ['chosen', 'preferred_output'],
  ['rejected', 'non_preferred_output'], ['system', 'system_prompt'],
]);

/** `data.values`: what a file writes for true and false: { up: true, down: false }. */
export const ValueMap = z.record(z.string().min(1), z.boolean());
export type ValueMap = Readonly<Record<string, boolean>>;

/** What `data.values` says of a value; undefined where it says nothing. 5 and 5.0 are the same number. */
export function mappedValue(values: ValueMap, given: unknown): boolean | undefined {
  if (typeof given !== 'string' && typeof given !== 'number' && typeof given !== 'boolean') return undefined;
  const text = String(given).trim();
  if (Object.hasOwn(values, text)) return values[text];
  const number = text === '' ? NaN : Number(text);
  // Quoted with its blanks, a name is what the file writes; values are compared without them.
  const same = Object.keys(values).find((name) => name.trim() === text || (name.trim() !== '' && Number(name) === number));
  return same === undefined ? undefined : values[same];
}

/** How cells are read, beside which column is which. */
export interface Reading {
  /** Columns of the file that are passed over knowingly. */
  readonly ignore?: readonly string[];
  readonly values?: ValueMap;
}

/** Which name in the file holds each of our columns. */
export interface Layout {
  /** Our name → the file's; columns that the file lacks are absent. */
  readonly names: ReadonlyMap<string, string>;
  /** Our columns that `data.columns` names. */
  readonly mapped: ReadonlySet<string>;
  /** True for `instruction`, `input`, `output` files, whose conventions (score ≥ 7) differ. */
  readonly alpaca: boolean;
  /** True where every `label` is a vote (true, false, 1, 0) or empty, so that no label names a class. */
  readonly votes: boolean;
  /** Every column of the file, in order of appearance, but for those of `data.ignore`. */
  readonly present: readonly string[];
  /** What is noticed while rows are read with this layout. */
  readonly seen: Seen;
}

/** What readers looked at, and what they noticed. */
export interface Seen {
  /** Columns of the file, by the file's names. */
  readonly columns: Set<string>;
  /** Keys of turns that nothing uses, as "messages[].created_at". */
  readonly keys: Set<string>;
  /** What a user should know of some rows, by name. */
  readonly notices: Map<string, { readonly advice: string; readonly from: number; readonly sources: Source[] }>;
}

/** One of these columns must be in the file. */
export interface Need {
  readonly anyOf: readonly string[];
  /** All the columns that the kind of row needs, for people: "prompt, completion and label". */
  readonly wanted: string;
}

/** One need for each list of columns, of which the file must have one. */
export const needs = (wanted: string, ...columns: readonly (readonly string[])[]): Need[] => columns.map((anyOf) => ({ anyOf, wanted }));

/**
 * Finds our columns in a file, by the mapping the user gave, then by our name, then by Alpaca's. A column of the file that is mapped is
 * used once, for what it is mapped to; its own name no longer means anything.
 *
 * @param columns Our columns that are looked for beside the mapped ones.
 * @param ignore Columns of the file that are passed over knowingly.
 * @throws UserError when a mapped column is in no row or is mapped twice, or two columns claim the same meaning.
 */
export function findColumns(
  rows: readonly RawRow[], map: ColumnMap, columns: readonly string[], { ignore = [], values = {} }: Reading = {},
): Layout {
  const has = new Set<string>();
  for (const { fields } of rows) for (const name of Object.keys(fields)) has.add(name);
  for (const name of ignore) if (!has.delete(name)) throw absent('data.ignore', name, has, rows);
  const present = [...has];
  const names = mappedNames(map, has, rows);
  const used = new Set(names.values());
  const mapped = new Set(names.keys());
  for (const column of columns) {
    if (names.has(column)) continue;
    const [name, other] = [column, alsoCalled.get(column)].filter((one) => one !== undefined && has.has(one) && !used.has(one));
    if (other !== undefined) {
      throw new UserError(`The data have a column ${column} and a column ${other}, which mean the same`, [
        `Say which to use: data.columns: { ${column}: ${column} } or { ${column}: ${other} }.`,
      ]);
    }
    if (name !== undefined) names.set(column, name);
  }
  // OpenAI's preference files: the prompt is an object, which Alpaca's text `input` never is.
  if (columns.includes('prompt') && !names.has('prompt') && names.get('chosen') === 'preferred_output' && has.has('input')) {
    names.set('prompt', 'input').delete('input');
  }
  return {
    names, present, mapped, seen: { columns: new Set(), keys: new Set(), notices: new Map() },
    alpaca: names.get('prompt') === 'instruction' && names.get('completion') === 'output',
    votes: names.has('label') && holdsVotes(rows.map(({ fields }) => fields[names.get('label')!]), values),
  };
}

function mappedNames(map: ColumnMap, has: ReadonlySet<string>, rows: readonly RawRow[]): Map<string, string> {
  const usedFor = new Map<string, string>();
  for (const [column, name] of Object.entries(map)) {
    if (!has.has(name)) throw absent(`data.columns.${column}`, name, has, rows);
    const other = usedFor.get(name);
    if (other !== undefined) {
      throw new UserError(`data.columns names the column ${name} twice, for ${other} and for ${column}`, [
        'A column is used once: leave one of the two out.',
      ]);
    }
    usedFor.set(name, column);
  }
  return new Map(Object.entries(map));
}

function absent(option: string, name: string, has: ReadonlySet<string>, rows: readonly RawRow[]): UserError {
  const near = nearest(name, [...has]);
  const hints = [`Columns in the data: ${[...has].join(', ')}.`, ...(near === undefined ? [] : [`Did you mean ${near}?`])];
  const [file] = new Set(rows.map(({ source }) => source.file));
  return new UserError(`${option} names the column ${name}, which no row${file === undefined ? '' : ` of ${file}`} has`, hints);
}

function holdsVotes(labels: readonly unknown[], values: ValueMap): boolean {
  const given = labels.filter((label) => label !== undefined && label !== null);
  const isVote = (label: unknown): boolean => {
    if (mappedValue(values, label) !== undefined) return true;
    return typeof label === 'string' ? /^\s*(true|false|1|0)\s*$/i.test(label) : typeof label === 'boolean' || label === 1 || label === 0;
  };
  return given.length > 0 && given.every(isVote);
}

/**
 * Which of several ways to say the same thing a file takes: the one of which `data.columns` names a column, else the first whose first
 * column the file has.
 *
 * @throws UserError when `data.columns` names columns of two ways.
 */
export function wayOf(ways: readonly (readonly string[])[], { names, mapped }: Layout): readonly string[] | undefined {
  const chosen = ways.filter((way) => way.some((column) => mapped.has(column)));
  if (chosen.length > 1) {
    const words = chosen.map((way) => way.find((column) => mapped.has(column))).join(' and ');
    throw new UserError(`data.columns names ${words}, which say the same thing in two ways`, ['Name the columns of one way only.']);
  }
  return chosen[0] ?? ways.find(([column]) => column !== undefined && names.has(column));
}

/** @throws UserError when `data.columns` names a column that the kind of row does not read: the mapping would change nothing */
export function requireKnown(map: ColumnMap, kind: string, known: readonly string[]): void {
  for (const column of Object.keys(map)) {
    if (known.includes(column)) continue;
    const near = nearest(column, known);
    throw new UserError(`data.columns.${column}: "${kind}" rows have no column ${column}`, [
      `They have ${known.join(', ')}.`,
      ...(near === undefined ? [] : [`Did you mean ${near}?`]),
    ]);
  }
}

/** @throws UserError for columns that a kind of row needs and the file lacks: which there are, and the nearest */
export function requireColumns(all: readonly Need[], layout: Layout, file: string): void {
  const lacking = all.filter(({ anyOf }) => anyOf.every((column) => !layout.names.has(column)));
  if (lacking.length === 0) return;
  const words = lacking.map(({ anyOf }) => anyOf.join(' or '));
  const guesses = lacking.map(({ anyOf: [column = 'prompt'] }) => {
    const votes = column === 'label' && layout.present.includes('satisfied') ? 'satisfied' : undefined;
    return `${column}: ${votes ?? nearest(column, layout.present) ?? `<its name>`}`;
  });
  throw new UserError(`${file} has no column ${words.join(' and no ')} (needed: ${lacking[0]?.wanted})`, [
    `Columns in the data: ${layout.present.join(', ')}.`,
    `If they are there by another name: data.columns: { ${guesses.join(', ')} }.`,
  ]);
}
