/** Reads any log as flat records. */
import type { Problem } from '../data/problem.js';
import { readRecords } from '../data/read.js';
import type { RawRow } from '../data/source.js';
import { isObject } from '../data/turn.js';
import { parseSpelt } from '../data/spelt.js';
import { asTurns } from './turns.js';
import { unfolded } from './unfold.js';

/** Records with flat columns, and the lines that could not be read. */
export interface LogRecords {
  readonly records: readonly RawRow[];
  readonly broken: readonly Problem[];
}

/** How deep objects are opened. */
const DEPTH = 4;
/** From this share of its texts on a column spells objects. */
const SPELT = 0.8;

/**
 * Reads a log. Objects in cells become columns of their own (`feedback: { vote }` is a column `feedback.vote`), turns stay as they are; a
 * JSON object that holds one list of objects is that list. A conversation with feedback at its turns is a record for each such turn.
 *
 * @throws UserError as `readRecords` does: a file that is absent, empty, or of which no line can be read
 */
export async function readLog(file: string): Promise<LogRecords> {
  const { rows, broken } = await readRecords(file);
  const records = unwrapped(rows);
  const spelt = speltColumns(records);
  const columns = records.map((row) => ({ ...row, fields: flat(unspelt(row.fields, spelt)) }));
  return { records: unfolded(columns, flat), broken };
}

/** Columns of text that spells objects, as exports write them into cells. An answer that happens to be JSON is an answer. */
function speltColumns(records: readonly RawRow[]): ReadonlySet<string> {
  const counts = new Map<string, { filled: number; objects: number }>();
  for (const { fields } of records) {
    for (const [name, value] of Object.entries(fields)) {
      if (typeof value !== 'string' || value.trim() === '') continue;
      const count = counts.get(name) ?? { filled: 0, objects: 0 };
      counts.set(name, count);
      count.filled++;
      if (/^\s*\{/.test(value) && isObject(parseSpelt(value))) count.objects++;
    }
  }
  return new Set([...counts].filter(([, { filled, objects }]) => objects >= SPELT * filled && objects > 0).map(([name]) => name));
}

const unspelt = (fields: RawRow['fields'], spelt: ReadonlySet<string>): RawRow['fields'] =>
  (spelt.size === 0 ? fields : Object.fromEntries(Object.entries(fields).map(([name, value]) => (
    [name, spelt.has(name) && typeof value === 'string' ? parseSpelt(value) ?? value : value]))));

function unwrapped(rows: readonly RawRow[]): readonly RawRow[] {
  const [only, ...more] = rows;
  if (only === undefined || more.length > 0) return rows;
  const lists = Object.values(only.fields).filter((value): value is Record<string, unknown>[] =>
    Array.isArray(value) && value.length > 0 && value.every(isObject) && asTurns(value) === undefined);
  if (lists.length !== 1) return rows;
  return lists[0]!.map((fields, i) => ({ source: { file: only.source.file, line: i + 1, unit: 'row' }, fields }));
}

/** A date, a turn or a reply of OpenAI's API is read as one. */
const isOneText = (value: Record<string, unknown>): boolean =>
  value instanceof Date || asTurns([value]) !== undefined || Array.isArray(value['choices']);

function flat(fields: Readonly<Record<string, unknown>>, before = '', depth = DEPTH): Record<string, unknown> {
  const entries = Object.entries(fields).flatMap(([name, value]): [string, unknown][] => {
    const opens = depth > 0 && isObject(value) && Object.keys(value).length > 0 && !isOneText(value);
    return opens ? Object.entries(flat(value, `${before}${name}.`, depth - 1)) : [[`${before}${name}`, value]];
  });
  return Object.fromEntries(entries);
}
