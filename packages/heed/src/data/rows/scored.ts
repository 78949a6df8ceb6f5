import { z } from 'zod';
import { needs } from '../columns.js';
import { defineRow, shape } from '../row.js';
import { ANSWER_COLUMNS, answersInMessages, nameOf, numberOf, ratedAnswerOf, value } from '../row-cells.js';
import { histogram, summary } from '../table.js';
import { RowFault } from '../turns.js';

/** A response and a number that says how good it is, higher better; its range is the file's own. */
export const ScoredRow = z.object({ ...shape.base, prompt: shape.prompt, completion: z.string(), scores: shape.scores, score: z.number() });
export type ScoredRow = z.infer<typeof ScoredRow>;

export const scored = defineRow({
  kind: 'scored',
  columns: [...ANSWER_COLUMNS, 'scores', 'score'],
  schema: ScoredRow,
  needs: (layout) => needs('prompt, completion and score', ...(answersInMessages(layout) ? [] : [['prompt'], ['completion']]), ['score']),
  read(row) {
    const score = numberOf(row, 'score');
    if (score === undefined) throw new RowFault(nameOf(row, 'score'), 'is missing', value(row, 'score'));
    return { ...ratedAnswerOf(row), score };
  },
  prompt: (row) => row.prompt,
  responses: (row) => [row.completion],
  view(rows) {
    const scores = rows.map(({ score }) => score);
    const one = rows.length > 1 && new Set(scores).size === 1;
    return {
      tables: [histogram(`score: ${summary(scores)}`, scores)],
      remarks: [{
        name: 'one score only',
        rows: one ? rows : [],
        advice: `every score is ${scores[0]}; it says nothing of which response is better`,
      }],
    };
  },
});
