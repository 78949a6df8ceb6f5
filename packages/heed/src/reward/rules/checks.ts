/** The checks that a rule file can name. */
import { escapePattern } from '../../text/pattern.js';
import { WORD } from '../../text/words.js';
import { matches } from './rule.js';
import type { Check, Fault } from './rule.js';

/** Where words begin and end: "we" is not found in "weight" nor in "we're", but "best" is in "best-selling": a compound is no excuse. */
const BEFORE = String.raw`(?<![\p{L}\p{N}\p{M}_]|[\p{L}\p{N}]['’])`;
const AFTER = String.raw`(?![\p{L}\p{N}\p{M}_]|['’][\p{L}\p{N}])`;

/** One pattern for many words: any case, any apostrophe, any amount of white space between the words of a phrase. */
function anyOf(words: readonly string[]): RegExp {
  // The longest first: in an alternation the first that fits wins.
  const longest = [...new Set(words)].sort((a, b) => b.length - a.length);
  const partOf = (part: string): string => escapePattern(part).replaceAll(/['’]/g, "['’]");
  const sources = longest.map((word) => word.trim().normalize('NFC').split(/\s+/).map(partOf).join(String.raw`\s+`));
  return new RegExp(`${BEFORE}(?:${sources.join('|')})${AFTER}`, 'giu');
}

/** Finds words and phrases as whole words, in any case. A form with an apostrophe is a word of its own: list "you" and "you're". */
export function forbiddenWords(words: readonly string[]): Check {
  const pattern = anyOf(words);
  return (text) => matches(text, pattern);
}

/** Asks for every one of the words; the quote is the word that is missing. */
export function mustMention(words: readonly string[]): Check {
  const patterns = words.map((word) => [word, anyOf([word])] as const);
  return (text) =>
    patterns.filter(([, pattern]) => matches(text, pattern).length === 0)
      .map(([word]) => ({ start: text.length, end: text.length, quote: word }));
}

/** How much of a text that is too long or too short is quoted, in words. */
const QUOTED_WORDS = 6;

const wordsOf = (text: string): Fault[] => matches(text, WORD);
const span = (words: readonly Fault[]): Fault[] => {
  const [first, last] = [words[0], words.at(-1)];
  return first === undefined || last === undefined ? [] : [{ start: first.start, end: last.end }];
};

/** At most `limit` words; the quote is how the text goes on after them. */
export function maxWords(limit: number): Check {
  return (text) => span(wordsOf(text).slice(limit, limit + QUOTED_WORDS));
}

/** At least `limit` words; the quote is how the text ends. A text without words breaks the rule `empty`. */
export function minWords(limit: number): Check {
  return (text) => {
    const words = wordsOf(text);
    return words.length >= limit ? [] : span(words.slice(-QUOTED_WORDS));
  };
}
