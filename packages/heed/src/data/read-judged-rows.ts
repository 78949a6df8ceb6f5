import { isJunkJudgment } from './judgment.js';
import { typeName } from './problem.js';
import { readCompletion } from './read-plain-rows.js';
import { booleanOf, type Context, nameOf, numberOf, structured, value } from './row-cells.js';
import type { JudgedRow, RefinedRow } from './rows.js';
import { asResponse, RowFault } from './turns.js';

export function readJudged(row: Context): JudgedRow {
  const plain = readCompletion(row);
  const given = value(row, 'judgment');
  const name = nameOf(row, 'judgment');
  if (given !== undefined && given !== null && typeof given !== 'string') throw new RowFault(name, `is ${typeName(given)}, not text or null`, given);
  if (typeof given === 'string' && isJunkJudgment(given)) throw new RowFault(name, 'is no judgment', given, true);
  const said = booleanOf(row, 'satisfied');
  const score = row.layout.alpaca ? numberOf(row, 'score') : undefined;
  if (said === undefined && given === undefined && score === undefined) throw new RowFault(name, 'is missing (null says the response was satisfactory)', given);
  const satisfied = said ?? ((score !== undefined && score >= 7) || (given ?? null) === null);
  if (!satisfied && (given ?? null) === null) throw new RowFault(name, 'is missing though the row is not satisfied: what is wrong with the response?', given);
  return { ...plain, judgment: given ?? null, satisfied };
}

/** A judged row; `refinement` is null or absent until one is made. */
export function readRefined(row: Context): RefinedRow {
  const judged = readJudged(row);
  const given = structured(row, 'refinement');
  return (given ?? null) === null ? judged : { ...judged, refinement: asResponse(nameOf(row, 'refinement'), given) };
}
