/** The prompt of a record, whatever kind of row a method reads it as. Records are split by their prompts. */
import { findColumns } from './columns.js';
import { type ParseOptions, sortRows } from './parse.js';
import { defineRow, type RowDefinition } from './row.js';
import { common } from './row-cells.js';
import { rowDefinition } from './rows.js';
import { answeredMessages, ConversationRow } from './rows/conversation.js';
import type { RawRow } from './source.js';
import { groupKey } from './split.js';

type Reading = Pick<ParseOptions, 'columns' | 'ignore' | 'transcript'>;

/** A conversation read for its prompt alone: an answer that is empty or is not learnt makes no difference. */
const promptOfMessages = defineRow({
  ...rowDefinition('conversation'),
  columns: ['messages'],
  unheard: [],
  schema: ConversationRow,
  read: (row) => ({ ...common(row), messages: answeredMessages(row) }),
});

/** The kind by which records are read for their prompt alone; undefined where they have no column for it. */
export function promptKind(records: readonly RawRow[], { columns = {}, ignore }: Reading): RowDefinition | undefined {
  const { names } = findColumns(records, columns, ['prompt', 'messages', 'chosen', 'rejected'], { ignore });
  if (names.has('prompt') && names.get('chosen') !== 'preferred_output') return rowDefinition('prompt');
  if (names.has('chosen') && names.has('rejected')) return rowDefinition('preference');
  return names.has('messages') ? promptOfMessages : undefined;
}

/**
 * The group of each record (`groupKey`), in the order of the records; undefined where a record has no prompt that can be read.
 * A record that a method cannot use still counts in its group, so that every method holds out the same prompts.
 */
export function promptGroups(records: readonly RawRow[], options: Reading): (string | undefined)[] {
  const kind = promptKind(records, options);
  if (kind === undefined) return records.map(() => undefined);
  const { columns = {}, ignore, transcript } = options;
  const known = Object.fromEntries(Object.entries(columns).filter(([column]) => column === 'id' || kind.columns.includes(column)));
  const { rows } = sortRows(kind, records, { columns: known, ignore, transcript });
  const keys = new Map(rows.map((row) => [row.source, groupKey(kind, row)]));
  return records.map(({ source }) => keys.get(source));
}
