import type { Respond } from '../../src/method/method.js';
import { quotedPlaces } from '../../src/text/quotes.js';
import type { Message } from '../../src/text/template.js';
import type { TokenSequence } from '../../src/text/token-sequence.js';

/** What a test can read back: a token for each character. */
const tokens = (text: string): number[] => [...text].map((c) => c.codePointAt(0)!);
const shown = (messages: readonly Message[]): string => messages.map(({ role, content }) => `${role}: ${content}`).join('\n');
const respond = (prompt: readonly Message[], response: string): TokenSequence => ({
  prompt: tokens(shown(prompt)),
  response: tokens(`${response}.`),
});

/** Words to tokens without a model: characters, and a full stop for the end of turn. */
/** `respond` with the characters marked that the judgment quotes. */
const respondMarked: Respond['respondMarked'] = (prompt, response, judgment) => {
  const places = quotedPlaces(judgment, response);
  const sequence = respond(prompt, response);
  return { ...sequence, marked: sequence.response.map((_, t) => places.some(({ start, end }) => t >= start && t < end)) };
};

export const fakeRespond = (): Respond => ({
  respond,
  respondMarked,
  respondTokens: (prompt, ids) => ({ prompt: tokens(shown(prompt)), response: ids }),
  respondJudged: (prompt, judgment, response) => respond([...prompt, { role: 'user', content: judgment }], response),
  converse: (messages) => respond(messages.slice(0, -1), messages.at(-1)!.content),
});

export const textOf = (ids: readonly number[]): string => String.fromCodePoint(...ids);
