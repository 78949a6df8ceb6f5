/** What the values of a column look like, before anything is known of what they mean. */
import type { RawRow } from '../data/source.js';
import { saysNothing } from '../data/turn.js';
import { asTranscript, asTurns, textIn } from './turns.js';
import { numberIn, voteIn } from './votes.js';

/** The form of most values of a column. */
export type Form = 'turns' | 'transcript' | 'text' | 'word' | 'number' | 'date' | 'list' | 'empty';

/** A column and its values. */
export interface Shape {
  readonly name: string;
  readonly form: Form;
  /** Records in which it says something. */
  readonly filled: number;
  /** Different values. */
  readonly distinct: number;
  /** Words of a value, on average. */
  readonly words: number;
  /** Share of the filled values that are known words for good and bad. */
  readonly votes: number;
  /** Different numbers, ascending; empty where a value is none. */
  readonly numbers: readonly number[];
  /** The commonest values, as text, with how often they stand there. */
  readonly common: readonly { readonly value: string; readonly rows: number }[];
}

const MOST = 0.8;
const DATE = /^\d{4}-\d{1,2}-\d{1,2}([T ]\d{1,2}:\d{2}.*)?$|^\d{1,2}[./]\d{1,2}[./]\d{2,4}( .*)?$/;
/** Seconds or milliseconds since 1970, of this century. */
const isEpoch = (value: number): boolean => (value > 9.4e8 && value < 4.2e9) || (value > 9.4e11 && value < 4.2e12);

/** The shape of each column, in the order of their appearance. */
export function shapesOf(records: readonly RawRow[]): Shape[] {
  const names = new Set(records.flatMap(({ fields }) => Object.keys(fields)));
  return [...names].map((name) => shapeOf(name, records.map(({ fields }) => fields[name])));
}

function shapeOf(name: string, cells: readonly unknown[]): Shape {
  const values = cells.filter((cell) => !saysNothing(cell) && !(typeof cell === 'string' && cell.trim() === ''));
  const counts = new Map<string, number>();
  for (const value of values) {
    const key = typeof value === 'string' ? value : JSON.stringify(value, withBigints);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const share = (is: (value: unknown) => boolean): number => (values.length === 0 ? 0 : values.filter(is).length / values.length);
  const numbers = values.map(numberIn);
  const texts = values.flatMap((value) => (typeof value === 'string' ? [value] : []));
  const words = texts.length === 0 ? 0 : texts.reduce((sum, text) => sum + text.trim().split(/\s+/).length, 0) / texts.length;
  return {
    name, filled: values.length, distinct: counts.size, words,
    form: formOf({ share, words, wide: texts.some((text) => /[\u3040-\u30ff\u3400-\u9fff]{4}/u.test(text)) }),
    // 0 and 1 are votes by their column's name alone.
    votes: share((value) => typeof voteIn(value) === 'boolean'),
    numbers: numbers.every((number) => number !== undefined) ? [...new Set(numbers)].sort((a, b) => a - b) : [],
    common: [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).slice(0, 8).map(([value, rows]) => ({ value, rows })),
  };
}

const withBigints = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);

interface Facts {
  readonly words: number;
  /** Whether texts are written without blanks between words. */
  readonly wide: boolean;
  share(is: (value: unknown) => boolean): number;
}

function formOf({ share, words, wide }: Facts): Form {
  if (share(() => true) === 0) return 'empty';
  if (share((value) => typeof value !== 'number' && asTurns(value) !== undefined) >= MOST) return 'turns';
  if (share((value) => typeof value === 'string' && asTranscript(value) !== undefined) >= MOST) return 'transcript';
  const isDate = (value: unknown): boolean => value instanceof Date || (typeof value === 'string' && DATE.test(value.trim()))
    || (typeof value === 'number' && isEpoch(value));
  if (share(isDate) >= MOST) return 'date';
  if (share((value) => numberIn(value) !== undefined) >= MOST) return 'number';
  if (share((value) => typeof value === 'string') >= MOST) return words >= 2.5 || wide ? 'text' : 'word';
  if (share((value) => typeof value !== 'string' && typeof value !== 'object') > 0) return 'word';
  return share((value) => textIn(value) !== undefined) >= MOST ? 'text' : 'list';
}
