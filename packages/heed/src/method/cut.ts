import { type Tensor, add, mul, neg, sub, sum, toFloat, greater } from '@heed/tensor';
import { z } from 'zod';
import { limitSatisfied } from '../data/ratio.js';
import type { JudgedRow } from '../data/rows.js';
import type { TokenSequence } from '../text/token-sequence.js';
import { tooFewQuotes, tooFewSatisfactory } from './judged.js';
import { type Loss, type Respond, type Term, defineMethod } from './method.js';
import { judgmentFormat, optionsWith } from './options.js';
import { Tokens } from './tokens.js';

/** Parts of the loss that can be left out. */
const PARTS = ['l1', 'l2-judged', 'l2-satisfied', 'detection'] as const;
type Part = (typeof PARTS)[number];

/** Why an option means nothing where one of these parts is left out. */
function ignoredWithout(without: readonly Part[], ...parts: readonly Part[]): string | undefined {
  const part = parts.find((one) => without.includes(one));
  return part === undefined ? undefined : `is ignored without ${part}; leave it out`;
}

const options = optionsWith({
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
  gamma: z.number().min(0).default(1),
  /** Satisfactory rows (Align-P) kept for each unsatisfactory one; null keeps all. The paper keeps 0.25. */
  ratio: z.number().min(0).nullable().default(0.25),
  judgment: judgmentFormat,
  /**
   * What is made of words of the response that the judgment quotes. `ratio`: nothing, the ratio alone decides (the paper). `flag`: their
   * tokens are inappropriate whatever the ratio says, everywhere in the response. Ours.
   */
  quoted: z.enum(['ratio', 'flag']).default('ratio'),
  /**
   * What L1 does with the end of turn. `judge`: as with any token (the paper). `keep`: it is never inappropriate, always
   * imitated. `ignore`: neither; when to stop is learnt from L2 alone.
   */
  endOfTurn: z.enum(['judge', 'keep', 'ignore']).default('judge'),
  /**
   * Parts left out, for ablation (the paper's table 4). `l1`: what remains is hindsight. `l2-judged`: the second half of L2, of
   * unsatisfactory rows. `l2-satisfied`: the first half; satisfactory rows are left out. `detection`: every token of an unsatisfactory
   * response is inappropriate. (Without the dynamic weight: `gamma: 0`.)
   */
  without: z.array(z.enum(PARTS)).default([]),
}, {
  ignored: {
    lambda: ({ without }) => ignoredWithout(without, 'l1', 'detection'),
    alpha: ({ without }) => ignoredWithout(without, 'l1'),
    gamma({ loss, alpha, without }) {
      if (loss === 'v1') return 'the loss "v1" has no gamma; leave it out or use loss: acl';
      if (alpha === 0) return 'with alpha 0 nothing is pushed down, and gamma is ignored; leave it out';
      return ignoredWithout(without, 'l1');
    },
    endOfTurn: ({ without }) => ignoredWithout(without, 'l1'),
    ratio: ({ without }) => ignoredWithout(without, 'l2-satisfied'),
    quoted: ({ without }) => ignoredWithout(without, 'l1', 'detection'),
    judgment: (given) =>
      readsQ(given) ? undefined : 'nothing is scored under the judgment with these options, and its wording is ignored; leave it out',
  },
  wrong: {
    without({ without }) {
      if (new Set(without).size < without.length) return 'names a part twice';
      if (!without.includes('l1')) return undefined;
      if (without.includes('detection')) return 'without l1 there is no detection to leave out';
      if (!without.includes('l2-judged')) return undefined;
      return 'without l1 and l2-judged nothing is learnt from judgments; to imitate the satisfactory rows use method: sft on them';
    },
    alpha({ alpha, endOfTurn, without }) {
      if (alpha !== 0 || endOfTurn === 'keep' || !without.includes('detection')) return undefined;
      return 'without detection every token is inappropriate, and with alpha 0 nothing is pushed down: L1 is 0; leave l1 out instead';
    },
  },
});

/** Whether anything is scored under the judgment. γ is absent where it means nothing. */
const readsQ = ({ gamma = 0, without }: { readonly gamma?: number; readonly without: readonly Part[] }): boolean =>
  !without.includes('l2-judged') || !without.includes('detection') || gamma > 0;

/** Absent where there is nothing to flag. */
const flagsQuoted = ({ quoted }: { readonly quoted?: 'ratio' | 'flag' }): boolean => quoted === 'flag';

const plainOf = (row: JudgedRow, text: Respond, given: { readonly quoted?: 'ratio' | 'flag' }): TokenSequence => (
  flagsQuoted(given) && !row.satisfied
    ? text.respondMarked(row.prompt, row.completion, row.judgment ?? '')
    : text.respond(row.prompt, row.completion)
);

