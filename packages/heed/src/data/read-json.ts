import { UserError } from '../errors.js';
import { problemsError, typeName, type Problem } from './problem.js';
import type { RawRow } from './source.js';
import { count, decodeLines, type TextLine } from './text-lines.js';

/** One JSON object per line; blank lines are passed over. Every broken line is reported, together. */
export function readJsonLines(file: string, bytes: Uint8Array): RawRow[] {
  return parseLines(file, decodeLines(file, bytes));
}

/** A JSON array of objects, or (as many published `.json` files are) one object per line. */
export function readJson(file: string, bytes: Uint8Array): RawRow[] {
  const lines = decodeLines(file, bytes);
  const first = lines.find(({ text }) => text.trim() !== '');
  if (first === undefined) return [];
  if (isObject(tryParse(first.text)) && lines.some(({ line, text }) => line > first.line && text.trim() !== '')) return parseLines(file, lines);
  let whole: unknown;
  try {
    whole = JSON.parse(lines.map(({ text }) => text).join('\n'));
  } catch (cause) {
    throw new UserError(`${file} is not JSON: ${(cause as Error).message}`, [], { cause });
  }
  const records: unknown[] = Array.isArray(whole) ? whole : [whole];
  const problems: Problem[] = [];
  const rows: RawRow[] = [];
  for (const [index, record] of records.entries()) {
    const source = { file, line: index + 1, unit: 'row' as const };
    if (isObject(record)) rows.push({ source, fields: record });
    else problems.push({ source, reason: `is ${typeName(record)}, not an object`, value: record });
  }
  if (problems.length > 0) throw problemsError(`${file}: ${count(problems.length, 'row')} cannot be read`, problems);
  return rows;
}

function parseLines(file: string, lines: readonly TextLine[]): RawRow[] {
  const rows: RawRow[] = [];
  const problems: Problem[] = [];
  for (const { line, text } of lines) {
    if (text.trim() === '') continue;
    const source = { file, line };
    try {
      const record: unknown = JSON.parse(text);
      if (isObject(record)) rows.push({ source, fields: record });
      else problems.push({ source, reason: `is ${typeName(record)}, not an object`, value: record });
    } catch (cause) {
      problems.push({ source, reason: `is not JSON (${withoutExcerpt((cause as Error).message)})`, value: text });
    }
  }
  if (problems.length > 0) {
    const python = problems.some(({ value }) => /\b(NaN|Infinity)\b/.test(String(value)));
    throw problemsError(
      `${file}: ${count(problems.length, 'line')} of ${rows.length + problems.length} cannot be read`,
      problems,
      python ? ['NaN and Infinity are Python, not JSON; write null.'] : [],
    );
  }
  return rows;
}

/** The parser quotes the text in some of its messages; we show it ourselves. */
function withoutExcerpt(message: string): string {
  return message.replace(/, (\.\.\.)?"[^]*$/, '');
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
