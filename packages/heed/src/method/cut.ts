import { type Tensor, add, mul, neg, sub, sum, toFloat, greater } from '@heed/tensor';
import { z } from 'zod';
import { limitSatisfied } from '../data/ratio.js';
import { judgmentFormat } from './options.js';
import { type Loss, type Term, defineMethod } from './method.js';
import { Tokens } from './tokens.js';

/** Options that mean nothing once a part is left out. */
const IGNORED = { l1: ['lambda', 'alpha', 'gamma', 'endOfTurn'], 'l2-judged': [], 'l2-satisfied': ['ratio'], detection: ['lambda'] } as const;

const options = z.strictObject({
  /**
   * Which loss. `acl`: L1 + L2 with the dynamic weight q^γ (ACL 2024, Eq. 6-7). `v1`: constant weight, unsatisfactory rows halved,
   * as the authors' code computes it at micro-batch 1.
   */
  loss: z.enum(['acl', 'v1']).default('acl'),
  /** λ: a token is inappropriate where q/p > λ. Default 1.1. The paper tries 1.1 and 1.2. */
  lambda: z.number().min(1).optional(),
  /** α: weight of unlikelihood. Default 1. The paper tries 0.25, 0.5 and 1. */
  alpha: z.number().min(0).optional(),
  /** γ: exponent of q in the dynamic weight; 0 switches it off. Of `acl` alone. Default 1. The paper tries 0.25, 0.5, 1 and 2. */
  gamma: z.number().min(0).optional(),
  /** Satisfactory rows (Align-P) kept for each unsatisfactory one; null keeps all. Default 0.25, as the paper. */
  ratio: z.number().min(0).nullable().optional(),
  judgment: judgmentFormat,
  /**
   * What L1 does with the end of turn. `judge`, the default: as with any token (the paper). `keep`: it is never inappropriate, always
   * imitated. `ignore`: neither; when to stop is learnt from L2 alone.
   */
  endOfTurn: z.enum(['judge', 'keep', 'ignore']).optional(),
  /**
   * Parts left out, for ablation (the paper's table 4). `l1`: what remains is hindsight. `l2-judged`: the second half of L2, of
   * unsatisfactory rows. `l2-satisfied`: the first half; satisfactory rows are left out. `detection`: every token of an unsatisfactory
   * response is inappropriate. (Without the dynamic weight: `gamma: 0`.)
   */
  without: z.array(z.enum(['l1', 'l2-judged', 'l2-satisfied', 'detection'])).default([]),
})
  .refine(({ loss, gamma }) => loss === 'acl' || gamma === undefined, { path: ['gamma'], message: 'the loss "v1" has no gamma; leave it out or use loss: acl' })
  .refine(({ without }) => new Set(without).size === without.length, { path: ['without'], message: 'names a part twice' })
  .refine(({ without }) => !without.includes('l1') || !without.includes('detection'), { path: ['without'], message: 'without l1 there is no detection to leave out' })
  .refine(({ without }) => !without.includes('l1') || !without.includes('l2-judged'), {
    path: ['without'], message: 'without l1 and l2-judged nothing is learnt from judgments; to imitate the satisfactory rows use method: sft on them',
  })
  .refine(({ alpha, gamma }) => alpha !== 0 || gamma === undefined, { path: ['gamma'], message: 'with alpha 0 nothing is pushed down, and gamma is ignored; leave it out' })
  .refine(({ without, alpha, endOfTurn }) => !without.includes('detection') || alpha !== 0 || endOfTurn === 'keep', {
    path: ['alpha'], message: 'without detection every token is inappropriate, and with alpha 0 nothing is pushed down: L1 is 0; leave l1 out instead',
  })
  .superRefine(({ without, ...given }, context) => {
    if (given.judgment !== undefined && !partsOf({ without, ...given }).readsQ) {
      context.addIssue({ code: 'custom', path: ['judgment'], message: 'nothing is scored under the judgment with these options, and its wording is ignored; leave it out' });
    }
    for (const part of without) {
      for (const name of IGNORED[part].filter((x) => given[x] !== undefined)) context.addIssue({ code: 'custom', path: [name], message: `is ignored without ${part}; leave it out` });
    }
  });

