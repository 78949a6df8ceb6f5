import { z } from 'zod';
import { needs } from '../columns.js';
import { defineRow, shape } from '../row.js';
import { ANSWER_COLUMNS, answersInMessages, nameOf, ratedAnswerOf, voteOf } from '../row-cells.js';
import { RowFault } from '../turns.js';
import { oneClass } from './classified.js';

/** A response and a vote: `label` true for good, false for bad. TRL: "unpaired preference". */
export const LabelledRow = z.object({
  ...shape.base, prompt: shape.prompt, completion: z.string(), scores: shape.scores, label: z.boolean(),
});
export type LabelledRow = z.infer<typeof LabelledRow>;

export const labelled = defineRow({
  kind: 'labelled',
  columns: [...ANSWER_COLUMNS, 'scores', 'label'],
  schema: LabelledRow,
  needs: (layout) => needs('prompt, completion and label', ...(answersInMessages(layout) ? [] : [['prompt'], ['completion']]), ['label']),
  read(row) {
    const plain = ratedAnswerOf(row);
    const label = voteOf(row);
    if (label === undefined) throw new RowFault(nameOf(row, 'label'), 'is missing', undefined);
    return { ...plain, label };
  },
  prompt: (row) => row.prompt,
  responses: (row) => [row.completion],
  verdict: ({ label }) => ({ says: label, word: label ? 'good' : 'bad' }),
  view: (rows) => ({ remarks: [oneClass(rows, 'there is nothing to tell apart: losses for votes (KTO, BCO) need good and bad rows')] }),
});
