import { startOfSpeech } from '../../text/thoughts.js';
import { LEADING, OPENING } from './match.js';
import type { Likely, Place } from './reply.js';

/** The places after a reply's thoughts; none where it ends within them. `opened`: it begins with thoughts, even without a mark. */
export function afterThoughts(places: readonly Place[], opened: boolean): readonly Place[] {
  const start = startOfSpeech(places.map(({ token }) => token).join(''));
  if (start === undefined || (opened && start === 0)) return [];
  let at = 0;
  return places.filter(({ token }) => {
    at += token.length;
    return at > start;
  });
}

/**
 * The likeliest tokens at the place where a reply answers. Before that place the reply may repeat the beginning of the answer (`echo`), and
 * open a quotation or bold type. Returns undefined where the reply has no answer, or says anything else before it.
 */
export function whereAnswered(places: readonly Place[], echo: string): readonly Likely[] | undefined {
  const lead = (text: string): 'whole' | 'part' | undefined => {
    const plain = text.replace(OPENING, '');
    if (plain === '') return 'whole';
    if (echo === '') return undefined;
    if (plain.startsWith(echo)) return LEADING.test(plain.slice(echo.length)) ? 'whole' : undefined;
    return echo.startsWith(plain) ? 'part' : undefined;
  };
  let before = '';
  for (const { token, top } of places) {
    const text = before + token;
    if (lead(text) === undefined) {
      if (lead(before) === 'whole') return top;
      // One token holds the end of the echo and the beginning of the answer: "=2".
      const said = (next: string): string => (before + next).replace(OPENING, '');
      if (!said(token).startsWith(echo)) return undefined;
      return top.flatMap(({ token: next, logprob }) =>
        said(next).startsWith(echo) ? [{ token: said(next).slice(echo.length), logprob }] : [],
      );
    }
    before = text;
  }
  return undefined;
}
