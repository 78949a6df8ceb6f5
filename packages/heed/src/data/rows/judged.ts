import { z } from 'zod';
import { UserError } from '../../errors.js';
import { type Layout, type Need, needs } from '../columns.js';
import { refusalIn } from '../../text/refusal.js';
import { speechOf } from '../../text/thoughts.js';
import { findsFault, isEmptyComment, isFailedCall, looksLikePraise } from '../judgment.js';
import { defineRow, type Remark, satisfiedVerdict, shape } from '../row.js';
import {
  ANSWER_COLUMNS, answersInMessages, type Context, nameOf, notice, numberOf, plainText, ratedAnswerOf, satisfiedOf, value,
} from '../row-cells.js';
import { RowFault } from '../turns.js';

const SILENT = 'says nothing though satisfied is false: write what is wrong with the response';

const UNSAID = 'called good by silence';
/** Where a larger share of the rows has no judgment, a missing one hardly means praise. */
const UNSAID_FROM = 1 / 3;
const UNSAID_ADVICE = 'no judgment stands there and nothing says that the response is good; where silence means nothing, name the column '
  + 'that says it (data.columns: { satisfied: … }) or leave such rows out';

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

export const JUDGED_COLUMNS: readonly string[] = [...ANSWER_COLUMNS, 'scores', 'judgment', 'satisfied', 'label', 'score'];

export function needsOfJudged(layout: Layout, more = ''): Need[] {
  if (layout.mapped.has('score') && !layout.alpaca) {
    throw new UserError('data.columns.score: judged rows read a score in Alpaca files alone, where 7 or more is satisfactory', [
      'Leave it out, and let satisfied say which responses are good.',
    ]);
  }
  const answer = answersInMessages(layout) ? [] : [['prompt'], ['completion']];
  const said = ['judgment', 'satisfied', ...(layout.votes || layout.mapped.has('label') ? ['label'] : [])];
  return needs(`prompt, completion, and judgment or satisfied${more}`, ...answer, said);
}

/**
 * `satisfied`, or a vote in `label`, decides; else Alpaca's score. Else a judgment means a bad response, and no judgment a good one.
 * An empty comment is none, and without `satisfied` says neither.
 */
export function readJudged(row: Context): JudgedRow {
  const plain = ratedAnswerOf(row);
  const given = plainText(row, 'judgment');
  const name = nameOf(row, 'judgment');
  if (given !== undefined && isFailedCall(given)) {
    throw new RowFault(name, 'stands for a call that failed: judge the response again', given, true);
  }
  const { satisfied: said } = satisfiedOf(row);
  const judgment = given === undefined || isEmptyComment(given) ? null : given;
  if (said !== true && judgment === null && given !== undefined) {
    const way = 'write what is wrong, or set satisfied to true where nothing is';
    throw new RowFault(name, `says nothing: the comment is empty; ${way}`, given, true);
  }
  const score = row.layout.alpaca ? numberOf(row, 'score') : undefined;
  if (said === undefined && score === undefined && value(row, 'judgment') === undefined) {
    throw new RowFault(name, 'is missing (null says the response was satisfactory)', undefined);
  }
  const satisfied = said ?? ((score !== undefined && score >= 7) || judgment === null);
  if (!satisfied && judgment === null) throw new RowFault(name, SILENT, value(row, 'judgment'), true);
  if (said === undefined && score === undefined && judgment === null) notice(row, UNSAID, UNSAID_ADVICE, UNSAID_FROM);
  return { ...plain, judgment, satisfied };
}

/** Judgments whose words do not agree with `satisfied`. */
export const doubtfulJudgments = (rows: readonly JudgedRow[]): Remark[] => [
  {
    name: 'praise among negatives',
    rows: rows.filter(({ satisfied, judgment }) => !satisfied && judgment !== null && looksLikePraise(judgment)),
    advice: 'the judgment praises, yet the row counts as unsatisfactory; read them, then set satisfied: true or drop them',
  },
  {
    name: 'thoughts in judgments',
    rows: rows.filter(({ judgment }) => judgment !== null && speechOf(judgment).text !== judgment),
    advice: 'a judge thought aloud there; the thoughts are read as words about the response: keep what stands after them',
  },
  {
    name: 'refusals as judgments',
    rows: rows.filter(({ judgment }) => judgment !== null && refusalIn(judgment) !== undefined),
    advice: 'the judge refused to judge, which says nothing of the response: judge it again, or drop the row',
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
