import { judgedPrompt } from './judgment.js';
import { quotedPlaces } from './quotes.js';
import type { Message, Template } from './template.js';
import { holds, tokenSpans } from './token-ends.js';
import type { TokenSequence } from './token-sequence.js';
import type { Tokenizer } from './tokenizer.js';

/** Turns words into token sequences with one template. */
export function createRespond(template: Template) {
  const respond = (prompt: readonly Message[], response: string): TokenSequence => ({
    prompt: template.prompt(prompt),
    response: template.response(response),
  });
  return {
    respond,
    respondMarked(prompt: readonly Message[], response: string, judgment: string): TokenSequence {
      const sequence = respond(prompt, response);
      return { ...sequence, marked: quotedTokens(template.tokenizer, sequence.response, judgment) };
    },
    respondTokens: (prompt: readonly Message[], ids: readonly number[], kept?: TokenSequence['kept']): TokenSequence => (
      { prompt: template.prompt(prompt), response: ids, kept }
    ),
    respondJudged: (prompt: readonly Message[], judgment: string, response: string, format?: string): TokenSequence =>
      respond(judgedPrompt(prompt, judgment, template.name, format), response),
    converse(messages: readonly Message[]): TokenSequence {
      const { ids, supervised } = template.conversation(messages);
      const first = supervised.indexOf(true);
      return { prompt: ids.slice(0, first), response: ids.slice(first), supervised: supervised.slice(first) };
    },
  };
}

/**
 * Which tokens of a response hold what a judgment quotes of it (`quotedPlaces`). The text is that of the tokens: a template may trim a
 * response.
 */
export function quotedTokens(tokenizer: Tokenizer, response: readonly number[], judgment: string): boolean[] {
  const places = quotedPlaces(judgment, tokenizer.decode(response));
  return tokenSpans(tokenizer, response).map((token) => places.some((place) => holds(token, place)));
}
