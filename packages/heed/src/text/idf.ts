/** Inverse document frequency: how much a word tells about which text it stands in. */
import { counts } from './words.js';

/** How rare words are in some texts. */
export interface Rarity {
  /** ln((1 + n) / (1 + texts with the word)) + 1, as scikit-learn smooths it; an unknown word is as rare as can be. */
  of(word: string): number;
}

/** @param texts The words of each text. */
export function rarity(texts: Iterable<readonly string[]>): Rarity {
  const having = new Map<string, number>();
  let n = 0;
  for (const list of texts) {
    n++;
    for (const word of new Set(list)) having.set(word, (having.get(word) ?? 0) + 1);
  }
  return { of: (word) => Math.log((1 + n) / (1 + (having.get(word) ?? 0))) + 1 };
}

/** Every word as rare as any other: where there are no texts to count in. */
export const EVEN: Rarity = { of: () => 1 };

/** A text's words with their weights tf · idf, of length 1; empty for a text without words. */
export function tfIdf(list: readonly string[], { of }: Rarity): Map<string, number> {
  const weights = new Map([...counts(list)].map(([word, n]) => [word, n * of(word)]));
  const norm = Math.hypot(...weights.values());
  return new Map([...weights].map(([word, weight]) => [word, weight / norm]));
}

/** Cosine of two texts as `tfIdf` gives them; 0 where one is empty. */
export function cosine(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const [word, weight] of a) sum += weight * (b.get(word) ?? 0);
  return sum;
}
