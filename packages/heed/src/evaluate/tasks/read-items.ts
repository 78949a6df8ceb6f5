import { hashOrder } from '../../data/hash.js';
import { parseRows } from '../../data/parse.js';
import { readRecords } from '../../data/read.js';
import type { BaseRow, RowDefinition } from '../../data/row.js';
import type { RawRow } from '../../data/source.js';
import { UserError, nearest } from '../../errors.js';
import type { ItemsOptions } from './options.js';

/**
 * Reads the items of a benchmark.
 *
 * @throws UserError where a file cannot be read, rows cannot be used (all are listed), or `where` keeps none
 */
export async function readItems<Item extends BaseRow>(
  row: RowDefinition<Item>, { path, columns, where, shuffle, limit, seed }: ItemsOptions,
): Promise<Item[]> {
  const { rows: records, broken } = await readRecords(path);
  const kept = where === undefined ? records : chosen(records, where);
  const { rows } = parseRows(row, kept, { columns, broken });
  const ordered = shuffle ? hashOrder(rows, seed, (_, index) => String(index)) : rows;
  return ordered.slice(0, limit);
}

/** The records with these values. A value is compared as it is written: a cell of CSV has no types. */
function chosen(records: readonly RawRow[], where: NonNullable<ItemsOptions['where']>): RawRow[] {
  const names = [...new Set(records.flatMap(({ fields }) => Object.keys(fields)))];
  const { file } = records[0]!.source;
  for (const column of Object.keys(where)) {
    if (names.includes(column)) continue;
    const near = nearest(column, names);
    throw new UserError(`where names the column ${column}, which no row of ${file} has`, [
      `Columns in the data: ${names.join(', ')}.`, ...(near === undefined ? [] : [`Did you mean ${near}?`]),
    ]);
  }
  const wanted = Object.entries(where);
  const found = records.filter(({ fields }) => wanted.every(([column, is]) => String(fields[column]) === String(is)));
  if (found.length > 0) return found;
  const said = wanted.map(([column, is]) => {
    const values = [...new Set(records.map(({ fields }) => String(fields[column])))];
    return `${column} is ${is} (it is ${values.slice(0, 8).join(', ')}${values.length > 8 ? ', …' : ''})`;
  });
  throw new UserError(`No row of ${file} has ${said.join(' and ')}.`);
}
