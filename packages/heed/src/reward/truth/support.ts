/** Whether evidence supports a text, by words, names and numbers that stand in it. */
import { namesIn } from '../../text/names.js';
import { numbersIn, sameNumber } from '../../text/numbers.js';
import { type Span, sentencesOf } from '../../text/sentences.js';
import { contentWords, shareFound } from '../../text/words.js';

/** How much of a sentence stands in the evidence. */
export interface Support {
  readonly sentence: Span;
  /** The share of its content words that are in the evidence; 1 for a sentence without any. */
  readonly share: number;
  /** Names and numbers that are not in the evidence. */
  readonly missing: readonly Span[];
}

/** What a text says, to be looked up in it. */
export interface Evidence {
  readonly words: ReadonlySet<string>;
  readonly numbers: readonly number[];
  readonly names: ReadonlySet<string>;
}

export const evidenceOf = (texts: readonly string[]): Evidence => ({
  words: new Set(texts.flatMap(contentWords)),
  numbers: texts.flatMap(numbersIn).map(({ value }) => value),
  names: new Set(texts.flatMap((text) => text.toLowerCase().match(/[\p{L}\p{M}\p{N}'’-]+/gu) ?? [])),
});

/** How much of each sentence of a text stands in the evidence. */
export const supportOf = (text: string, evidence: Evidence): Support[] => sentencesOf(text).map((sentence) => {
  const at = ({ text: quote, start, end }: Span): Span => ({ text: quote, start: sentence.start + start, end: sentence.start + end });
  const names = namesIn(sentence.text).filter((name) => !name.text.toLowerCase().split(/\s+/).every((word) => evidence.names.has(word))).map(at);
  const numbers = numbersIn(sentence.text).filter(({ value }) => !evidence.numbers.some((known) => sameNumber(known, value))).map(at);
  return { sentence, share: supported(sentence.text, evidence), missing: [...names, ...numbers].sort((a, b) => a.start - b.start) };
});

/** The share of a text's content words that are in the evidence; 1 for a text without any. */
export function supported(text: string, { words }: Evidence): number {
  const said = contentWords(text);
  return said.length === 0 ? 1 : shareFound(said, words);
}
