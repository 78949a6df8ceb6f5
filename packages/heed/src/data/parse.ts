import { type ColumnMap, findColumns, type Layout, requireColumns, requireKnown, type ValueMap } from './columns.js';
import { UserError } from '../errors.js';
import { FINISH_COLUMNS, reachedLimit } from './generated.js';
import { brokenHints, excerpt, inOrder, problemsError, type Problem } from './problem.js';
import type { BaseRow, RowDefinition } from './row.js';
import { NOT_BOOLEAN } from './row-cells.js';
import { columnNames, rowDefinition, type RowKind, type RowOf } from './rows.js';
import type { RawRow, Source } from './source.js';
import { count } from './text-lines.js';
import { RowFault } from './turns.js';
import { unusedOf } from './unused.js';
import { illFormed } from './well-formed.js';

/** So many unknown values are named; a column of texts would fill the screen. */
const VALUES_SHOWN = 10;

/** How rows are made from records. */
export interface ParseOptions {
  /** Our column name → the file's. */
  readonly columns?: ColumnMap;
  /** What the file writes for true and false. */
  readonly values?: ValueMap;
  /** Columns of the file that are passed over knowingly. */
  readonly ignore?: readonly string[];
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
  /** Columns that nothing read, and keys of turns that nothing uses, by the file's names. */
  readonly unused: readonly string[];
  /** What readers noticed of some rows. */
  readonly notices: readonly Notice[];
}

/** What a user should know of some rows. */
export interface Notice {
  readonly name: string;
  readonly advice: string;
  readonly sources: readonly Source[];
}

interface Sorted<Row> {
  readonly rows: Row[];
  /** What is wrong with the records that make none; each has one place here. */
  readonly problems: readonly Problem[];
  readonly layout: Layout;
  readonly definition: RowDefinition<Row & BaseRow>;
}

/** As `parseRows`, for a caller that decides itself what to do with records that make no row. */
export function sortRows<Kind extends RowKind | RowDefinition>(
  of: Kind, records: readonly RawRow[], { columns = {}, values = {}, ignore, transcript }: Omit<ParseOptions, 'junk' | 'broken'> = {},
): Sorted<RowOf<Kind>> {
  const definition = rowDefinition(of);
  const { kind, columns: own, keepsOthers = false, needs, read } = definition;
  requireKnown(columns, kind, keepsOthers ? columnNames : ['id', ...own]);
  const layout = findColumns(records, columns, ['id', ...own], { ignore, values });
  requireMapped(values, layout, kind);
  requireColumns(needs(layout), layout, records[0]?.source.file ?? 'The data');
  const rows: RowOf<Kind>[] = [];
  const problems: Problem[] = [];
  for (const record of records) {
    noteLimit(definition, record, layout);
    const ill = illFormed(record.fields);
    if (ill !== undefined) {
      problems.push({ source: record.source, ...ill });
      continue;
    }
    try {
      rows.push(read({ record, layout, hh: transcript === 'human-assistant', values }));
    } catch (fault) {
      if (!(fault instanceof RowFault)) throw fault;
      const { column, reason, value, junk } = fault;
      problems.push({ source: record.source, column, reason, junk, ...(value === undefined ? {} : { value }) });
    }
  }
  return { rows, problems, layout, definition };
}

/**
 * Makes rows of one kind from records.
 *
 * @param of The kind, by name or by its definition.
 * @throws UserError listing every unusable row by file, line, column and value; or naming the column
 * that is missing altogether, the columns there are and the nearest; or for a mapping that the kind cannot follow.
 */
export function parseRows<Kind extends RowKind | RowDefinition>(
  of: Kind, records: readonly RawRow[], options: ParseOptions = {},
): Parsed<RowOf<Kind>> {
  const { junk: onJunk, broken = [] } = options;
  const { rows, problems, layout, definition } = sortRows(of, records, options);
  const { kind } = definition;
  const skip = onJunk === 'skip';
  const fatal = inOrder([...broken, ...(skip ? problems.filter(({ junk }) => junk !== true) : problems)]);
  if (fatal.length > 0) {
    const hints = [
      ...(fatal.some(({ junk }) => junk === true) ? ['Rows with nothing to learn from can be left out: data.junk: skip'] : []),
      ...valueHints(fatal),
    ];
    const all = count(records.length + broken.length, 'row');
    throw problemsError(`${fatal.length} of ${all} cannot be used as ${kind} rows`, fatal, [...hints, ...brokenHints(broken)]);
  }
  if (rows.length === 0) throw problemsError(`All ${count(records.length, 'row')} are junk; nothing is left to use`, problems);
  const notices = [...layout.seen.notices].flatMap(([name, { advice, from, sources }]) =>
    (sources.length >= from * records.length ? [{ name, advice, sources }] : []));
  return { rows, skipped: problems, unused: unusedOf(definition, layout, records), notices };
}

/** What `data.values` has to name: the values that are not known as true or false, the most frequent first. */
function valueHints(problems: readonly Problem[]): string[] {
  const rows = new Map<string, number>();
  for (const { reason, value } of problems) {
    if (!reason.endsWith(NOT_BOOLEAN)) continue;
    const said = excerpt(typeof value === 'string' ? value.trim() : value);
    rows.set(said, (rows.get(said) ?? 0) + 1);
  }
  if (rows.size === 0) return [];
  const listed = [...rows].sort(([, a], [, b]) => b - a).slice(0, VALUES_SHOWN).map(([said, n]) => `${said} (${count(n, 'row')})`);
  const more = rows.size > VALUES_SHOWN ? ` and ${rows.size - VALUES_SHOWN} more` : '';
  return [
    'data.values says what the file writes for true and false: { up: true, down: false }, or { 1: false, …, 5: true }.',
    `Not known as true or false: ${listed.join(', ')}${more}.`,
  ];
}

/** Notes a record whose answer reached its limit of tokens when it was generated, where a column tells how answers ended. */
function noteLimit({ keepsOthers = false }: Pick<RowDefinition, 'keepsOthers'>, { source, fields }: RawRow, { seen, names }: Layout): void {
  if (keepsOthers) return;
  const told = FINISH_COLUMNS.filter((name) => Object.hasOwn(fields, name) && ![...names.values()].includes(name));
  for (const name of told) seen.columns.add(name);
  if (!told.some((name) => reachedLimit(fields[name]))) return;
  const advice = `${told.join(', ')} says that the answer reached its limit of tokens; the model would learn to stop there`;
  const known = seen.notices.get('cut off when generated');
  if (known === undefined) seen.notices.set('cut off when generated', { advice, from: 0, sources: [source] });
  else known.sources.push(source);
}

/** @throws UserError where `data.values` is given and no column of true and false is there to read by it */
function requireMapped(values: ValueMap, { names }: Layout, kind: string): void {
  if (Object.keys(values).length === 0 || names.has('satisfied') || names.has('label')) return;
  throw new UserError(`data.values says what the file writes for true and false, but "${kind}" rows of these data have no such column`, [
    'Name the column too: data.columns: { satisfied: rating } or { label: rating }, or leave data.values out.',
  ]);
}
