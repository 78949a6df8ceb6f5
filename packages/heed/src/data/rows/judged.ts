import { z } from 'zod';
import { UserError } from '../../errors.js';
import { type Layout, type Need, needs } from '../columns.js';
import { findsFault, isEmptyComment, isFailedCall, looksLikePraise } from '../judgment.js';
import { typeName } from '../problem.js';
import { defineRow, type Remark, satisfiedVerdict, shape } from '../row.js';
import { ANSWER_COLUMNS, booleanOf, type Context, nameOf, numberOf, ratedAnswerOf, value } from '../row-cells.js';
import { RowFault } from '../turns.js';

const SILENT = 'says nothing though satisfied is false: write what is wrong with the response';

/**
 * A response and what was said about it. `judgment: null` says that nothing was found wrong, so that `satisfied` is true; a satisfied
 * row may carry words of praise.
 */
export const JudgedRow = z
  .object({
    ...shape.base, prompt: shape.prompt, completion: z.string(), scores: shape.scores,
    judgment: z.string().nullable(), satisfied: z.boolean(),
  })
  .refine(({ satisfied, judgment }) => satisfied || judgment !== null, {
    path: ['judgment'],
    message: SILENT,
  });
export type JudgedRow = z.infer<typeof JudgedRow>;

export const JUDGED_COLUMNS: readonly string[] = [...ANSWER_COLUMNS, 'scores', 'judgment', 'satisfied', 'score'];

export function needsOfJudged(layout: Layout, more = ''): Need[] {
  if (layout.mapped.has('score') && !layout.alpaca) {
    throw new UserError('data.columns.score: judged rows read a score in Alpaca files alone, where 7 or more is satisfactory', [
      'Leave it out, and let satisfied say which responses are good.',
    ]);
  }
  return needs(`prompt, completion, and judgment or satisfied${more}`, ['prompt'], ['completion'], ['judgment', 'satisfied']);
}

/** `satisfied`, where given, decides; else Alpaca's score; else a judgment says that something is wrong, and null that nothing is. */
export function readJudged(row: Context): JudgedRow {
  const plain = ratedAnswerOf(row);
  const given = value(row, 'judgment');
  const name = nameOf(row, 'judgment');
  if (given !== undefined && given !== null && typeof given !== 'string') {
    throw new RowFault(name, `is ${typeName(given)}, not text or null`, given);
  }
  if (typeof given === 'string' && isFailedCall(given)) {
    throw new RowFault(name, 'stands for a call that failed: judge the response again', given, true);
  }
  const said = booleanOf(row, 'satisfied');
  const judgment = typeof given === 'string' && isEmptyComment(given) ? null : (given ?? null);
  if (said !== true && judgment === null && typeof given === 'string') {
    const way = 'write what is wrong, or set satisfied to true where nothing is';
    throw new RowFault(name, `says nothing: the comment is empty; ${way}`, given, true);
  }
  const score = row.layout.alpaca ? numberOf(row, 'score') : undefined;
  if (said === undefined && given === undefined && score === undefined) {
    throw new RowFault(name, 'is missing (null says the response was satisfactory)', given);
  }
  const satisfied = said ?? ((score !== undefined && score >= 7) || judgment === null);
  if (!satisfied && judgment === null) throw new RowFault(name, SILENT, given);
  return { ...plain, judgment, satisfied };
}

/** Judgments whose words do not agree with `satisfied`. */
export const doubtfulJudgments = (rows: readonly JudgedRow[]): Remark[] => [
  {
    name: 'praise among negatives',
    rows: rows.filter(({ satisfied, judgment }) => !satisfied && judgment !== null && looksLikePraise(judgment)),
    advice: 'the judgment opens with "perfect", yet the row counts as unsatisfactory; read them, then set satisfied: true or drop them',
  },
  {
    name: 'criticism of satisfied rows',
    rows: rows.filter(({ satisfied, judgment }) => satisfied && judgment !== null && findsFault(judgment)),
    advice: 'the row says satisfied: true, yet its judgment finds fault; satisfied decides',
  },
];

export const judged = defineRow({
  kind: 'judged',
  columns: JUDGED_COLUMNS,
  schema: JudgedRow,
  needs: (layout) => needsOfJudged(layout),
  read: readJudged,
  prompt: (row) => row.prompt,
  responses: (row) => [row.completion],
  notes: ({ judgment }) => (judgment === null ? [] : [judgment]),
  verdict: ({ satisfied }) => satisfiedVerdict(satisfied),
  view: (rows) => ({ remarks: doubtfulJudgments(rows) }),
});
