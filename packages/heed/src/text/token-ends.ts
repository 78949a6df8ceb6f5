import { createDecoder } from './decoder.js';
import type { Span } from './sentences.js';
import type { Tokenizer } from './tokenizer.js';

/**
 * Where the text of each token ends in the text of all, in UTF-16 units. The ids are decoded one by one, never tokenised again: a text has
 * many tokenisations, and a sampled one need not be the tokenizer's own. A token that ends within a character ends where the character
 * begins; the character belongs to the token that completes it. Control tokens have no text. The last number is the length of the text.
 */
export function tokenEnds(tokenizer: Tokenizer, ids: readonly number[]): number[] {
  const decoder = createDecoder(tokenizer);
  let length = 0;
  const ends = ids.map((id) => (length += decoder.push(id).length));
  // Bytes that never became a character come out at the end.
  if (ends.length > 0) ends[ends.length - 1]! += decoder.end().length;
  return ends;
}

/**
 * Where each token stands in the text of all, in UTF-16 units. A token that ends within a character reaches to that character's end;
 * control tokens are empty.
 */
export function tokenSpans(tokenizer: Tokenizer, ids: readonly number[]): Pick<Span, 'start' | 'end'>[] {
  const ends = tokenEnds(tokenizer, ids);
  return ends.map((end, t) => {
    const start = ends[t - 1] ?? 0;
    if (end > start || tokenizer.isSpecial(ids[t]!)) return { start, end };
    return { start, end: ends.slice(t).find((later) => later > start) ?? start };
  });
}

/** Whether a token that stands there holds any character of a span. */
export const holds = (token: Pick<Span, 'start' | 'end'>, span: Pick<Span, 'start' | 'end'>): boolean =>
  token.start < span.end && token.end > span.start;

/**
 * The token that completes the last character of a span: the first that ends at `span.end` or behind it. The last token for an empty span,
 * which names no place, and for one that reaches beyond the text.
 *
 * @param ends From `tokenEnds`, of at least one token.
 */
export function lastTokenOf(ends: readonly number[], { start, end }: Pick<Span, 'start' | 'end'>): number {
  const found = start < end ? ends.findIndex((at) => at >= end) : -1;
  return found < 0 ? ends.length - 1 : found;
}
