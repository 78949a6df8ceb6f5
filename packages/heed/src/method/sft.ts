import { neg, sum } from '@heed/tensor';
import { z } from 'zod';
import { defineMethod } from './method.js';

/**
 * Supervised fine-tuning: imitate every assistant turn, L = −Σ log p(y_t|…) / Σ tokens. Each turn's end-of-turn token is
 * supervised, nothing of the prompt is. Unit: token (as in TRL), so long turns weigh more. A row that says that its response is bad
 * (`satisfied` or `label` false, or a judgment of what is wrong) is left out.
 */
export const sft = defineMethod({
  name: 'sft',
  paper: 'Ouyang et al., Training language models to follow instructions with human feedback, arXiv 2203.02155, step 1',
  row: 'conversation',
  options: z.strictObject({}),
  names: ['turns'],
  columns: [],
  uses: ({ satisfied }) => satisfied !== false,
  unused: 'not satisfactory (by satisfied, label or judgment)',
  unfitTogether: (rows) =>
    rows.every(({ satisfied }) => satisfied === false)
      ? 'every row says that its response is bad (by satisfied, label or judgment), and sft imitates good ones; ' +
        'to learn from bad responses use method: unlikelihood or cut, or npo or d2o'
      : undefined,
  sequences: (row, text) => ({ turns: text.converse(row.messages) }),
  loss({ logp: { turns } }) {
    const nll = { sum: neg(sum(turns.sum())), count: sum(turns.count()) };
    return { terms: [nll], metrics: {} };
  },
});
