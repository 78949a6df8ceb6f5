import { parse } from 'csv-parse/sync';
import { UserError } from '../errors.js';
import { problemsError, type Problem } from './problem.js';
import type { RawRow } from './source.js';
import { count, decodeLines } from './text-lines.js';

interface Parsed {
  readonly info: { readonly lines: number };
  readonly record: readonly (string | null)[];
}

/**
 * CSV as spreadsheets write it: a header line, quoted cells may hold line breaks. Cells stay strings
 * (types are decided by column later); an empty cell without quotes is null, `""` is the empty string.
 */
export function readCsv(file: string, bytes: Uint8Array, delimiter: ',' | '\t'): RawRow[] {
  const lines = decodeLines(file, bytes).map((line) => line.text);
  const text = lines.join('\n');
  const problems: Problem[] = [];
  let parsed: Parsed[];
  try {
    // The published types do not know that `info` wraps each record.
    parsed = parse(text, {
      delimiter,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      cast: (value, context) => (value === '' && !context.quoting ? null : value),
    }) as unknown as Parsed[];
  } catch (cause) {
    throw new UserError(`${file} is not ${delimiter === ',' ? 'CSV' : 'TSV'}: ${(cause as Error).message}`, [], { cause });
  }
  const [header, ...records] = parsed;
  if (header === undefined) return [];
  const names = headerNames(file, header.record);
  const rows: RawRow[] = [];
  // `info.lines` is the line a record ends on; a record starts after the one before it.
  let before = header.info.lines;
  for (const { info, record } of records) {
    const source = { file, line: startLine(lines, before, info.lines) };
    before = info.lines;
    if (record.length !== names.length) {
      problems.push({ source, reason: `has ${count(record.length, 'cell')} where the header has ${names.length}`, value: record });
    } else {
      rows.push({ source, untyped: true, fields: Object.fromEntries(names.map((name, index) => [name, record[index]])) });
    }
  }
  if (problems.length > 0) throw problemsError(`${file}: ${count(problems.length, 'row')} cannot be read`, problems);
  return rows;
}

function headerNames(file: string, cells: readonly (string | null)[]): string[] {
  const names = cells.map((cell) => cell?.trim() ?? '');
  const unnamed = names.indexOf('');
  if (unnamed !== -1) throw new UserError(`${file}:1 column ${unnamed + 1} has no name in the header`);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new UserError(`${file}:1 the header names ${twice} twice`);
  return names;
}

/** 1-based line of the first line after `before` that is not blank. */
function startLine(lines: readonly string[], before: number, end: number): number {
  let line = before + 1;
  while (line < end && /^\r?$/.test(lines[line - 1] ?? '')) line++;
  return line;
}
