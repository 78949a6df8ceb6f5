/** How a reward that an answer earned as a whole is spread over its tokens (Chan et al., ABC, ICML 2024, arXiv 2402.00782). */

/** Attention on each token of an answer, divided by its sum; the same for each token where the sum is 0. */
export function normalised(attention: ArrayLike<number>): number[] {
  const total = Array.from(attention).reduce((sum, x) => sum + x, 0);
  return Array.from(attention, (x) => (total > 0 ? x / total : 1 / attention.length));
}

/** r_t = β R a_t, and (1 − β) R more at the last token (ABC, Eq. 5): their sum is R. */
export const redistribute = (reward: number, a: readonly number[], share: number): number[] =>
  a.map((x, t) => share * reward * x + (t === a.length - 1 ? (1 - share) * reward : 0));

/** (1 − β) + β T a_t: what an answer's advantage is multiplied by at each of its T tokens, where there is no critic. The mean is 1. */
export const tokenWeights = (a: readonly number[], share: number): number[] => a.map((x) => 1 - share + share * a.length * x);
