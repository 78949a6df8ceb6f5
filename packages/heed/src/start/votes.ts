/** What people write for good, bad and nothing. */

/** What a value says of an answer; null where it says nothing. */
export type Vote = boolean | null;

const list = (text: string): string[] => text.trim().split(/\s*,\s*/);

const GOOD = list(`up, thumbs up, thumbup, thumbsup, upvote, yes, y, true, good, positive, pos, like, liked, helpful, useful, satisfied,
  correct, accepted, accept, approved, pass, passed, great, excellent, ok, okay, +1, 1, ja, oui, si, gut, bon, bueno,
  hilfreich, nützlich, richtig, zufrieden, utile, útil, ✅, ✔, ✓, ❤, 💚, 😀, 😊, 🙂, 👍, not harmful`);
const BAD = list(`down, thumbs down, thumbdown, thumbsdown, downvote, no, n, false, bad, negative, neg, dislike, disliked, unhelpful,
  not helpful, useless, unsatisfied, dissatisfied, not satisfied, incorrect, wrong, rejected, reject, fail, failed, poor, terrible, -1,
  nein, non, schlecht, mauvais, malo, nicht hilfreich, nutzlos, falsch, unzufrieden, pas utile, inutile, no útil,
  inútil, ❌, ✘, ✗, 💔, 😞, 🙁, 😡, 👎`);
const NONE = list(`null, none, n/a, na, nan, undefined, neutral, skip, skipped, unknown, -, --, ?, unrated, not rated, no vote, no rating,
  no feedback`);

const MEANINGS: ReadonlyMap<string, Vote> = new Map([
  ...GOOD.map((word): [string, Vote] => [word, true]), ...BAD.map((word): [string, Vote] => [word, false]),
  ...NONE.map((word): [string, Vote] => [word, null]), ['', null],
]);

/** A value as it is compared: without case, skin tones, colons of shortcodes, and marks between words. */
function plainWord(value: unknown): string {
  const text = String(value).normalize('NFC').replace(/[\u{1F3FB}-\u{1F3FF}\uFE0F]/gu, '').trim().toLowerCase();
  const word = text.replace(/^:(.+):$/, '$1').replace(/[\s_-]+/g, ' ').trim();
  if (/^[+-]?\d+(\.0+)?$/.test(text)) return String(Number(text));
  return MEANINGS.has(text) ? text : word.replace(/[!.]+$/, '').replace(/^í$|^sí$/, 'si');
}

/**
 * What a value says as a vote: words of several languages, signs, true and false, 1 and -1.
 *
 * @param zero What 0 says: bad, or nothing where -1 is what says bad.
 * @returns undefined where it is not known
 */
export function voteIn(value: unknown, zero: Vote = false): Vote | undefined {
  if (value === null || value === undefined) return null;
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const word = plainWord(value);
  return word === '0' ? zero : MEANINGS.get(word);
}

/** A number, however it is written: 4, "4", "4/5", "4 stars", "★★★★☆"; undefined where it is none. */
export function numberIn(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'string') return undefined;
  const text = value.replaceAll('\uFE0F', '').trim();
  const stars = /^([★⭐]+)☆*$/u.exec(text)?.[1];
  if (stars !== undefined) return [...stars].length;
  const [, number] = /^([+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?:\s*(?:\/\s*(?:5|10)|stars?|sterne?|étoiles?|estrellas?))?$/i.exec(text) ?? [];
  return number === undefined ? undefined : Number(number);
}

/** The scale of whole numbers on which answers are rated, and from where they are good and bad. */
export interface Scale {
  readonly from: number;
  readonly to: number;
  /** The least that counts as good. */
  readonly good: number;
  /** The most that counts as bad; between the two nothing is said. */
  readonly bad: number;
}

/**
 * The scale that numbers are on: whole numbers up to 5, or up to 10, of which some are above 1.
 *
 * @param numbers Ascending.
 * @returns undefined for any other numbers: what is good on their scale is not known
 */
export function scaleOf(numbers: readonly number[]): Scale | undefined {
  const [low, high] = [numbers[0] ?? NaN, numbers.at(-1) ?? NaN];
  if (!numbers.every(Number.isInteger) || low < 0 || high < 2) return undefined;
  if (high <= 5) return low === 0 && high <= 4 ? undefined : { from: low === 0 ? 0 : 1, to: 5, good: 4, bad: 2 };
  return high <= 10 ? { from: low === 0 ? 0 : 1, to: 10, good: 8, bad: 4 } : undefined;
}

/** What a number on a scale says as a vote. */
export function voteOnScale(number: number, { good, bad }: Scale): Vote {
  if (number >= good) return true;
  return number <= bad ? false : null;
}
