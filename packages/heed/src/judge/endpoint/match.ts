import type { Likely } from './reply.js';

/** Gives the likeliest tokens after a beginning of the answer, '' first. */
export type NextTokens<F> = (begun: string) => Promise<readonly Likely[] | F>;

/** What the likeliest tokens say of the answers. */
export type Matched =
  /**
   * log p of each answer. Answers beyond the listed tokens have at most the probability of the least likely listed one, and together what
   * the list leaves.
   */
  | { readonly logprobs: readonly number[]; readonly mass: number }
  /** None of the answers is among them. */
  | { readonly none: readonly Likely[] }
  /**
   * What most likely comes first goes on to an answer in one of several ways, and the server cannot be asked for what follows. `leading`:
   * it is none yet.
   */
  | { readonly unclear: string; readonly leading?: true };

export interface Matching {
  /** Whether `next` can be asked for what comes after a beginning. */
  readonly follow: boolean;
  /** How the answer was begun ("Preferred Response="): a judge may say that again before it answers. */
  readonly begun?: string | undefined;
}

/** What may be left open without being worth a word: below this, an answer that is begun changes nothing. */
const NEGLIGIBLE = 1e-4;
/** Requests that one question's answers may take. */
const MOST_REQUESTS = 12;
/** The resolution of a float32, as which most servers list probabilities: a list that leaves nothing leaves this. */
const RESOLUTION = 2 ** -23;

/**
 * The probability of each answer from the likeliest tokens: every way to write an answer counts that the lists show, in one token or in
 * several, with spaces before it or without. An answer that begins another ("1", "10") loses the probability of going on to it. Where it is
 * likelier than all answers that the judge first says again how the answer begins, the answers after that count too, and where they cannot
 * be asked for, nothing is clear: what is left beside it is no answer.
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
    // Spaces and quotation marks are followed by too much to be followed.
    return echoes || (!follow && LEADING.test(text));
  });
  if (leading.reduce((sum, { logprob }) => sum + Math.exp(Math.min(0, logprob)), 0) > total(walked)) {
    if (!follow)
      return {
        unclear: `the token ${JSON.stringify(likeliest(leading)[0]!.token)} only leads up to an answer, and is likelier than all answers`,
        leading: true,
      };
    const again = await walk(
      wanted.map((answer) => echo + answer),
      first,
      next,
      follow,
      trimmed,
    );
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
/** How an answer's beginning is said again: its last line. */
export const echoOf = (begun: string): string => trimmed(lastLine(begun));
const likeliest = (top: readonly Likely[]): Likely[] => [...top].sort((a, b) => b.logprob - a.logprob);
/** Without what is no text, and without what has no probability, which some servers write as −9999. */
const usable = (top: readonly Likely[]): readonly Likely[] =>
  top.filter(({ token, logprob }) => token !== '' && !token.includes('\uFFFD') && Math.exp(logprob) > 0);

/** What may stand before an answer: spaces, quotation marks, the stars of bold type. */
export const OPENING = /^[\s"'`*([{“‘]+/u;
/** A token of nothing else; '' is one of spaces. */
export const LEADING = /^[\s"'`*([{“‘]*$/u;

/** The probability of each answer that some way of writing leads to, by its place; or what kept from finding out. */
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
  /** Beginnings of answers, with the answer among them that they are; likeliest first. */
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
      // What is written in one token is written so: a vocabulary that has "10" does not say "1", "0".
      if (is >= 0 && longer.every((answer) => single.has(answer))) continue;
      if (!follow)
        return { unclear: `the token ${JSON.stringify(token)} may go on to ${longer.map((answer) => JSON.stringify(answer)).join(', ')}` };
      const own = is >= 0 ? is : at.is;
      open.push({ begun, p, ...(own === undefined ? {} : { is: own }) });
      open.sort((a, b) => b.p - a.p);
    }
  }
  return found;
}

/**
 * Which answer a sampled text gives: the longest that it begins with, when what may stand around it is let pass; −1: none. A text that
 * first says again how the answer begins ("Preferred Response=2", "**Score:** 8") gives the answer after it.
 */
export function answerOf(text: string, answers: readonly string[], begun = ''): number {
  const plain = bare(afterEcho(bare(text), begun));
  let best = -1;
  answers.forEach((answer, i) => {
    const wanted = bare(answer);
    const after = plain.slice(wanted.length);
    if (
      wanted !== ''
      && plain.startsWith(wanted)
      && !/^(?:[\p{L}\p{N}_]|[.,]\p{N})/u.test(after)
      && (best < 0 || wanted.length > bare(answers[best]!).length)
    )
      best = i;
  });
  return best;
}

const bare = (text: string): string => text.replace(OPENING, '').trimEnd();

/** A text without the words of the answer's beginning, where it says them again. */
function afterEcho(text: string, begun: string): string {
  const words = lastLine(begun).trim().replace(/[\s=:]+$/u, '');
  if (words === '') return text;
  const pattern = words.split(/\s+/u).map((word) => word.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`)).join(String.raw`\s+`);
  return text.replace(new RegExp(`^${pattern}[\\s"'\`*_=:]+`, 'iu'), '');
}

/** The answer that a sample under a schema gives: {"answer": "…"}; −1: none. */
export function structuredAnswerOf(text: string, answers: readonly string[]): number {
  try {
    return answers.indexOf(String((JSON.parse(text) as { answer?: unknown } | null)?.answer));
  } catch {
    return -1;
  }
}
