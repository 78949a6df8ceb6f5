/** What a model's log-probabilities say of a text, in four numbers. */

/** What was read of a response's tokens, the end of turn left out: numbers in nats. */
export interface TokenReadings {
  /** log p of each token, after the prompt and what stands before it. */
  readonly logprobs: readonly number[];
  /** The entropy of the distribution that each token was one of. */
  readonly entropies: readonly number[];
  /** log p of each token after an empty request. */
  readonly bare: readonly number[];
}

export const LOGPROB_FEATURES = ['mean', 'least', 'entropy', 'gain'] as const;
export type LogprobFeatures = Readonly<Record<(typeof LOGPROB_FEATURES)[number], number>>;

const meanOf = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

/**
 * `mean`, the mean log-probability of a token; `least`, that of the unlikeliest token; `entropy`, the mean entropy; `gain`, by how much the
 * prompt makes a token likelier in the mean: log p(y | prompt) − log p(y | an empty request).
 *
 * @throws RangeError where there are no tokens, or the lists differ in length
 */
export function logprobFeatures({ logprobs, entropies, bare }: TokenReadings): LogprobFeatures {
  if (logprobs.length === 0 || entropies.length !== logprobs.length || bare.length !== logprobs.length)
    throw new RangeError(`logprobFeatures: ${logprobs.length}, ${entropies.length} and ${bare.length} tokens`);
  const mean = meanOf(logprobs);
  return { mean, least: Math.min(...logprobs), entropy: meanOf(entropies), gain: mean - meanOf(bare) };
}
