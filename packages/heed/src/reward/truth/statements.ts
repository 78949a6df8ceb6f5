/** Statements of a text, and whether two of them contradict each other. English, by words. */
import { namesIn } from '../../text/names.js';
import { numbersIn, sameNumber } from '../../text/numbers.js';
import { type Span, sentencesOf } from '../../text/sentences.js';
import { contentWords, stem } from '../../text/words.js';

export interface Statement {
  readonly span: Span;
  /** Stems of its content words, without names, numbers and words of denial. */
  readonly words: ReadonlySet<string>;
  readonly names: ReadonlySet<string>;
  readonly numbers: readonly number[];
  readonly denied: boolean;
}

const OPINIONS = /\b(?:I (?:think|believe|guess|suppose|like|love|feel)|maybe|perhaps|probably|possibly|might|may|could|in my opinion|sorry)\b/i;
const DENIALS = /\b(?:not|never|no|none|nobody|neither|nor|without|cannot|hardly|false|untrue)\b|n['’]t\b/gi;

/** One sentence as a statement. */
export function statementOf(span: Span): Statement {
  const names = namesIn(span.text).flatMap(({ text }) => text.toLowerCase().split(/\s+/));
  const skipped = new Set([...names, ...numbersIn(span.text).flatMap(({ text }) => text.toLowerCase().split(/[\s-]/))]);
  const words = contentWords(span.text).filter((word) => !skipped.has(word) && !/\d/.test(word));
  return {
    span, words: new Set(words.map(stem)), names: new Set(names), numbers: numbersIn(span.text).map(({ value }) => value),
    denied: (span.text.match(DENIALS)?.length ?? 0) % 2 === 1,
  };
}

/** The checkable statements of a text: sentences with a name, a number or two content words, that are neither questions nor opinions. */
export const statementsOf = (text: string): Statement[] => sentencesOf(text)
  .filter((span) => !span.text.endsWith('?') && !OPINIONS.test(span.text))
  .map(statementOf)
  .filter(({ names, numbers, words }) => names.size > 0 || numbers.length > 0 || words.size >= 2);

/**
 * How a statement stands to another one. They speak of the same where they share more than half of the content words of the shorter one
 * and its first name, if both have names. Of the same, one that is denied contradicts one that is not; other numbers in place of numbers,
 * or another name behind the first in place of a name, contradict too; else the one says the other.
 */
export function statementRelation(a: Statement, b: Statement): 'entail' | 'contradict' | 'neutral' {
  const [few, many] = a.words.size <= b.words.size ? [a.words, b.words] : [b.words, a.words];
  const shared = [...few].filter((word) => many.has(word)).length;
  const [first, other] = [[...a.names], [...b.names]];
  const oneSubject = first.length === 0 || other.length === 0 || first.some((name) => b.names.has(name));
  if (few.size === 0 || !oneSubject || 2 * shared <= few.size) return 'neutral';
  if (a.denied !== b.denied) return 'contradict';
  const swapped = a.numbers.length > 0 && b.numbers.length > 0 && !a.numbers.some((x) => b.numbers.some((y) => sameNumber(x, y)));
  if (swapped) return 'contradict';
  const elsewhere = first.length > 1 && other.length > 1
    && first.some((name) => !b.names.has(name)) && other.some((name) => !a.names.has(name));
  return elsewhere && shared === few.size ? 'contradict' : 'entail';
}
