import type { Parsed } from './parse.js';
import { problemsError, type Problem } from './problem.js';
import type { BaseRow } from './row.js';
import { at } from './source.js';

/** Parsed rows, and how many of them repeat an earlier one and stay. */
export type Once<Row> = Parsed<Row> & { readonly repeated: number };

/**
 * What becomes of rows that repeat an earlier row in everything but their place and `id`.
 *
 * @throws UserError listing them, with "error"
 */
export function once<Row>(parsed: Parsed<Row>, duplicates: 'keep' | 'drop' | 'error'): Once<Row> {
  const first = new Map<string, BaseRow>();
  const repeated: Problem[] = [];
  const rows = parsed.rows.filter((row) => {
    const { source } = row as Row & BaseRow;
    const key = JSON.stringify(Object.entries(row as Row & BaseRow).filter(([name]) => name !== 'source' && name !== 'id'));
    const before = first.get(key);
    if (before === undefined) first.set(key, row as Row & BaseRow);
    else repeated.push({ source, reason: `repeats ${at(before.source)}` });
    return before === undefined;
  });
  if (repeated.length > 0 && duplicates === 'error') {
    throw problemsError(`${repeated.length} of ${parsed.rows.length} rows are duplicates`, repeated, [
      'data.duplicates: drop leaves them out and lists them; keep learns them as often as they stand there.',
    ]);
  }
  if (duplicates === 'keep') return { ...parsed, repeated: repeated.length };
  return { ...parsed, rows, skipped: [...parsed.skipped, ...repeated], repeated: 0 };
}
