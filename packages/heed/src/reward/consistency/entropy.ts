/** How far the samples of one prompt agree, with and without their log-likelihoods. */
import { matchesAnswer, normalAnswer } from '../../text/short-answer.js';
import { counts, plainWords, wordF1 } from '../../text/words.js';

/** When two answers count as the same. */
export const SAMENESS = ['exact', 'number', 'words'] as const;
export type Sameness = (typeof SAMENESS)[number];

/**
 * Whether two answers say the same.
 *
 * @param how `exact`: the same words without case, signs and articles; `number`: the last numbers are equal; `words`: one of both, or a
 * word F1 above 0.6. A stand-in for entailment both ways, which needs a model of its own.
 */
export function sameAnswer(a: string, b: string, how: Sameness): boolean {
  if (normalAnswer(a) === normalAnswer(b)) return true;
  if (how === 'exact') return false;
  if (matchesAnswer(a, b, 'number')) return true;
  return how === 'words' && wordF1(plainWords(a), plainWords(b)) > 0.6;
}

/**
 * The cluster of each answer, numbered by first use: an answer joins the first cluster whose first answer says the same (Kuhn et al., ICLR
 * 2023, arXiv 2302.09664, algorithm 1). The order of the answers can matter for `words`, which is no equivalence.
 */
export function clusters(answers: readonly string[], how: Sameness): number[] {
  const first: string[] = [];
  return answers.map((answer) => {
    const found = first.findIndex((other) => sameAnswer(other, answer, how));
    return found >= 0 ? found : first.push(answer) - 1;
  });
}

/** −Σ p ln p, in nats. */
export const entropy = (probabilities: Iterable<number>): number => {
  let sum = 0;
  for (const p of probabilities) if (p > 0) sum -= p * Math.log(p);
  return sum;
};

/** Entropy of a list's different entries, by their shares; 0 for an empty list. */
export function entropyOf(list: readonly (string | number)[]): number {
  return entropy([...counts(list.map(String)).values()].map((n) => n / list.length));
}

/**
 * Semantic entropy (Kuhn et al., eq. 8; Farquhar et al., Nature 630, 2024): the entropy of the clusters' probabilities. An answer weighs
 * softmax(mean log-likelihood of its tokens) over the answers; without log-likelihoods each weighs the same.
 *
 * @param cluster The cluster of each answer.
 * @param meanLogLikelihood Of each answer, in nats per token.
 */
export function semanticEntropy(cluster: readonly number[], meanLogLikelihood?: readonly number[]): number {
  if (meanLogLikelihood === undefined) return entropyOf(cluster);
  return entropy(clusterProbabilities(cluster, meanLogLikelihood).values());
}

/** The probability of each cluster, by the softmax of its answers' mean log-likelihoods. */
export function clusterProbabilities(cluster: readonly number[], meanLogLikelihood: readonly number[]): Map<number, number> {
  if (cluster.length !== meanLogLikelihood.length) {
    throw new RangeError(`${cluster.length} answers in clusters, ${meanLogLikelihood.length} log-likelihoods`);
  }
  const most = Math.max(...meanLogLikelihood);
  const weights = meanLogLikelihood.map((one) => Math.exp(one - most));
  const total = weights.reduce((a, b) => a + b, 0);
  const shares = new Map<number, number>();
  cluster.forEach((c, i) => shares.set(c, (shares.get(c) ?? 0) + weights[i]! / total));
  return shares;
}

/**
 * SelfCheckGPT's unigram score (Manakul et al., EMNLP 2023, arXiv 2303.08896, §5.4): how surprising the most surprising word of a sentence
 * is to a unigram model of all samples and the response itself, −ln(count / total). Large where the samples do not mention what the
 * sentence says. 0 for a sentence without words.
 */
export function surprise(sentence: string, samples: readonly string[], response = sentence): number {
  const known = [...samples, response].flatMap(plainWords);
  const found = counts(known);
  // A word of the sentence that stands in neither counts as one that stands there once.
  return plainWords(sentence).reduce((most, word) => Math.max(most, -Math.log((found.get(word) ?? 1) / known.length)), 0);
}
