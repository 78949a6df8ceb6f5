/** Numbers between bounds, digit by digit. */
import { type Rule, bytes, choice, repeat, sequence, text } from './rule.js';

const digits = (first: string, last: string): Rule => bytes([first.charCodeAt(0), last.charCodeAt(0)]);
const any = (n: number): Rule => repeat(digits('0', '9'), n, n);

/** Whole numbers from `low` to `high`, both ≥ 0, of as many digits as `low` has: split where their digits part. */
function sameLength(low: string, high: string): Rule {
  if (low === '') return sequence();
  const [a, b] = [low[0]!, high[0]!], n = low.length - 1;
  if (a === b) return sequence(text(a), sameLength(low.slice(1), high.slice(1)));
  const parts = [sequence(text(a), sameLength(low.slice(1), '9'.repeat(n))), sequence(text(b), sameLength('0'.repeat(n), high.slice(1)))];
  const [from, to] = [String(Number(a) + 1), String(Number(b) - 1)];
  return choice(...parts, ...(from <= to ? [sequence(digits(from, to), any(n))] : []));
}

function natural(low: number, high: number): Rule[] {
  const rules: Rule[] = [];
  for (let n = String(low).length; n <= String(high).length; n++) {
    const [first, last] = [Math.max(low, n === 1 ? 0 : 10 ** (n - 1)), Math.min(high, 10 ** n - 1)];
    if (first <= last) rules.push(sameLength(String(first), String(last)));
  }
  return rules;
}

/** Numbers beyond these have more digits than a double keeps. */
const MOST = 10 ** 15 - 1;

/** Whole numbers from `low` to `high`, each by a rule for its sign and length; none where there is no such number. */
function wholeNumbers(low: number, high: number, finish: (rule: Rule) => Rule = (rule) => rule): Rule[] {
  const [from, to] = [Math.max(Math.ceil(low), -MOST), Math.min(Math.floor(high), MOST)];
  const negative = from < 0 ? natural(Math.max(1, -to), -from).map((rule) => sequence(text('-'), rule)) : [];
  return [...negative, ...(to >= 0 ? natural(Math.max(0, from), to) : [])].map(finish);
}

/** Bounds of a number; without one, ±∞. */
export interface Bounds {
  readonly low: number;
  readonly high: number;
  /** Whether `low` itself is not allowed. */
  readonly above: boolean;
  /** Whether `high` itself is not allowed. */
  readonly below: boolean;
}

/** The bounds of the whole numbers between bounds. */
const whole = ({ low, high, above, below }: Bounds): [number, number] =>
  [above && Number.isInteger(low) ? low + 1 : low, below && Number.isInteger(high) ? high - 1 : high];

/** Whole numbers between bounds; undefined where there is none. */
export function integers(bounds: Bounds): Rule | undefined {
  const rules = wholeNumbers(...whole(bounds));
  return rules.length === 0 ? undefined : choice(...rules);
}

/** A fraction that is not 0, so that the number lies between two whole ones. */
const FRACTION = sequence(text('.'), repeat(text('0'), 0, 9), digits('1', '9'), repeat(digits('0', '9'), 0, 5));

/**
 * Numbers between bounds, without an exponent; undefined where no rule finds one. A fraction comes only after a whole part whose every
 * fraction is between the bounds: not all of the numbers, and no others.
 */
export function numbers(bounds: Bounds): Rule | undefined {
  const { low, high } = bounds;
  const fraction = (rule: Rule): Rule => sequence(rule, FRACTION);
  const rules = [
    ...wholeNumbers(...whole(bounds)),
    // 3.5 lies between 3 and 4, −3.5 between −4 and −3.
    ...wholeNumbers(Math.max(0, low), high - 1, fraction),
    ...wholeNumbers(low + 1, Math.min(-1, high), fraction),
    ...(low <= -1 && high >= 0 ? [fraction(text('-0'))] : []),
  ];
  return rules.length === 0 ? undefined : choice(...rules);
}
