import type { TokenSequence } from '../text/token-sequence.js';

/** Tokens worked on in one pass. */
const TOKENS_PER_PASS = 1024;

/** Cuts sequences, in their order, into passes of about so many tokens: those that begin below the limit. */
export function inPasses<S extends TokenSequence>(sequences: readonly S[]): S[][] {
  const passes: S[][] = [];
  let tokens = Infinity;
  for (const sequence of sequences) {
    if (tokens >= TOKENS_PER_PASS) {
      passes.push([]);
      tokens = 0;
    }
    passes.at(-1)!.push(sequence);
    tokens += sequence.prompt.length + sequence.response.length;
  }
  return passes;
}
