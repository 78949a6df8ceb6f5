import { parse } from 'csv-parse/sync';
import { UserError } from '../errors.js';
import type { Problem, Records } from './problem.js';
import type { RawRow } from './source.js';
import { count, decodeLines, type TextLine, withoutMark } from './text-lines.js';

/** What stands between cells: of a CSV file, whichever its header uses (spreadsheets of many countries write semicolons). */
type Delimiter = ',' | ';' | '\t';

/** One record: the line where it starts, and its cells; an empty cell without quotation marks is null. */
interface Cells {
  readonly line: number;
  readonly cells: readonly (string | null)[];
}

/** What pandas calls a first column without a name when it reads one: the index that `to_csv` writes. */
const INDEX = 'Unnamed: 0';

/**
 * CSV as spreadsheets write it: a header line, quoted cells may hold line breaks. Cells stay strings
 * (types are decided by column later); an empty cell without quotes is null, `""` is the empty string.
 *
 * @param kind `tsv`: tabs, where a quotation mark within a cell is an ordinary character.
 */
export function readCsv(file: string, bytes: Uint8Array, kind: 'csv' | 'tsv'): Records {
  const lines = decodeLines(file, bytes); // refuses what is not UTF-8, by line
  const parsed = kind === 'tsv' ? tabbed(file, bytes, lines) : quoted(file, bytes, delimiterOf(lines));
  const [header, ...records] = parsed;
  if (header === undefined) return { rows: [], broken: [] };
  const names = headerNames(file, header.cells, records);
  const rows: RawRow[] = [];
  const broken: Problem[] = [];
  for (const { line, cells } of records) {
    const source = { file, line };
    if (cells.length !== header.cells.length) {
      broken.push({ source, reason: `has ${count(cells.length, 'cell')} where the header has ${header.cells.length}`, value: cells });
    } else {
      rows.push({ source, untyped: true, fields: Object.fromEntries(names.flatMap((name, i) => (name === '' ? [] : [[name, cells[i]]]))) });
    }
  }
  return { rows, broken };
}

/** The delimiter that occurs most often in the header, outside quotation marks; of equals, the comma. */
function delimiterOf(lines: readonly TextLine[]): Delimiter {
  const header = lines.find(({ text }) => text.trim() !== '')?.text.replace(/"[^"]*"/g, '') ?? '';
  const times = (one: Delimiter): number => header.split(one).length;
  return ([',', ';', '\t'] as const).reduce((best, one) => (times(one) > times(best) ? one : best));
}

/** Cells that may be quoted. @throws UserError where quotation marks are not as CSV has them */
function quoted(file: string, bytes: Uint8Array, delimiter: Delimiter): Cells[] {
  try {
    return quotedCells(bytes, delimiter);
  } catch (cause) {
    throw new UserError(`${file} is not ${delimiter === '\t' ? 'TSV' : 'CSV'}: ${(cause as Error).message}`, [], { cause });
  }
}

/** One record of the parser, where `info` is asked for. */
interface Parsed {
  readonly info: { readonly bytes: number };
  readonly record: readonly (string | null)[];
}

function quotedCells(bytes: Uint8Array, delimiter: Delimiter): Cells[] {
  const text = Buffer.from(withoutMark(bytes));
  // The published types do not know that `info` wraps each record.
  const parsed = parse(text, {
    delimiter,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    cast: (value, context) => (value === '' && !context.quoting ? null : value),
  }) as unknown as Parsed[];
  // `info.bytes` is where a record ends, which is where the next one starts.
  let start = 0;
  const lineAt = lineCounter(text);
  return parsed.map(({ info, record }) => {
    const line = lineAt(start);
    start = info.bytes;
    return { line, cells: record };
  });
}

/**
 * TSV is written in two ways: by spreadsheets, as CSV with tabs, where a quoted cell may hold tabs and line breaks; and plainly, a record a
 * line. The way that gives every record as many cells as the header is the file's.
 *
 * @throws UserError where both ways do and differ, or where neither can be read
 */
function tabbed(file: string, bytes: Uint8Array, lines: readonly TextLine[]): Cells[] {
  const plain = plainCells(lines);
  let spread: Cells[] | undefined;
  try {
    spread = quotedCells(bytes, '\t');
  } catch {
    if (isEven(plain)) return plain;
  }
  if (spread === undefined) return quoted(file, bytes, '\t');
  if (!isEven(plain)) return spread;
  if (!isEven(spread)) return plain;
  const at = plain.findIndex(({ cells }, i) => JSON.stringify(cells) !== JSON.stringify(spread[i]?.cells));
  if (at === -1) return spread;
  const ways = 'a quotation mark begins a cell that ends lines below, or is text';
  throw new UserError(`${file}:${plain[at]!.line} can be read in two ways: ${ways}`, [
    'Write the file as JSON lines or as CSV, where this is certain.',
  ]);
}

const isEven = (records: readonly Cells[]): boolean => records.every(({ cells }) => cells.length === records[0]!.cells.length);

/** A record a line. A cell in quotation marks of which those inside are doubled is what they enclose. */
function plainCells(lines: readonly TextLine[]): Cells[] {
  return lines.filter(({ text }) => text !== '' && text !== '\r').map(({ line, text }) => ({
    line,
    cells: text.replace(/\r$/, '').split('\t').map((cell) => {
      if (cell === '') return null;
      return /^"(?:[^"]|"")*"$/.test(cell) ? cell.slice(1, -1).replaceAll('""', '"') : cell;
    }),
  }));
}

/** The names of the columns; '' for one that has neither a name nor a value anywhere, which a comma at the end of each line makes. */
function headerNames(file: string, cells: readonly (string | null)[], records: readonly Cells[]): string[] {
  const given = cells.map((cell) => cell?.trim() ?? '');
  const names = given[0] === '' && given.length > 1 && !given.includes(INDEX) ? [INDEX, ...given.slice(1)] : given;
  const unnamed = names.findIndex((name, i) => name === '' && records.some((record) => (record.cells[i] ?? '') !== ''));
  if (unnamed !== -1) throw new UserError(`${file}:1 column ${unnamed + 1} has no name in the header`);
  const twice = names.find((name, index) => name !== '' && names.indexOf(name) !== index);
  if (twice !== undefined) throw new UserError(`${file}:1 the header names ${twice} twice`);
  return names;
}

const NEWLINE = 0x0a;
const RETURN = 0x0d;

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
