import { neg, sum } from '@heed/tensor';
import { z } from 'zod';
import { defineMethod } from './method.js';

/** What asks for the judgment, as a further turn; the papers give no wording. */
const QUESTION = 'Judge your response to the instruction above. If it is perfect, reply only with "perfect". ' +
  'Otherwise say precisely what is wrong with it.';

const options = z.strictObject({
  /** The turn that asks for the judgment. */
  question: z.string().min(1).default(QUESTION),
});

/**
 * Forward prediction: imitate the response and predict its judgment (Weston 2016; Li et al. 2017),
 * L = −1/N Σ log p(y_t|y_<t, x) − 1/Q Σ log p(j_t|j_<t, y, x). It imitates unsatisfactory responses too, as in the paper's baseline.
 * A row without a judgment in words teaches its response alone. Unit: row.
 */
export const forwardPrediction = defineMethod({
  name: 'forward-prediction',
  paper: 'Weston, Dialog-based Language Learning, NeurIPS 2016; as in arXiv 2312.14591, section 3.2',
  row: 'judged',
  options,
  names: ['response', 'judgment'],
  columns: [],
  sequences({ prompt, completion, judgment }, text, { question }) {
    const response = text.respond(prompt, completion);
    if (judgment === null) return { response };
    const asked = [...prompt, { role: 'assistant', content: completion }, { role: 'user', content: question }] as const;
    return { response, judgment: text.respond(asked, judgment) };
  },
  loss({ logp: { response, judgment }, rows }) {
    const [y, j] = [neg(sum(response.mean())), neg(sum(judgment.mean()))];
    return {
      terms: [{ sum: y, count: rows }, { sum: j, count: rows }],
      metrics: {
        nll_response: { sum: neg(sum(response.sum())), count: sum(response.count()) },
        nll_judgment: { sum: neg(sum(judgment.sum())), count: sum(judgment.count()) },
      },
    };
  },
});
