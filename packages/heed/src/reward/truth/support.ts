/** Whether evidence supports a text, by words, names and numbers that stand in it. */
import { namesIn } from '../../text/names.js';
import { numbersIn, sameNumber } from '../../text/numbers.js';
import { type Span, sentencesOf } from '../../text/sentences.js';
import { contentWords, stem } from '../../text/words.js';

/** How much of a sentence stands in the evidence. */
export interface Support {
  readonly sentence: Span;
  /** The share of its content words that are in the evidence, names and numbers counted twice; 1 for a sentence without any. */
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
  words: new Set(texts.flatMap(contentWords).map(stem)),
  numbers: texts.flatMap(numbersIn).map(({ value }) => value),
  names: new Set(texts.flatMap((text) => text.toLowerCase().match(/[\p{L}\p{M}\p{N}'’-]+/gu) ?? [])),
});

/** How much of each sentence of a text stands in the evidence. */
export const supportOf = (text: string, evidence: Evidence): Support[] => sentencesOf(text).map((sentence) => {
  const at = ({ text: quote, start, end }: Span): Span => ({ text: quote, start: sentence.start + start, end: sentence.start + end });
  const names = namesIn(sentence.text).filter((name) => !name.text.toLowerCase().split(/\s+/).every((word) => evidence.names.has(word))).map(at);
  const said = numbersIn(sentence.text);
  const numbers = said.filter(({ value }) => !evidence.numbers.some((known) => sameNumber(known, value))).map(at);
  const words = contentWords(sentence.text).map(stem);
  const found = words.filter((word) => evidence.words.has(word)).length;
  const named = namesIn(sentence.text).length + said.length;
  const total = words.length + named;
  const missing = [...names, ...numbers].sort((a, b) => a.start - b.start);
  return { sentence, share: total === 0 ? 1 : (found + named - missing.length) / total, missing };
});
