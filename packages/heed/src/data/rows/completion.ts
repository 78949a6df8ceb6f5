import { z } from 'zod';
import { needs } from '../columns.js';
import { type BaseRow, defineRow, type Remark, satisfiedVerdict, shape } from '../row.js';
import { ANSWER_COLUMNS, answersInMessages, ratedAnswerOf, satisfiedOf } from '../row-cells.js';

/** A prompt and the response to learn. TRL: `prompt`, `completion`; Alpaca: `instruction`, `input`, `output`. */
export const CompletionRow = z.object({
  ...shape.base, prompt: shape.prompt, completion: z.string(), scores: shape.scores, satisfied: shape.satisfied,
});
export type CompletionRow = z.infer<typeof CompletionRow>;

/** Rows that say that their response is bad, where good ones are to be imitated. */
export const badResponses = (rows: readonly (BaseRow & { readonly satisfied?: boolean })[]): Remark => ({
  name: 'bad responses',
  rows: rows.filter(({ satisfied }) => satisfied === false),
  advice: 'satisfied, label or a judgment says that the response is bad; sft leaves such rows out',
});

export const completion = defineRow({
  kind: 'completion',
  columns: [...ANSWER_COLUMNS, 'scores', 'satisfied', 'label'],
  schema: CompletionRow,
  needs: (layout) => (answersInMessages(layout) ? [] : needs('prompt and completion, or messages', ['prompt'], ['completion'])),
  read: (row) => ({ ...ratedAnswerOf(row), ...satisfiedOf(row) }),
  prompt: (row) => row.prompt,
  responses: (row) => [row.completion],
  verdict: ({ satisfied }) => satisfiedVerdict(satisfied),
  view: (rows) => ({ remarks: [badResponses(rows)] }),
});
