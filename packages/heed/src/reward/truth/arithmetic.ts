/** Calculations in a text, done again: "12 * 3 = 36", "<<2*5=10>>". */
import { sameNumber } from '../../text/numbers.js';
import type { Span } from '../../text/sentences.js';

/** A calculation as it stands in a text, and what it gives. */
export interface Calculation extends Span {
  readonly said: number;
  /** What comes out; undefined where it divides by 0. */
  readonly right: number | undefined;
}

const AMOUNT = String.raw`(?:\$\s?)?(?:(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+)%?`;
const NUMBER = `[-−]?${AMOUNT}`;
// At most so many brackets and terms, so that no text takes long.
const TERM = String.raw`(?:\(\s*){0,5}${NUMBER}(?:\s*\)){0,5}`;
const SIGN = '(?:[-+*/x×÷·−–]|times|plus|minus|divided by)';
// It begins where no other term stands before it: the rest of a longer sum is none of its own.
const CALCULATION = new RegExp(
  String.raw`(?<![\w.]|[\d)%]\s{0,3}${SIGN}\s{0,3})(?<left>${TERM}(?:\s*${SIGN}\s*${TERM}){1,30})`
    + String.raw`\s*(?:=|equals|is)\s*(?<right>${NUMBER})(?!\w|[.,]\d|\s*[-+*/x×÷·])`,
  'g',
);

const numberOf = (text: string): number => {
  const value = Number(text.replaceAll(/[$,%\s]/g, '').replace('−', '-'));
  return text.includes('%') ? value / 100 : value;
};

/** The calculations of a text. Those with brackets that do not match are left out, and those of one number. */
export function calculationsIn(text: string): Calculation[] {
  return [...text.matchAll(CALCULATION)].flatMap((match): Calculation[] => {
    const { left, right } = match.groups as { left: string; right: string };
    const value = evaluate(left);
    if (value === 'malformed') return [];
    return [{ text: match[0], start: match.index, end: match.index + match[0].length, said: numberOf(right), right: value }];
  });
}

/** Those that are wrong. A result that is rounded to the digits that it shows counts as right. */
export const wrongCalculations = (text: string): Calculation[] => calculationsIn(text).filter(({ said, right, text: quote }) => {
  if (right === undefined) return true;
  const shown = /(?:=|equals|is)\s*\D*[\d,]*(?:\.(\d+))?%?$/.exec(quote)?.[1]?.length ?? 0;
  const percent = /%\s*$/.test(quote) ? 0.01 : 1;
  return !sameNumber(said, right) && Math.abs(said - right) > 0.5001 * 10 ** -shown * percent * Number(!Number.isInteger(right / percent));
});

type Token = number | '+' | '-' | '*' | '/' | '(' | ')';

function tokens(text: string): Token[] {
  const pattern = new RegExp(String.raw`\(|\)|${AMOUNT}|${SIGN}`, 'g');
  const signs: Readonly<Record<string, Token>> = {
    '(': '(', ')': ')', '+': '+', plus: '+', '-': '-', '−': '-', '–': '-', minus: '-', '*': '*', x: '*', '×': '*', '·': '*', times: '*',
    '/': '/', '÷': '/', 'divided by': '/',
  };
  return [...text.matchAll(pattern)].map(([token]) => signs[token] ?? numberOf(token));
}

/** Sums of products, with brackets and signs; undefined where it divides by 0. */
function evaluate(text: string): number | undefined | 'malformed' {
  const list = tokens(text);
  let at = 0;
  let broken = false;
  const atom = (): number => {
    const token = list[at++];
    if (token === '-') return -atom();
    if (token === '(') {
      const value = sum();
      if (list[at++] !== ')') broken = true;
      return value;
    }
    if (typeof token === 'number') return token;
    broken = true;
    return 0;
  };
  const product = (): number => {
    let value = atom();
    while (list[at] === '*' || list[at] === '/') value = list[at++] === '*' ? value * atom() : value / atom();
    return value;
  };
  const sum = (): number => {
    let value = product();
    while (list[at] === '+' || list[at] === '-') value = list[at++] === '+' ? value + product() : value - product();
    return value;
  };
  const value = sum();
  if (broken || at < list.length) return 'malformed';
  return Number.isFinite(value) ? value : undefined;
}
