/** Topics of short texts by non-negative matrix factorisation, and whether two texts have the same. */
import { createRandom } from '../../run/random.js';
import { contentWords, counts, stem } from '../../text/words.js';
import { type Rarity, rarity, tfIdf } from '../../text/idf.js';

/** Topics as weights of words. */
export interface Topics {
  words: string[];
  /** A row of weights over `words` for each topic. */
  weights: number[][];
}

const TINY = 1e-9;
const stemsOf = (text: string): string[] => contentWords(text).map(stem);

/**
 * V ≈ W H by multiplicative updates (Lee & Seung, NIPS 2001) on the tf-idf of texts.
 *
 * @param k How many topics. Default 20.
 */
export function fitTopics(texts: readonly string[], { k = 20, rounds = 60, seed = 0, minimum = 5 } = {}): Topics {
  const lists = texts.map(stemsOf);
  const words = [...counts(lists.flat())].filter(([, n]) => n >= minimum).map(([word]) => word).sort();
  const place = new Map(words.map((word, i) => [word, i]));
  const rare = rarity(lists);
  const rows = lists.map((list) => placed(list, rare, place));
  const random = createRandom(seed, 'topics');
  const fresh = (n: number): Float64Array => Float64Array.from({ length: n * k }, () => random.next() + 0.1);
  const [w, h] = [fresh(rows.length), fresh(words.length)]; // h: word by topic
  for (let round = 0; round < rounds; round++) {
    update(w, rows, h, k);
    const columns: { at: number[]; values: number[] }[] = words.map(() => ({ at: [], values: [] }));
    rows.forEach(({ at, values }, r) => at.forEach((c, i) => {
      columns[c]!.at.push(r);
      columns[c]!.values.push(values[i]!);
    }));
    update(h, columns, w, k);
  }
  return { words, weights: Array.from({ length: k }, (_, t) => words.map((_, i) => Number(h[i * k + t]!.toPrecision(5)))) };
}

interface Placed { readonly at: readonly number[]; readonly values: readonly number[] }

function placed(list: readonly string[], rare: Rarity, place: ReadonlyMap<string, number>): Placed {
  const known = [...tfIdf(list, rare)].filter(([word]) => place.has(word));
  return { at: known.map(([word]) => place.get(word)!), values: known.map(([, value]) => value) };
}

/** left ← left · (V right) / (left rightᵀ right), where V is given by its rows. */
function update(left: Float64Array, rows: readonly Placed[], right: Float64Array, k: number): void {
  const square = new Float64Array(k * k);
  for (let i = 0; i < right.length; i += k) {
    for (let a = 0; a < k; a++) for (let b = 0; b < k; b++) square[a * k + b]! += right[i + a]! * right[i + b]!;
  }
  rows.forEach(({ at, values }, r) => {
    const above = new Float64Array(k);
    at.forEach((c, i) => {
      for (let t = 0; t < k; t++) above[t]! += values[i]! * right[c * k + t]!;
    });
    const row = left.slice(r * k, r * k + k);
    for (let t = 0; t < k; t++) {
      let below = TINY;
      for (let b = 0; b < k; b++) below += row[b]! * square[b * k + t]!;
      left[r * k + t] = (row[t]! * above[t]!) / below;
    }
  });
}

/** What a text is about: the shares of its topics, which sum to 1; all equal for a text without known words. */
export type TopicReader = (text: string) => number[];

/** Topics, ready to read texts with. */
export function topicReader({ words, weights }: Topics): TopicReader {
  const place = new Map(words.map((word, i) => [word, i]));
  return (text) => {
    const list = stemsOf(text).map((word) => place.get(word)).filter((i) => i !== undefined);
    const raw = weights.map((topic) => list.reduce((sum, i) => sum + topic[i]!, 0));
    const total = raw.reduce((a, b) => a + b, 0);
    return raw.map((one) => (total > 0 ? one / total : 1 / weights.length));
  };
}

/** Jensen-Shannon divergence in nats: from 0 to ln 2. */
export function jensenShannon(p: readonly number[], q: readonly number[]): number {
  return p.reduce((sum, a, i) => {
    const b = q[i]!;
    const m = (a + b) / 2;
    return sum + 0.5 * ((a > 0 ? a * Math.log(a / m) : 0) + (b > 0 ? b * Math.log(b / m) : 0));
  }, 0);
}

/** 1 − JS / ln 2: 1 for the same topics, 0 for topics that have nothing in common. */
export const topicContinuity = (p: readonly number[], q: readonly number[]): number => 1 - jensenShannon(p, q) / Math.LN2;