/**
 * Contrastive unlikelihood training: learn from written judgments. Xu et al., Findings of ACL 2024, arXiv 2312.14591.
 *
 * Of an unsatisfactory response y to x, with judgment j: q = p(y|x, j) says which tokens the judgment explains ("judged",
 * Align-N), p = p(y|x) is what the model does unasked ("plain", Misalign). Where q/p > λ the token is inappropriate:
 *
 *   L1 = −1/N [ Σ_{t∉U} log p_t + Σ_{t∈U} α q_t^γ log(1 − p_t) ],   U = { t : q_t > λ p_t }      (Eq. 5, 6)
 *   L2 = −1/N Σ log q_t  of an unsatisfactory row,  −1/N Σ log p_t  of a satisfactory one        (Eq. 7)
 *
 * With `quoted: flag`, U also holds the tokens of words that j quotes of y. q is not differentiated in U or in the weight. N counts
 * response tokens with the end-of-turn token. Unit: row.
 */
export const cut = defineMethod({
  name: 'cut',
  paper: 'Xu et al., Reasons to Reject? Aligning Language Models with Judgments, Findings of ACL 2024, arXiv 2312.14591',
  row: 'judged',
  options,
  names: ['plain', 'judged'],
  columns: ['unsatisfied'],
  marks: (given) => (flagsQuoted(given) ? ['plain'] : []),
  sequences(row, text, given) {
    const plain = row.satisfied || !given.without.includes('l1');
    const judged = !row.satisfied && readsQ(given);
    return {
      ...(plain && { plain: plainOf(row, text, given) }),
      ...(judged && { judged: text.respondJudged(row.prompt, row.judgment ?? '', row.completion, given.judgment) }),
    };
  },
  flags: ({ lambda, without, quoted }) => (
    lambda === undefined || without.includes('l1') ? undefined
      : { of: 'plain', against: 'judged', above: lambda, quoted: quoted === 'flag' }
  ),
  columnsOf: (row) => ({ unsatisfied: row.satisfied ? 0 : 1 }),
  unused: 'satisfactory, and without: l2-satisfied',
  uses: (row, { without }) => !row.satisfied || !without.includes('l2-satisfied'),
  unfitTogether(rows, { without }) {
    if (!without.includes('l2-satisfied') || rows.some((row) => !row.satisfied)) return undefined;
    return 'every row is satisfactory, and without l2-satisfied those teach nothing';
  },
  hinders: (rows, { without }) => [
    ...(without.includes('l2-satisfied') ? [] : tooFewSatisfactory(rows)),
    ...(without.includes('l1') || without.includes('detection') ? [] : tooFewQuotes(rows)),
  ],
  select: (rows, { ratio = null }, random) => (ratio === null ? rows : limitSatisfied(rows, ratio, random)),

  loss({ logp: { plain, judged }, marked, columns: { unsatisfied }, rows }, given) {
    // Absent where they mean nothing: alpha without L1, gamma without a dynamic weight, lambda without a detection.
    const { loss, lambda, alpha = 0, gamma = 0, endOfTurn, without } = given;
    const bad = unsatisfied!;
    const good = sub(1, bad);
    const perRow = (x: Tensor, count: Tensor): Term => ({ sum: sum(x), count: sum(count) });
    const satisfied = mul(good, neg(plain.mean()));
    const metrics: Record<string, Term> = { nll_satisfied: perRow(satisfied, good) };
    let ofBad: Tensor | undefined;
    let heatmap: Loss['heatmap'];

    if (!without.includes('l1')) {
      const logRatio = readsQ(given) ? judged.sub(plain).detach() : plain.map((x) => sub(x, x));
      const likelier = lambda === undefined ? new Tokens(plain.mask, plain.mask) : logRatio.greater(Math.log(lambda));
      const spokenOf = marked.plain === undefined ? likelier : likelier.choose(likelier, marked.plain);
      const content = plain.last().map((x) => sub(1, x));
      const inappropriate = endOfTurn === 'judge' ? spokenOf : spokenOf.mul(content);
      const weight = gamma === 0 ? inappropriate.mul(alpha) : inappropriate.mul(judged.mul(gamma).exp().detach()).mul(alpha);
      const unlikelihood = weight.mul(plain.log1mexp());
      const imitated = endOfTurn === 'ignore' ? plain.mul(content) : plain;
      const likelihood = imitated.sub(imitated.mul(inappropriate));
      const l1 = mul(bad, neg(likelihood.add(unlikelihood).mean()));
      ofBad = l1;
      if (readsQ(given)) heatmap = { of: 'plain', logRatio, flagged: inappropriate };
      metrics['l1'] = perRow(l1, bad);
      metrics['inappropriate'] = perRow(mul(bad, inappropriate.sum()), mul(bad, plain.count()));
      metrics['rows_with_inappropriate'] = perRow(mul(bad, toFloat(greater(inappropriate.sum(), 0.5))), bad);
    }
    if (!without.includes('l2-judged')) {
      const l2 = mul(bad, neg(judged.mean()));
      ofBad = ofBad === undefined ? l2 : add(ofBad, l2);
      metrics['nll_judged'] = perRow(l2, bad);
    }
    const ofRow = add(satisfied, loss === 'v1' ? mul(ofBad!, 0.5) : ofBad!);
    return { terms: [{ sum: sum(ofRow), count: rows }], metrics, heatmap };
  },
});
