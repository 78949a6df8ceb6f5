import { isEmptyComment, isFailedCall } from './judgment.js';
import { typeName } from './problem.js';
import { readAnswer } from './read-plain-rows.js';
import { booleanOf, type Context, nameOf, numberOf, structured, value } from './row-cells.js';
import type { JudgedRow, RefinedRow } from './rows.js';
import { asResponse, RowFault } from './turns.js';

export function readJudged(row: Context): JudgedRow {
  const plain = readAnswer(row);
  const given = value(row, 'judgment');
  const name = nameOf(row, 'judgment');
  if (given !== undefined && given !== null && typeof given !== 'string') throw new RowFault(name, `is ${typeName(given)}, not text or null`, given);
  if (typeof given === 'string' && isFailedCall(given)) throw new RowFault(name, 'stands for a call that failed: judge the response again', given, true);
  const said = booleanOf(row, 'satisfied');
  const comment = typeof given === 'string' && isEmptyComment(given) ? null : (given ?? null);
  if (said !== true && comment === null && typeof given === 'string') {
    throw new RowFault(name, 'says nothing: the comment is empty; write what is wrong, or set satisfied to true where nothing is', given, true);
  }
  const score = row.layout.alpaca ? numberOf(row, 'score') : undefined;
  if (said === undefined && given === undefined && score === undefined) throw new RowFault(name, 'is missing (null says the response was satisfactory)', given);
  const satisfied = said ?? ((score !== undefined && score >= 7) || comment === null);
  if (!satisfied && comment === null) throw new RowFault(name, 'says nothing though satisfied is false: write what is wrong with the response', given);
  return { ...plain, judgment: comment, satisfied };
}

/** A judged row; `refinement` is null or absent until one is made. */
export function readRefined(row: Context): RefinedRow {
  const judged = readJudged(row);
  const given = structured(row, 'refinement');
  return (given ?? null) === null ? judged : { ...judged, refinement: asResponse(nameOf(row, 'refinement'), given) };
}
