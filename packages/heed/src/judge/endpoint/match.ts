import { escapePattern } from '../../text/pattern.js';
import { opensThoughts } from '../../text/thoughts.js';
import { objectsIn } from './json-answer.js';
import type { Likely } from './reply.js';

/** Gives the likeliest tokens after a beginning of the answer, '' first. */
export type NextTokens<F> = (begun: string) => Promise<readonly Likely[] | F>;

/** What the likeliest tokens say about the answers. */
export type Matched =
  /**
   * log p of each answer. An answer that the list does not show gets the probability of the least likely listed token, or an equal share of
   * what the list leaves, whichever is smaller.
   */
  | { readonly logprobs: readonly number[]; readonly mass: number }
  /** The likeliest tokens show none of the answers. */
  | { readonly none: readonly Likely[] }
  /**
   * The likeliest first token may lead to several answers, and the server cannot be asked for the tokens after it. `leading`: that token
   * is no part of an answer yet.
   */
  | { readonly unclear: string; readonly leading?: true };

export interface Matching {
  /** Whether `next` can be asked for what comes after a beginning. */
  readonly follow: boolean;
  /** The beginning of the answer that the question gave ("Preferred Response="). A judge may repeat it before it answers. */
  readonly begun?: string | undefined;
}

/** Beginnings of answers that are less likely than this are not followed further. */
const NEGLIGIBLE = 1e-4;
/** Requests that one question's answers may take. */
const MOST_REQUESTS = 12;
/** The least probability that a list of tokens leaves to the others: the resolution of a float32, which most servers use. */
const RESOLUTION = 2 ** -23;

/**
 * Finds the probability of each answer in the likeliest tokens. Every way to write an answer counts that the lists show: in one token or in
 * several, with spaces before it or without. Where one answer begins another ("1", "10"), the probability of the longer one is taken off
 * the shorter. Where the judge most likely first repeats the beginning of the answer, the answers after it count too. Where the server
 * cannot be asked for those, the result is `unclear`.
 */
export async function matchAnswers<F extends object>(
  answers: readonly string[],
  next: NextTokens<F>,
  { follow, begun = '' }: Matching,
): Promise<Matched | F> {
  const top = await next('');
  if (!Array.isArray(top)) return top as F;
  const first = usable(top as readonly Likely[]);
  // Spaces count only where they tell answers apart.
  const same = new Set(answers.map(trimmed)).size === answers.length ? trimmed : (text: string): string => text;
  const wanted = answers.map(same);
  const walked = await walk(wanted, first, next, follow, same);
  if (!(walked instanceof Map)) return walked;

  const echo = echoOf(begun);
  const leading = first.filter(({ token }) => {
    const text = same(token);
    if (text !== '' && wanted.some((answer) => answer.startsWith(text))) return false;
    const echoes = text !== '' && echo !== '' && (echo.startsWith(text) || text.startsWith(echo));
    // Too many different texts follow spaces and quotation marks to ask for each of them.
    return echoes || opensThoughts(text) || (!follow && LEADING.test(text));
  });
  if (leading.reduce((sum, { logprob }) => sum + Math.exp(Math.min(0, logprob)), 0) > total(walked)) {
    const thinks = opensThoughts(likeliest(leading)[0]!.token);
    if (!follow || thinks) {
      const token = JSON.stringify(likeliest(leading)[0]!.token);
      const unclear = `the token ${token} only leads up to an answer, and is likelier than all answers`;
      return follow ? { unclear } : { unclear, leading: true };
    }
    const repeated = wanted.map((answer) => echo + answer);
    const again = await walk(repeated, first, next, follow, trimmed);
    if (!(again instanceof Map)) return again;
    for (const [answer, p] of again) walked.set(answer, (walked.get(answer) ?? 0) + p);
  }

  if (walked.size === 0) return { none: likeliest(first).slice(0, 5) };
  const probabilities = first.map(({ logprob }) => Math.exp(Math.min(0, logprob)));
  const rest = Math.max(RESOLUTION, 1 - probabilities.reduce((a, b) => a + b, 0));
  const bound = Math.min(...probabilities, rest / Math.max(1, answers.length - walked.size));
  const p = answers.map((_, i) => Math.max(Number.MIN_VALUE, walked.get(i) ?? bound));
  return { logprobs: p.map(Math.log), mass: Math.min(1, total(walked)) };
}

