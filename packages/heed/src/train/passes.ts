import { type Item, tokensOf } from './item.js';

/** Tokens in a pass, about, where the recipe does not set the number of rows. */
const TOKENS_PER_PASS = 1024;

/**
 * Splits a step's rows into passes: `size` rows each, or as many as keep a pass near TOKENS_PER_PASS tokens. Rows of similar
 * length go together, so that little is padded.
 */
export function splitPasses(items: readonly Item[], size?: number): Item[][] {
  const sorted = [...items].sort((a, b) => tokensOf(b) - tokensOf(a) || a.index - b.index);
  const passes: Item[][] = [];
  let room = 0;
  for (const item of sorted) {
    const cost = tokensOf(item);
    const last = passes.at(-1);
    if (last !== undefined && (size === undefined ? room >= cost : last.length < size)) last.push(item);
    else {
      passes.push([item]);
      room = TOKENS_PER_PASS;
    }
    room -= cost;
  }
  return passes;
}
