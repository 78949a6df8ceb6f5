/** Numbers that a text names, in digits or in words. */
import type { Span } from './sentences.js';

export interface NumberSpan extends Span {
  readonly value: number;
}

const ONES = ('zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen '
  + 'nineteen').split(' ');
const TENS = 'twenty thirty forty fifty sixty seventy eighty ninety'.split(' ');
const ONE_TO_NINE = ONES.slice(1, 10).join('|');

const IN_DIGITS = String.raw`(?<![\w.,])[-−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?!\d)`;
const IN_WORDS = String.raw`\b(?:(?:${TENS.join('|')})(?:[- ](?:${ONE_TO_NINE}))?|${ONES.join('|')})\b`;
const NUMBER = new RegExp(`${IN_DIGITS}|${IN_WORDS}`, 'gi');

/** `1,204` → 1204; `twenty-one` → 21. */
function valueOf(text: string): number {
  if (/\d/.test(text)) return Number(text.replaceAll(',', '').replace('−', '-'));
  return text.toLowerCase().split(/[- ]/).reduce((sum, word) => {
    const ten = TENS.indexOf(word);
    return sum + (ten >= 0 ? 10 * (ten + 2) : ONES.indexOf(word));
  }, 0);
}

/**
 * The numbers of a text in order: `1,204`, `−2.5`, `seven`, `twenty-one`. A minus sign after a letter or a digit is a hyphen. English words
 * up to ninety-nine.
 */
export const numbersIn = (text: string): NumberSpan[] => [...text.matchAll(NUMBER)].map((match) => ({
  text: match[0], start: match.index, end: match.index + match[0].length, value: valueOf(match[0]),
}));

/** Whether two numbers are the same, up to rounding: within a millionth of the larger. */
export const sameNumber = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-6 * Math.max(1e-300, Math.abs(a), Math.abs(b));
