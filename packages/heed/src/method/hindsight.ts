import { add, mul, neg, sub, sum } from '@heed/tensor';
import { z } from 'zod';
import { limitSatisfied } from '../data/ratio.js';
import { tooFewSatisfactory } from './judged.js';
import { judgmentFormat } from './options.js';
import { defineMethod } from './method.js';

const options = z.strictObject({
  /** Satisfactory rows kept for each unsatisfactory one; null keeps all. As in `cut`, so that the two are compared on the same rows. */
  ratio: z.number().min(0).nullable().default(0.25),
  judgment: judgmentFormat,
});

/**
 * Hindsight from judgments: imitate each response under the prompt that carries its judgment (Zhang et al. 2023; Liu et al. 2023,
 * chain of hindsight), L = −1/N Σ log p(y_t|y_<t, x, j). A satisfactory row is imitated under the plain prompt. This is CUT without
 * L1: the two rows of its paper's ablation table are equal. Unit: row.
 */
export const hindsight = defineMethod({
  name: 'hindsight',
  paper: 'Liu et al., Chain of Hindsight Aligns Language Models with Feedback, arXiv 2302.02676; as in arXiv 2312.14591, section 3.2',
  row: 'judged',
  options,
  names: ['plain', 'judged'],
  columns: ['unsatisfied'],
  sequences: (row, text, { judgment }) =>
    row.satisfied
      ? { plain: text.respond(row.prompt, row.completion) }
      : { judged: text.respondJudged(row.prompt, row.judgment ?? '', row.completion, judgment) },
  columnsOf: (row) => ({ unsatisfied: row.satisfied ? 0 : 1 }),
  hinders: (rows) => tooFewSatisfactory(rows),
  select: (rows, { ratio }, random) => (ratio === null ? rows : limitSatisfied(rows, ratio, random)),

  loss({ logp: { plain, judged }, columns: { unsatisfied }, rows }) {
    const bad = unsatisfied!;
    const good = sub(1, bad);
    const [ofJudged, ofPlain] = [mul(bad, neg(judged.mean())), mul(good, neg(plain.mean()))];
    return {
      terms: [{ sum: sum(add(ofJudged, ofPlain)), count: rows }],
      metrics: { nll_judged: { sum: sum(ofJudged), count: sum(bad) }, nll_satisfied: { sum: sum(ofPlain), count: sum(good) } },
    };
  },
});
