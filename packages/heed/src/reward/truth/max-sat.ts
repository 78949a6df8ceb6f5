/** Which of some claims to keep, so that they agree with each other. */

export interface ClaimRelation {
  readonly from: number;
  readonly to: number;
  readonly kind: 'entailment' | 'contradiction';
  /** The probability that the relation holds, below 1. */
  readonly p: number;
}

/** With more claims there are too many subsets to try. */
const MOST = 12;

/**
 * ConCoRD's weighted MaxSAT (Mitchell et al., EMNLP 2022, arXiv 2211.11875, §3.3): keeps the claims that maximise
 * β Σ_kept logit(c) + (1 − β) Σ_satisfied −log(1 − p). All subsets are tried.
 *
 * @param confidences The probability of each claim, between 0 and 1.
 * @param beta How much the claims' own confidences count. Default 0.75.
 * @throws RangeError for more than 12 claims
 */
export function mostConsistent(
  confidences: readonly number[], relations: readonly ClaimRelation[], beta = 0.75,
): { readonly kept: readonly boolean[]; readonly score: number } {
  const n = confidences.length;
  if (n > MOST) throw new RangeError(`mostConsistent: ${n} claims; expected at most ${MOST}`);
  let best: { kept: boolean[]; score: number } | undefined;
  for (let subset = 2 ** n - 1; subset >= 0; subset--) {
    const kept = confidences.map((_, i) => (subset >> i) % 2 === 1);
    const score = scoreOf(kept, confidences, relations, beta);
    if (best === undefined || score > best.score) best = { kept, score };
  }
  return best!;
}

/** The score of one choice of claims. */
export function scoreOf(
  kept: readonly boolean[], confidences: readonly number[], relations: readonly ClaimRelation[], beta: number,
): number {
  let own = 0;
  confidences.forEach((c, i) => {
    if (kept[i] === true) own += Math.log(c / (1 - c));
  });
  let agreeing = 0;
  for (const { from, to, kind, p } of relations) {
    const holds = kind === 'contradiction' ? !(kept[from]! && kept[to]!) : !kept[from]! || kept[to]!;
    if (holds) agreeing -= Math.log(1 - p);
  }
  return beta * own + (1 - beta) * agreeing;
}
