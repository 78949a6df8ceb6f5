import { add, mul, neg, sub, sum } from '@heed/tensor';
import { z } from 'zod';
import { limitSatisfied } from '../data/ratio.js';
import { type RefinedRow, sameText } from '../data/rows.js';
import { defineMethod } from './method.js';

const options = z.strictObject({
  /**
   * Satisfactory rows kept for each unsatisfactory one, whose completion is imitated as it is; null keeps all. The papers learn from
   * refinements alone: 0. Use `cut`'s 0.25 to compare the two on the same rows.
   */
  ratio: z.number().min(0).nullable().default(0),
});

/** Why a row that should have a refinement cannot be learnt from, else undefined. */
export function lacksRefinement({ completion, refinement }: RefinedRow): string | undefined {
  if (refinement === undefined) return 'it is not satisfied and has no refinement; let the model make one, or leave the row out';
  return sameText(refinement, completion) ? 'its refinement equals its completion: nothing was refined' : undefined;
}

/**
 * Imitation learning from language feedback: imitate the response ŷ that the model itself wrote when shown its first one and the
 * judgment of it, under the plain prompt: L = −1/N Σ log p(ŷ_t|ŷ_<t, x). Scheurer et al. 2023, arXiv 2303.16755; "ILF-MLE" in the CUT
 * paper. Unit: row.
 */
export const ilf = defineMethod({
  name: 'ilf',
  paper: 'Scheurer et al., Training Language Models with Language Feedback at Scale, arXiv 2303.16755; as in arXiv 2312.14591, section 3.2',
  row: 'refined',
  options,
  names: ['refinement', 'satisfied'],
  columns: ['satisfied'],
  sequences: ({ prompt, completion, refinement, satisfied }, text) =>
    satisfied ? { satisfied: text.respond(prompt, completion) } : { refinement: text.respond(prompt, refinement!) },
  columnsOf: (row) => ({ satisfied: row.satisfied ? 1 : 0 }),
  unfit: (row) => (row.satisfied ? undefined : lacksRefinement(row)),
  select: (rows, { ratio }, random) => (ratio === null ? rows : limitSatisfied(rows, ratio, random)),

  loss({ logp: { refinement, satisfied }, columns: { satisfied: column }, rows }) {
    const good = column!;
    const refined = sub(1, good);
    const [ofRefinement, ofSatisfied] = [mul(refined, neg(refinement.mean())), mul(good, neg(satisfied.mean()))];
    return {
      terms: [{ sum: sum(add(ofRefinement, ofSatisfied)), count: rows }],
      metrics: {
        nll_refinement: { sum: sum(ofRefinement), count: sum(refined) },
        nll_satisfied: { sum: sum(ofSatisfied), count: sum(good) },
      },
    };
  },
});
