import { type Item, tokensOf } from './item.js';

/** Tokens in a pass, about, where the recipe does not set the number of rows. */
const TOKENS_PER_PASS = 1024;

/**
 * Splits a step's rows into passes: `size` rows each, or as many as keep a pass near TOKENS_PER_PASS tokens. Rows of similar
 * length go together, so that little is padded. For several machines passes are of equal length, as many for each machine.
 */
export function splitPasses(items: readonly Item[], size?: number, machines = 1): Item[][] {
  const sorted = [...items].sort((a, b) => tokensOf(b) - tokensOf(a) || a.index - b.index);
  if (size === undefined && machines > 1) return evenPasses(sorted, machines);
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

/** The longest row first, each to the pass that has the fewest tokens so far. */
function evenPasses(sorted: readonly Item[], machines: number): Item[][] {
  const total = sorted.reduce((sum, item) => sum + tokensOf(item), 0);
  const each = Math.max(1, Math.ceil(total / (machines * TOKENS_PER_PASS)));
  const passes = Array.from({ length: machines * each }, () => ({ tokens: 0, items: [] as Item[] }));
  for (const item of sorted) {
    const shortest = passes.reduce((least, pass) => (pass.tokens < least.tokens ? pass : least));
    shortest.items.push(item);
    shortest.tokens += tokensOf(item);
  }
  return passes.map((pass) => pass.items).filter((some) => some.length > 0);
}
