import { createHash } from 'node:crypto';
import type { Message } from '../text/template.js';

/** A number in [0, 1) that depends on nothing but the seed and the key. */
export function hashUnit(seed: number, key: string): number {
  return createHash('sha256').update(`${seed}\u0000${key}`).digest().readUIntBE(0, 6) / 2 ** 48;
}

/**
 * The items in the order of their hashes: a shuffle in which no item's place depends on the order of
 * the file, and adding a row leaves the others in their relative order. Equal keys keep file order.
 */
export function hashOrder<T>(items: readonly T[], seed: number, key: (item: T, index: number) => string): T[] {
  return items
    .map((item, index) => ({ item, at: hashUnit(seed, key(item, index)) }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** Two prompts are the same when their turns are, apart from white space around each. What is learned of a turn (`weight`) is no part. */
export function promptKey(prompt: readonly Message[]): string {
  return JSON.stringify(prompt.map(({ role, content, weight: _, ...rest }) => {
    const more = Object.entries(rest).filter(([, value]) => value !== undefined);
    return [role, content.trim(), ...(more.length === 0 ? [] : [Object.fromEntries(more)])];
  }));
}
