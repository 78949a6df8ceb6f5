/** What changes logits before the filters: biases, the repetition penalty, and tokens that must not come. */
import { penalise } from './filter.js';
import type { Place } from './grammar/constraint.js';
import type { SamplingOptions } from './options.js';

/** A text that is being written, as the masks see it. */
export interface Written {
  readonly prompt: readonly number[];
  /** The tokens of the answer so far. */
  readonly ids: readonly number[];
  /** Tokens that end a turn. */
  readonly stopIds: readonly number[];
  /** Where the answer stands in the texts that it may be, where it may not be any. */
  readonly place?: Place;
}

/**
 * Logits as the options change them, in the order of transformers' processors: biases, repetition penalty, no repeated n-gram, bad words;
 * then the constraint.
 * A token that must not come has the logit −∞.
 */
export function changeLogits(logits: Float32Array, { prompt, ids, stopIds, place }: Written, options: SamplingOptions): Float32Array {
  const { repetitionPenalty = 1, noRepeatNgram = 0, badWords = [], logitBias = {}, endBias } = options;
  const text = [...prompt, ...ids];
  let changed: Float32Array = logits.slice();
  for (const [id, bias] of Object.entries(logitBias)) changed[Number(id)]! += bias;
  if (endBias !== undefined && ids.length >= endBias.after) for (const id of stopIds) changed[id]! += endBias.add;
  if (repetitionPenalty !== 1) changed = penalise(changed, text, repetitionPenalty);
  const banned = [...(noRepeatNgram > 0 ? repeating(text, noRepeatNgram) : []), ...forbidden(text, badWords)];
  for (const id of banned) changed[id] = -Infinity;
  place?.forbid(changed, stopIds);
  return changed;
}

/** Tokens that would complete an n-gram of the text a second time (transformers' `no_repeat_ngram_size`). */
export function repeating(text: readonly number[], n: number): Set<number> {
  const found = new Set<number>();
  const begun = text.length - (n - 1);
  if (begun < 0) return found;
  for (let at = 0; at + n <= text.length; at++) {
    let same = true;
    for (let i = 0; same && i < n - 1; i++) same = text[at + i] === text[begun + i];
    if (same) found.add(text[at + n - 1]!);
  }
  return found;
}

/** Tokens that would complete one of the words, each a list of tokens (transformers' `bad_words_ids`). */
export function forbidden(text: readonly number[], words: readonly (readonly number[])[]): Set<number> {
  const found = new Set<number>();
  for (const word of words) {
    const begun = text.length - (word.length - 1);
    if (begun < 0) continue;
    if (word.slice(0, -1).every((id, i) => text[begun + i] === id)) found.add(word.at(-1)!);
  }
  return found;
}
