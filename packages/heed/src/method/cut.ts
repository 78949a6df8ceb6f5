import { type Tensor, add, mul, neg, sub, sum, toFloat, greater } from '@heed/tensor';
import { z } from 'zod';
import { limitSatisfied } from '../data/ratio.js';
import { judgmentFormat } from './options.js';
import { type Term, defineMethod } from './method.js';

const options = z.strictObject({
  /**
   * Which loss. `acl`: L1 + L2 with the dynamic weight q^γ (ACL 2024, Eq. 6-7). `v1`: constant weight, unsatisfactory rows halved,
   * as the authors' code computes it at micro-batch 1.
   */
  loss: z.enum(['acl', 'v1']).default('acl'),
  /** λ: a token is inappropriate where q/p > λ. The paper tries 1.1 and 1.2. */
  lambda: z.number().min(1).default(1.1),
  /** α: weight of unlikelihood. The paper tries 0.25, 0.5 and 1. */
  alpha: z.number().min(0).default(1),
  /** γ: exponent of q in the dynamic weight; 0 switches it off. Of `acl` alone. The paper tries 0.25, 0.5, 1 and 2. */
  gamma: z.number().min(0).optional(),
  /** Satisfactory rows (Align-P) kept for each unsatisfactory one; null keeps all. The paper keeps 0.25. */
  ratio: z.number().min(0).nullable().default(0.25),
  judgment: judgmentFormat,
  /**
   * What L1 does with the end of turn. `judge`: as with any token (the paper). `keep`: it is never inappropriate, always imitated.
   * `ignore`: neither; when to stop is learnt from L2 alone.
   */
  endOfTurn: z.enum(['judge', 'keep', 'ignore']).default('judge'),
}).refine(({ loss, gamma }) => loss === 'acl' || gamma === undefined, { path: ['gamma'], message: 'the loss "v1" has no gamma; leave it out or use loss: acl' });

/**
 * Contrastive unlikelihood training: learn from written judgments. Xu et al., Findings of ACL 2024, arXiv 2312.14591.
 *
 * Of an unsatisfactory response y to x, with judgment j: q = p(y|x, j) says which tokens the judgment explains ("judged",
 * Align-N), p = p(y|x) is what the model does unasked ("plain", Misalign). Where q/p > λ the token is inappropriate:
 *
 *   L1 = −1/N [ Σ_{t∉U} log p_t + Σ_{t∈U} α q_t^γ log(1 − p_t) ],   U = { t : q_t > λ p_t }      (Eq. 5, 6)
 *   L2 = −1/N Σ log q_t  of an unsatisfactory row,  −1/N Σ log p_t  of a satisfactory one        (Eq. 7)
 *
 * q is not differentiated in U or in the weight. N counts response tokens with the end-of-turn token. Unit: row.
 */
export const cut = defineMethod({
  name: 'cut',
  paper: 'Xu et al., Reasons to Reject? Aligning Language Models with Judgments, Findings of ACL 2024, arXiv 2312.14591',
  row: 'judged',
  options,
  names: ['plain', 'judged'],
  columns: ['unsatisfied'],
  sequences: (row, text, { judgment }) => ({
    plain: text.respond(row.prompt, row.completion),
    ...(row.satisfied ? {} : { judged: text.respondJudged(row.prompt, row.judgment ?? '', row.completion, judgment) }),
  }),
  columnsOf: (row) => ({ unsatisfied: row.satisfied ? 0 : 1 }),
  select: (rows, { ratio }, random) => (ratio === null ? rows : limitSatisfied(rows, ratio, random)),

  loss({ logp: { plain, judged }, columns: { unsatisfied }, rows }, { loss, lambda, alpha, gamma = 1, endOfTurn }) {
    const bad = unsatisfied!;
    const good = sub(1, bad);
    const logRatio = judged.sub(plain).detach();
    const likelier = logRatio.greater(Math.log(lambda));
    const content = plain.last().map((x) => sub(1, x));
    const inappropriate = endOfTurn === 'judge' ? likelier : likelier.mul(content);
    const weight = loss === 'v1' ? inappropriate.mul(alpha) : inappropriate.mul(judged.mul(gamma).exp().detach()).mul(alpha);

    const unlikelihood = weight.mul(plain.log1mexp());
    const imitated = endOfTurn === 'ignore' ? plain.mul(content) : plain;
    const likelihood = imitated.sub(imitated.mul(inappropriate));
    const l1 = mul(bad, neg(likelihood.add(unlikelihood).mean()));
    const l2 = add(mul(good, neg(plain.mean())), mul(bad, neg(judged.mean())));
    const ofRow = loss === 'v1' ? mul(add(l1, l2), sub(1, mul(bad, 0.5))) : add(l1, l2);

    const perRow = (x: Tensor, count: Tensor): Term => ({ sum: sum(x), count: sum(count) });
    const badTokens = mul(bad, plain.count());
    return {
      terms: [{ sum: sum(ofRow), count: rows }],
      metrics: {
        l1: perRow(l1, bad),
        nll_judged: perRow(mul(bad, neg(judged.mean())), bad),
        nll_satisfied: perRow(mul(good, neg(plain.mean())), good),
        inappropriate: perRow(mul(bad, inappropriate.sum()), badTokens),
        rows_with_inappropriate: perRow(mul(bad, toFloat(greater(inappropriate.sum(), 0.5))), bad),
      },
      heatmap: { of: 'plain', logRatio, flagged: inappropriate },
    };
  },
});
