/** How likely an answer must at least be left once the longer answers that begin with it are taken off: the resolution of a float32. */
const LEAST = 2 ** -23;

/**
 * Log-probabilities of exactly these answers, from those of texts that begin with them: where one answer begins another ("1" and
 * "10"), the probability of the longer one is taken off the shorter, so that it does not matter whether a vocabulary writes "10" as
 * one token or as two.
 *
 * @param begins whether answer i begins answer j, and is not all of it
 */
export function exclusive(logprobs: readonly number[], begins: (i: number, j: number) => boolean): number[] {
  const all = logprobs.map((_, i) => i);
  return logprobs.map((own, i) => {
    const longer = all.filter((j) => j !== i && begins(i, j));
    // Of "1", "10" and "100", the second holds the third already.
    const next = longer.filter((j) => !longer.some((k) => k !== j && begins(k, j)));
    const taken = next.reduce((sum, j) => sum + Math.exp(logprobs[j]! - own), 0);
    return taken === 0 ? own : own + Math.log(Math.max(LEAST, 1 - taken));
  });
}

/** Probability of all answers together, at most 1. */
export const massOf = (logprobs: readonly number[]): number => Math.min(1, logprobs.reduce((sum, p) => sum + Math.exp(p), 0));
