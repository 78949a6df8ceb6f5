/**
 * Words that stand where a judgment should be: a failed call written down as text, or another
 * program's way to say "nothing". (The CUT authors' data hold "$ERROR$" in 51 of 5,000 rows.)
 */
export function isJunkJudgment(judgment: string): boolean {
  return /^\s*(\$error\$|error|#?n\/a|nan|none|null|undefined)?\s*$/i.test(judgment);
}

/**
 * The rule by which CUT's authors turn a judge's raw answer into satisfactory or not: their prompt asks
 * for "perfect" alone where nothing is wrong (Xu et al. 2024, appendix A.2). For labelers; rows read from
 * files are never changed by it.
 */
export function startsWithPerfect(answer: string): boolean {
  return /^\s*["'*]*perfect\b/i.test(answer);
}

/** Praise stored as a negative judgment: "The response is perfect …". The data doctor counts these. */
export function looksLikePraise(judgment: string): boolean {
  return startsWithPerfect(judgment) || /^\s*the (response|answer|output) is (already )?perfect\b/i.test(judgment);
}
