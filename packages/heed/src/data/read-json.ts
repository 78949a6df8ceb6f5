import { UserError } from '../errors.js';
import { typeName, type Problem, type Records } from './problem.js';
import type { RawRow } from './source.js';
import { parseJson } from './spelt.js';
import { decodeLines, type TextLine } from './text-lines.js';

/** One JSON object per line; blank lines are passed over. */
export function readJsonLines(file: string, bytes: Uint8Array): Records {
  return parseLines(file, decodeLines(file, bytes));
}

/** A JSON array of objects, or (as many published `.json` files are) one object per line. */
export function readJson(file: string, bytes: Uint8Array): Records {
  const lines = decodeLines(file, bytes);
  const first = lines.find(({ text }) => text.trim() !== '');
  if (first === undefined) return { rows: [], broken: [] };
  const more = lines.some(({ line, text }) => line > first.line && text.trim() !== '');
  if (more && isObject(tryParse(first.text))) return parseLines(file, lines);
  let whole: unknown;
  try {
    whole = parseJson(lines.map(({ text }) => text).join('\n'));
  } catch (cause) {
    throw new UserError(`${file} is not JSON: ${(cause as Error).message}`, [], { cause });
  }
  const records: unknown[] = Array.isArray(whole) ? whole : [whole];
  const broken: Problem[] = [];
  const rows: RawRow[] = [];
  for (const [index, record] of records.entries()) {
    const source = { file, line: index + 1, unit: 'row' as const };
    if (isObject(record)) rows.push({ source, fields: record });
    else broken.push({ source, reason: `is ${typeName(record)}, not an object`, value: record });
  }
  return { rows, broken };
}

function parseLines(file: string, lines: readonly TextLine[]): Records {
  const rows: RawRow[] = [];
  const broken: Problem[] = [];
  for (const { line, text } of lines) {
    if (text.trim() === '') continue;
    const source = { file, line };
    try {
      const record: unknown = parseJson(text);
      if (isObject(record)) rows.push({ source, fields: record });
      else broken.push({ source, reason: `is ${typeName(record)}, not an object`, value: record });
    } catch (cause) {
      broken.push({ source, reason: `is not JSON (${withoutExcerpt((cause as Error).message)})`, value: text });
    }
  }
  return { rows, broken };
}

/** The parser quotes the text in some of its messages; we show it ourselves. */
function withoutExcerpt(message: string): string {
  return message.replace(/, (\.\.\.)?"[^]*$/, '');
}

function tryParse(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
