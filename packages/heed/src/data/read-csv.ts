import { parse } from 'csv-parse/sync';
import { UserError } from '../errors.js';
import type { Problem, Records } from './problem.js';
import type { RawRow } from './source.js';
import { count, decodeLines, withoutMark } from './text-lines.js';

const NEWLINE = 0x0a;
const RETURN = 0x0d;

interface Parsed {
  readonly info: { readonly bytes: number };
  readonly record: readonly (string | null)[];
}

/**
 * CSV as spreadsheets write it: a header line, quoted cells may hold line breaks. Cells stay strings
 * (types are decided by column later); an empty cell without quotes is null, `""` is the empty string.
 */
export function readCsv(file: string, bytes: Uint8Array, delimiter: ',' | '\t'): Records {
  decodeLines(file, bytes); // refuses what is not UTF-8, by line
  const text = Buffer.from(withoutMark(bytes));
  const broken: Problem[] = [];
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
  if (header === undefined) return { rows: [], broken: [] };
  const names = headerNames(file, header.record);
  const rows: RawRow[] = [];
  // `info.bytes` is where a record ends, which is where the next one starts.
  let start = header.info.bytes;
  const lineAt = lineCounter(text);
  for (const { info, record } of records) {
    const source = { file, line: lineAt(start) };
    start = info.bytes;
    if (record.length !== names.length) {
      broken.push({ source, reason: `has ${count(record.length, 'cell')} where the header has ${names.length}`, value: record });
    } else {
      rows.push({ source, untyped: true, fields: Object.fromEntries(names.map((name, index) => [name, record[index]])) });
    }
  }
  return { rows, broken };
}

function headerNames(file: string, cells: readonly (string | null)[]): string[] {
  const names = cells.map((cell) => cell?.trim() ?? '');
  const unnamed = names.indexOf('');
  if (unnamed !== -1) throw new UserError(`${file}:1 column ${unnamed + 1} has no name in the header`);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new UserError(`${file}:1 the header names ${twice} twice`);
  return names;
}

/**
 * Tells the line of a byte; offsets must be asked for in ascending order. (The parser's own count is of
 * no use: it counts "\r\n" inside quotes twice.)
 */
function lineCounter(bytes: Uint8Array): (offset: number) => number {
  let line = 1;
  let position = 0;
  return (offset) => {
    for (; position < offset; position++) if (bytes[position] === NEWLINE) line++;
    // Blank lines before a record are not part of it.
    for (; bytes[position] === NEWLINE || bytes[position] === RETURN; position++) if (bytes[position] === NEWLINE) line++;
    return line;
  };
}