const trimmed = (text: string): string => text.trimStart();
const lastLine = (text: string): string => text.trimEnd().split('\n').at(-1)!;
const total = (found: ReadonlyMap<number, number>): number => [...found.values()].reduce((a, b) => a + b, 0);
/** The part of an answer's beginning that a judge may repeat: its last line. */
export const echoOf = (begun: string): string => trimmed(lastLine(begun));
const likeliest = (top: readonly Likely[]): Likely[] => [...top].sort((a, b) => b.logprob - a.logprob);
/** Leaves out tokens that are no text, and tokens without probability, which some servers write as −9999. */
const usable = (top: readonly Likely[]): readonly Likely[] =>
  top.filter(({ token, logprob }) => token !== '' && !token.includes('\uFFFD') && Math.exp(logprob) > 0);

/** What may stand before an answer: spaces, quotation marks, the stars of bold type. */
export const OPENING = /^[\s"'`*([{“‘]+/u;
/** A token that holds nothing else; '' stands for a token of spaces. */
export const LEADING = /^[\s"'`*([{“‘]*$/u;

/** The probability of each answer, by its index, over all ways to write it; or why it cannot be found out. */
async function walk<F extends object>(
  answers: readonly string[],
  top: readonly Likely[],
  next: NextTokens<F>,
  follow: boolean,
  same: (text: string) => string,
): Promise<Map<number, number> | { readonly unclear: string } | F> {
  const found = new Map<number, number>();
  const add = (answer: number, p: number): void => { found.set(answer, (found.get(answer) ?? 0) + p); };
  const single = new Set(top.map(({ token }) => same(token)));
  /** Beginnings of answers, likeliest first. `is`: the index of the answer that the beginning itself is. */
  const open: { readonly begun: string; readonly p: number; readonly is?: number }[] = [{ begun: '', p: 1 }];
  let requests = 0;
  for (let at = open.shift(); at !== undefined; at = open.shift()) {
    let likely = top;
    if (at.begun !== '') {
      if (++requests > MOST_REQUESTS) break;
      const more = await next(at.begun);
      if (!Array.isArray(more)) return more as F;
      likely = usable(more as readonly Likely[]);
    }
    for (const { token, logprob } of likely) {
      const begun = at.begun + token;
      const text = same(begun);
      if (text === '') continue;
      const p = at.p * Math.exp(Math.min(0, logprob));
      const is = answers.indexOf(text);
      if (is >= 0) {
        add(is, p);
        if (at.is !== undefined) add(at.is, -p);
      }
      const longer = answers.filter((answer) => answer.length > text.length && answer.startsWith(text));
      if (longer.length === 0 || p < NEGLIGIBLE) continue;
      // A vocabulary that has the token "10" does not write it as "1", "0".
      if (is >= 0 && longer.every((answer) => single.has(answer))) continue;
      if (!follow) {
        const ways = longer.map((answer) => JSON.stringify(answer)).join(', ');
        return { unclear: `the token ${JSON.stringify(token)} may go on to ${ways}` };
      }
      const own = is >= 0 ? is : at.is;
      open.push({ begun, p, is: own });
      open.sort((a, b) => b.p - a.p);
    }
  }
  return found;
}

/**
 * The index of the answer that a sampled text gives; −1 where it gives none. The longest answer counts that the text begins with, after
 * quotation marks, bold type, and the beginning of the answer where the text repeats it ("Preferred Response=2", "**Score:** 8").
 */
export function answerOf(text: string, answers: readonly string[], begun = ''): number {
  const plain = bare(afterEcho(bare(text), begun));
  let best = -1;
  answers.forEach((answer, i) => {
    const wanted = bare(answer);
    const goesOn = /^(?:[\p{L}\p{N}_]|[.,]\p{N})/u.test(plain.slice(wanted.length));
    const longest = best < 0 || wanted.length > bare(answers[best]!).length;
    if (wanted !== '' && plain.startsWith(wanted) && !goesOn && longest) best = i;
  });
  return best;
}

const bare = (text: string): string => text.replace(OPENING, '').trimEnd();

/** A text without the beginning of the answer, where the text repeats it. */
function afterEcho(text: string, begun: string): string {
  const words = lastLine(begun).trim().replace(/[\s=:]+$/u, '');
  if (words === '') return text;
  const pattern = words.split(/\s+/u).map(escapePattern).join(String.raw`\s+`);
  return text.replace(new RegExp(`^${pattern}[\\s"'\`*_=:]+`, 'iu'), '');
}

/**
 * The index of the answer that a sample under a schema gives: {"answer": "…"}, in a code fence or not, with words before it or not; −1
 * where it gives none, or several objects. Where the sample holds no object, the server did not mind the schema, and the words count.
 */
export function structuredAnswerOf(text: string, answers: readonly string[], begun?: string): number {
  const objects = objectsIn(text);
  if (objects.length === 0) return text.includes('{') ? -1 : answerOf(text, answers, begun);
  const [only] = objects as { readonly answer?: unknown }[];
  return objects.length > 1 ? -1 : answers.indexOf(String(only!.answer));
}
