/** Sums in words: Cobbe et al. 2021, arXiv 2110.14168. */
import { z } from 'zod';
import { needs } from '../../data/columns.js';
import { defineRow, shape } from '../../data/row.js';
import { common } from '../../data/row-cells.js';
import { requiredText } from './cells.js';
import { askedShape, sampledShape } from './options.js';
import type { ContinuationTask } from './task.js';

const SumItem = z.object({
  ...shape.base, question: z.string(), answer: z.string(),
});
type SumItem = z.infer<typeof SumItem>;

/** What stands for a number where there is none. */
const INVALID = '[invalid]';

/** The number behind the first `####`. */
export const strictNumber = (text: string): string => /#### (-?[0-9.,]+)/.exec(text)?.[1] ?? INVALID;

/** The last number of a text, wherever it stands. */
export const flexibleNumber = (text: string): string =>
  [...text.matchAll(/(-?[$0-9.,]{2,})|(-?[0-9]+)/g)].at(-1)?.[0] ?? INVALID;

/** What is compared: without `,`, `$`, all up to `#### ` and a full stop at the end, in lower case. */
export const bare = (text: string): string =>
  text.replaceAll(',', '').replaceAll('$', '').replace(/[^]*#### /, '').replace(/\.(?=\n?$)/, '').toLowerCase();

/** `exact_match` of the number, in its two forms. Source: lm_eval/tasks/gsm8k and lm_eval/filters/extraction.py. */
export const gsm8k: ContinuationTask<SumItem> = {
  kind: 'continuation',
  name: 'gsm8k',
  options: z.strictObject({ task: z.literal('gsm8k'), ...askedShape, ...sampledShape(256), shots: z.int().min(0).default(5) }),
  row: defineRow<SumItem>({
    kind: 'gsm8k',
    columns: ['question', 'answer'],
    onlyRead: true,
    schema: SumItem,
    needs: () => needs('question and answer', ['question'], ['answer']),
    read: (row) => ({
      ...common(row), question: `Question: ${requiredText(row, 'question')}\nAnswer:`, answer: requiredText(row, 'answer'),
    }),
    prompt: ({ question }) => [{ role: 'user', content: question }],
    responses: ({ answer }) => [answer],
  }),
  stop: ['Question:', '</s>', '<|im_end|>'],
  measure({ answer }, text) {
    const right = bare(answer);
    return {
      'exact_match,strict-match': Number(bare(strictNumber(text)) === right),
      'exact_match,flexible-extract': Number(bare(flexibleNumber(text)) === right),
    };
  },
};
