import { add, mul, neg, sub, sum } from '@heed/tensor';
import { z } from 'zod';
import { defineMethod } from './method.js';

const options = z.strictObject({
  /** α: weight of unlikelihood. */
  alpha: z.number().min(0).default(1),
});

/**
 * Unlikelihood training. Welleck et al., ICLR 2020, arXiv 1908.04319; with whole responses as negative candidates, as Li et al.
 * (ACL 2020, arXiv 1911.03860) do and the CUT paper's ablation "without detection" does:
 *
 *   L = −1/N [ Σ_good log p_t + α Σ_bad log(1 − p_t) ]
 *
 * over the response tokens t of rows labelled good and bad, N of both together. Unit: token. Unlike gradient ascent it is bounded below:
 * a token that is unlikely already is pushed hardly any further.
 */
export const unlikelihood = defineMethod({
  name: 'unlikelihood',
  paper: 'Welleck et al., Neural Text Generation with Unlikelihood Training, ICLR 2020, arXiv 1908.04319',
  row: 'labelled',
  options,
  names: ['response'],
  columns: ['bad'],
  sequences: (row, text) => ({ response: text.respond(row.prompt, row.completion) }),
  columnsOf: (row) => ({ bad: row.label ? 0 : 1 }),
  unfitTogether(rows) {
    if (rows.some((row) => !row.label)) return undefined;
    return 'every row is labelled good, and unlikelihood is about bad ones; to imitate good answers use method: sft';
  },

  loss({ logp: { response }, columns: { bad: column } }, { alpha }) {
    const bad = column!;
    const good = sub(1, bad);
    const [likelihood, unlikely] = [mul(good, response.sum()), mul(bad, response.log1mexp().sum())];
    const tokens = response.count();
    const [ofGood, ofBad] = [sum(mul(good, tokens)), sum(mul(bad, tokens))];
    return {
      terms: [{ sum: neg(sum(add(likelihood, mul(unlikely, alpha)))), count: sum(tokens) }],
      metrics: {
        nll_good: { sum: neg(sum(likelihood)), count: ofGood },
        nll_bad: { sum: neg(sum(mul(bad, response.sum()))), count: ofBad },
        unlikelihood: { sum: neg(sum(unlikely)), count: ofBad },
      },
    };
  },
});
