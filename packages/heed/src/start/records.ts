/** Reads any log as flat records. */
import type { Problem } from '../data/problem.js';
import { readRecords } from '../data/read.js';
import type { RawRow } from '../data/source.js';
import { isObject } from '../data/turn.js';
import { parseSpelt } from '../data/spelt.js';
import { asTurns } from './turns.js';

/** Records with flat columns, and the lines that could not be read. */
export interface LogRecords {
  readonly records: readonly RawRow[];
  readonly broken: readonly Problem[];
}

/** How deep objects are opened. */
const DEPTH = 4;

/**
 * Reads a log. Objects in cells become columns of their own (`feedback: { vote }` is a column `feedback.vote`), turns stay as they are; a
 * JSON object that holds one list of objects is that list.
 *
 * @throws UserError as `readRecords` does: a file that is absent, empty, or of which no line can be read
 */
export async function readLog(file: string): Promise<LogRecords> {
  const { rows, broken } = await readRecords(file);
  return { records: unwrapped(rows).map((row) => ({ ...row, fields: flat(row.fields) })), broken };
}

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
  const entries = Object.entries(fields).flatMap(([name, given]): [string, unknown][] => {
    const value = typeof given === 'string' && /^\s*\{/.test(given) ? parseSpelt(given) ?? given : given;
    const opens = depth > 0 && isObject(value) && Object.keys(value).length > 0 && !isOneText(value);
    return opens ? Object.entries(flat(value, `${before}${name}.`, depth - 1)) : [[`${before}${name}`, given]];
  });
  return Object.fromEntries(entries);
}
