/** Measures of text that no judge has a part in: what a model must not give up to please its judge. All in words, any script. */

import { ngrams, words } from '../text/words.js';

/**
 * Distinct-n: different n-grams over all n-grams, in all texts together (Li et al., NAACL 2016, arXiv 1510.03055). n-grams do not cross
 * from one text to the next. Falls with the amount of text, so compare equal numbers of texts of similar length. NaN without n-grams.
 */
export function distinct(texts: readonly string[], n: number): number {
  const seen = new Set<string>();
  let total = 0;
  for (const text of texts) {
    for (const gram of ngrams(words(text), n)) {
      seen.add(gram);
      total++;
    }
  }
  return seen.size / total;
}

/** The share of a text's n-grams that occurred before in the same text: 0 for fresh text, near 1 for a loop. 0 without n-grams. */
export function repetition(text: string, n: number): number {
  const all = [...ngrams(words(text), n)];
  return all.length === 0 ? 0 : 1 - new Set(all).size / all.length;
}

/** Words that say nothing about a subject: those of at most three letters, and these. */
const EMPTY_WORDS = new Set(
  ('about also and are been both could down each for from have here how into its like more '
    + 'most much only other over should some such than that the their them then there these they this '
    + 'those through under very was were what when where which while will with would write text').split(' '),
);

/**
 * How much of the prompt the response takes up: the share of the prompt's content words (four letters or more, English function words
 * left out) that occur in the response. A measure of staying on the subject that needs no judge. NaN for a prompt without such words.
 */
export function coverage(prompt: string, response: string): number {
  const content = new Set(words(prompt).filter((word) => word.length > 3 && !EMPTY_WORDS.has(word)));
  const used = new Set(words(response));
  return [...content].filter((word) => used.has(word)).length / content.size;
}
