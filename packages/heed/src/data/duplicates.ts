import type { Parsed } from './parse.js';
import { problemsError, type Problem } from './problem.js';
import type { BaseRow } from './row.js';
import { at } from './source.js';

/**
 * What becomes of rows that repeat an earlier row in everything but their place and `id`.
 *
 * @throws UserError listing them, with "error"
 */
export function once<Row>(parsed: Parsed<Row>, duplicates: 'keep' | 'drop' | 'error'): Parsed<Row> {
  if (duplicates === 'keep') return parsed;
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
  return { ...parsed, rows, skipped: [...parsed.skipped, ...repeated] };
}