type Options = z.infer<typeof options>;

/** What a loss with these options is made of, and whether it reads q at all. */
function partsOf({ loss, alpha = 1, gamma = loss === 'v1' || alpha === 0 ? 0 : 1, without }: Pick<Options, 'loss' | 'alpha' | 'gamma' | 'without'>) {
  const [l1, judged, detection] = [!without.includes('l1'), !without.includes('l2-judged'), !without.includes('detection')];
  return { l1, judged, detection, alpha, gamma, readsQ: judged || detection || gamma > 0 };
}

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
  sequences(row, text, given) {
    const { l1, readsQ } = partsOf(given);
    return {
      ...(row.satisfied || l1 ? { plain: text.respond(row.prompt, row.completion) } : {}),
      ...(row.satisfied || !readsQ ? {} : { judged: text.respondJudged(row.prompt, row.judgment ?? '', row.completion, given.judgment) }),
    };
  },
  columnsOf: (row) => ({ unsatisfied: row.satisfied ? 0 : 1 }),
  uses: (row, { without }) => !row.satisfied || !without.includes('l2-satisfied'),
  unfitTogether: (rows, { without }) =>
    without.includes('l2-satisfied') && rows.every((row) => row.satisfied) ? 'every row is satisfactory, and without l2-satisfied those teach nothing' : undefined,
  select: (rows, { ratio = 0.25, without }, random) => (ratio === null || without.includes('l2-satisfied') ? rows : limitSatisfied(rows, ratio, random)),

  loss({ logp: { plain, judged }, columns: { unsatisfied }, rows }, given) {
    const { lambda = 1.1, endOfTurn = 'judge' } = given;
    const { l1: withL1, judged: withJudged, detection, alpha, gamma, readsQ } = partsOf(given);
    const bad = unsatisfied!;
    const good = sub(1, bad);
    const perRow = (x: Tensor, count: Tensor): Term => ({ sum: sum(x), count: sum(count) });
    const satisfied = mul(good, neg(plain.mean()));
    const metrics: Record<string, Term> = { nll_satisfied: perRow(satisfied, good) };
    let ofBad: Tensor | undefined;
    let heatmap: Loss['heatmap'];

    if (withL1) {
      const logRatio = readsQ ? judged.sub(plain).detach() : plain.map((x) => sub(x, x));
      const likelier = detection ? logRatio.greater(Math.log(lambda)) : new Tokens(plain.mask, plain.mask);
      const content = plain.last().map((x) => sub(1, x));
      const inappropriate = endOfTurn === 'judge' ? likelier : likelier.mul(content);
      const weight = gamma === 0 ? inappropriate.mul(alpha) : inappropriate.mul(judged.mul(gamma).exp().detach()).mul(alpha);
      const unlikelihood = weight.mul(plain.log1mexp());
      const imitated = endOfTurn === 'ignore' ? plain.mul(content) : plain;
      const likelihood = imitated.sub(imitated.mul(inappropriate));
      const l1 = mul(bad, neg(likelihood.add(unlikelihood).mean()));
      ofBad = l1;
      if (readsQ) heatmap = { of: 'plain', logRatio, flagged: inappropriate };
      metrics['l1'] = perRow(l1, bad);
      metrics['inappropriate'] = perRow(mul(bad, inappropriate.sum()), mul(bad, plain.count()));
      metrics['rows_with_inappropriate'] = perRow(mul(bad, toFloat(greater(inappropriate.sum(), 0.5))), bad);
    }
    if (withJudged) {
      const l2 = mul(bad, neg(judged.mean()));
      ofBad = ofBad === undefined ? l2 : add(ofBad, l2);
      metrics['nll_judged'] = perRow(l2, bad);
    }
    const ofRow = add(satisfied, given.loss === 'v1' ? mul(ofBad!, 0.5) : ofBad!);
    return { terms: [{ sum: sum(ofRow), count: rows }], metrics, ...(heatmap === undefined ? {} : { heatmap }) };
  },
});
