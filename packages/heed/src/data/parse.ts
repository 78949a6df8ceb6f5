import { type ColumnMap, findColumns, requireColumns, requireKnown } from './columns.js';
import { brokenHints, inOrder, problemsError, type Problem } from './problem.js';
import type { RowDefinition } from './row.js';
import { columnNames, rowDefinition, type RowKind, type RowOf } from './rows.js';
import type { RawRow } from './source.js';
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
 * @param of The kind, by name or by its definition.
 * @throws UserError listing every unusable row by file, line, column and value; or naming the column
 * that is missing altogether, the columns there are and the nearest; or for a mapping that the kind cannot follow.
 */
export function parseRows<Kind extends RowKind | RowDefinition>(
  of: Kind, records: readonly RawRow[], { columns = {}, junk: onJunk, transcript, broken = [] }: ParseOptions = {},
): Parsed<RowOf<Kind>> {
  const { kind, columns: own, keepsOthers = false, needs, read } = rowDefinition(of);
  requireKnown(columns, kind, keepsOthers ? columnNames : ['id', ...own]);
  const layout = findColumns(records, columns, ['id', ...own]);
  requireColumns(needs(layout), layout, records[0]?.source.file ?? 'The data');
  const rows: RowOf<Kind>[] = [];
  const problems: Problem[] = [];
  for (const record of records) {
    try {
      rows.push(read({ record, layout, hh: transcript === 'human-assistant' }));
    } catch (fault) {
      if (!(fault instanceof RowFault)) throw fault;
      const { column, reason, value, junk } = fault;
      problems.push({ source: record.source, column, reason, junk, ...(value === undefined ? {} : { value }) });
    }
  }
  const skip = onJunk === 'skip';
  const fatal = inOrder([...broken, ...(skip ? problems.filter(({ junk }) => junk !== true) : problems)]);
  if (fatal.length > 0) {
    const hints = fatal.some(({ junk }) => junk === true) ? ['Rows with nothing to learn from can be left out: data.junk: skip'] : [];
    const all = count(records.length + broken.length, 'row');
    throw problemsError(`${fatal.length} of ${all} cannot be used as ${kind} rows`, fatal, [...hints, ...brokenHints(broken)]);
  }
  if (rows.length === 0) throw problemsError(`All ${count(records.length, 'row')} are junk; nothing is left to use`, problems);
  return { rows, skipped: problems };
}
