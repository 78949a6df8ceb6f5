/** ROUGE-L against a reference: Lin 2004. */
import { z } from 'zod';
import { needs } from '../../data/columns.js';
import { defineRow, shape } from '../../data/row.js';
import { ANSWER_COLUMNS, answerOf, answersInMessages, common } from '../../data/row-cells.js';
import type { Failure } from '../../judge/respondent.js';
import { sampledShape, taskShape } from './options.js';
import type { AnswerTask, Measures } from './task.js';

const ReferenceItem = z.object({ ...shape.base, prompt: shape.prompt, completion: z.string() });
type ReferenceItem = z.infer<typeof ReferenceItem>;

/** Lower case; runs of anything but a to z and 0 to 9 part the tokens. No stemming. */
export const rougeTokens = (text: string): string[] => text.toLowerCase().split(/[^a-z0-9]+/).filter((token) => token !== '');

/** The length of the longest common subsequence. */
function commonLength(a: readonly string[], b: readonly string[]): number {
  let row = new Array<number>(b.length + 1).fill(0);
  for (const one of a) {
    const next = [0];
    b.forEach((other, j) => next.push(one === other ? row[j]! + 1 : Math.max(row[j + 1]!, next[j]!)));
    row = next;
  }
  return row.at(-1)!;
}

/**
 * With ℓ the longest common subsequence of tokens: precision P = ℓ/|answer|, recall R = ℓ/|reference|, F = 2PR/(P + R); 0 where ℓ is 0.
 *
 * Source: google-research, `rouge/rouge_scorer.py` and `rouge/tokenize.py`.
 */
export function rougeL(answer: string, reference: string): { readonly precision: number; readonly recall: number; readonly f: number } {
  const [given, wanted] = [rougeTokens(answer), rougeTokens(reference)];
  const length = commonLength(wanted, given);
  if (length === 0) return { precision: 0, recall: 0, f: 0 };
  const [precision, recall] = [length / given.length, length / wanted.length];
  return { precision, recall, f: (2 * precision * recall) / (precision + recall) };
}

/** Whether most letters of a text are not Latin. Tokens keep Latin letters alone, so the score of such a text would mean nothing. */
function isOtherScript(text: string): boolean {
  const letters = text.match(/\p{L}/gu) ?? [];
  return 2 * letters.filter((letter) => !/\p{Script=Latin}/u.test(letter)).length > letters.length;
}

function measured(answer: string, { completion }: ReferenceItem): Measures | Failure {
  if (rougeTokens(completion).length === 0 || isOtherScript(completion))
    return { failure: 'not-applicable', detail: 'ROUGE-L compares letters from a to z and digits; the reference has next to none' };
  const { precision, recall, f } = rougeL(answer, completion);
  return { rougeL: f, rougeL_precision: precision, rougeL_recall: recall };
}

/** How much of a reference an answer has, in its order. */
export const rouge: AnswerTask<unknown, ReferenceItem> = {
  kind: 'answer',
  name: 'rouge',
  options: z.strictObject({ task: z.literal('rouge'), ...taskShape, ...sampledShape(96) }),
  row: defineRow<ReferenceItem>({
    kind: 'rouge',
    columns: [...ANSWER_COLUMNS],
    onlyRead: true,
    schema: ReferenceItem,
    needs: (layout) => needs('prompt and completion, the reference', ...(answersInMessages(layout) ? [] : [['prompt'], ['completion']])),
    read: (row) => ({ ...common(row), ...answerOf(row) }),
    prompt: ({ prompt }) => prompt,
    responses: ({ completion }) => [completion],
  }),
  open: async () => ({
    name: 'rouge',
    measure: async (items, answers) => items.map((item, i) => measured(answers[i]!.text, item)),
    close: async () => {},
  }),
};
