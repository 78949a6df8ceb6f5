import type { Likely } from './reply.js';

/** Gives the likeliest tokens after a beginning of the answer, '' first. */
export type NextTokens<F> = (begun: string) => Promise<readonly Likely[] | F>;

/** What the likeliest tokens say of the answers. */
export type Matched =
  /** log p of each answer. Answers beyond the listed tokens have the probability of the least likely listed one, which is their upper bound. */
  | { readonly logprobs: readonly number[]; readonly mass: number }
  /** None of the answers is among them. */
  | { readonly none: readonly Likely[] }
  /** An answer has several tokens, and the server cannot be asked for what follows the first. */
  | { readonly unclear: string };

/** What may be left open without being worth a word: below this, an answer that is begun changes nothing. */
const NEGLIGIBLE = 1e-4;
/** Requests that one question's answers may take. */
const MOST_REQUESTS = 12;

/**
 * The probability of each answer from the likeliest tokens: every way to write an answer counts that the lists show, in one token or in
 * several. An answer that begins another ("1", "10") loses the probability of going on to it. Where no token is exactly an answer or
 * its beginning, spaces before the answer are let pass: then of all answers.
 *
 * @param follow whether `next` can be asked for what comes after a beginning
 */
export async function matchAnswers<F extends object>(answers: readonly string[], next: NextTokens<F>, follow: boolean): Promise<Matched | F> {
  const top = await next('');
  if (!Array.isArray(top)) return top as F;
  const first = usable(top as readonly Likely[]);
  for (const same of [(text: string) => text, (text: string) => text.trimStart()]) {
    const matched = await walk(answers, first, next, follow, same);
    if (!('none' in matched)) return matched;
  }
  return { none: [...first].sort((a, b) => b.logprob - a.logprob).slice(0, 5) };
}

const usable = (top: readonly Likely[]): readonly Likely[] => top.filter(({ token, logprob }) => token !== '' && !token.includes('\uFFFD') && Number.isFinite(logprob));

async function walk<F extends object>(answers: readonly string[], top: readonly Likely[], next: NextTokens<F>, follow: boolean, same: (text: string) => string): Promise<Matched | F> {
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
      if (!follow) return { unclear: `the token ${JSON.stringify(token)} may go on to ${longer.map((answer) => JSON.stringify(answer)).join(', ')}` };
      const own = is >= 0 ? is : at.is;
      open.push({ begun, p, ...(own === undefined ? {} : { is: own }) });
      open.sort((a, b) => b.p - a.p);
    }
  }
  if (found.size === 0) return { none: [] };
  const rest = Math.max(0, 1 - top.reduce((sum, { logprob }) => sum + Math.exp(Math.min(0, logprob)), 0));
  const least = Math.exp(Math.min(...top.map(({ logprob }) => logprob)));
  const bound = Math.max(Number.MIN_VALUE, rest > 0 ? Math.min(least, rest) : least);
  const p = answers.map((_, i) => Math.max(Number.MIN_VALUE, found.get(i) ?? bound));
  return { logprobs: p.map(Math.log), mass: Math.min(1, [...found.values()].reduce((a, b) => a + b, 0)) };
}

/** Which answer a sampled text gives: the longest that it begins with, when what may stand around it is let pass; −1: none. */
export function answerOf(text: string, answers: readonly string[]): number {
  const plain = bare(text);
  let best = -1;
  answers.forEach((answer, i) => {
    const wanted = bare(answer);
    const after = plain.slice(wanted.length);
    if (wanted !== '' && plain.startsWith(wanted) && !/^[\p{L}\p{N}_]/u.test(after) && (best < 0 || wanted.length > bare(answers[best]!).length)) best = i;
  });
  return best;
}

const bare = (text: string): string => text.replace(/^[\s"'`*([{“‘]+/u, '').trimEnd();

/** The answer that a sample under a schema gives: {"answer": "…"}; −1: none. */
export function structuredAnswerOf(text: string, answers: readonly string[]): number {
  try {
    return answers.indexOf(String((JSON.parse(text) as { answer?: unknown } | null)?.answer));
  } catch {
    return -1;
  }
}
