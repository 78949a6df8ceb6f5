import { brokenHints, inOrder, problemsError, type Problem } from './problem.js';
import { findColumns, missingColumns, type ColumnMap, type Layout, type Need } from './columns.js';
import type { RawRow } from './source.js';
import { readers } from './row-readers.js';
import type { RowKind, RowKinds } from './rows.js';
import { count } from './text-lines.js';
import { RowFault } from './turns.js';

/** How rows are made from records. */
export interface ParseOptions {
  /** Our column name → the file's. */
  readonly columns?: ColumnMap;
  /**
   * What to do with rows that are well formed but hold nothing to learn from: an empty prompt or
   * completion, a pair of equal responses, a judgment that is "$ERROR$". Default "error".
   */
  readonly junk?: 'error' | 'skip';
  /** How a string prompt is read: one user turn, or a "\n\nHuman: … \n\nAssistant:" transcript. Default "plain". */
  readonly transcript?: 'plain' | 'human-assistant';
  /** Lines of the same files that could not be read at all: listed with the rows that cannot be used. */
  readonly broken?: readonly Problem[];
}

/** Rows of one kind, and the ones left out because they are junk. */
export interface Parsed<Row> {
  readonly rows: Row[];
  readonly skipped: readonly Problem[];
}

/**
 * Makes rows of one kind from records.
 *
 * @throws UserError listing every unusable row by file, line, column and value; or naming the column
 * that is missing altogether, the columns there are and the nearest.
 */
export function parseRows<K extends RowKind>(kind: K, records: readonly RawRow[], options: ParseOptions = {}): Parsed<RowKinds[K]> {
  const layout = findColumns(records, options.columns);
  const reader = readers[kind];
  requireColumns(records, layout, reader.needs(layout));
  const rows: RowKinds[K][] = [];
  const problems: Problem[] = [];
  for (const record of records) {
    try {
      rows.push(reader.read({ record, layout, hh: options.transcript === 'human-assistant' }));
    } catch (fault) {
      if (!(fault instanceof RowFault)) throw fault;
      const { column, reason, value, junk } = fault;
      problems.push({ source: record.source, column, reason, junk, ...(value === undefined ? {} : { value }) });
    }
  }
  const skip = options.junk === 'skip';
  const { broken = [] } = options;
  const fatal = inOrder([...broken, ...(skip ? problems.filter(({ junk }) => junk !== true) : problems)]);
  if (fatal.length > 0) {
    const hints = fatal.some(({ junk }) => junk === true) ? ['Rows with nothing to learn from can be left out: data.junk: skip'] : [];
    throw problemsError(`${fatal.length} of ${count(records.length + broken.length, 'row')} cannot be used as ${kind} rows`, fatal, [...hints, ...brokenHints(broken)]);
  }
  if (rows.length === 0) throw problemsError(`All ${count(records.length, 'row')} are junk; nothing is left to use`, problems);
  return { rows, skipped: problems };
}

function requireColumns(records: readonly RawRow[], layout: Layout, needs: readonly Need[]): void {
  const lacking = needs.filter(({ anyOf }) => anyOf.every((name) => layout.names[name] === undefined));
  if (lacking.length > 0) throw missingColumns(lacking, layout, records[0]?.source.file ?? 'The data');
}
