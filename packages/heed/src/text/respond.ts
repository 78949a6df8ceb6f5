import { judgedPrompt } from './judgment.js';
import { quotedPlaces } from './quotes.js';
import type { Message, Template } from './template.js';
import { holds, tokenSpans } from './token-ends.js';
import type { TokenSequence } from './token-sequence.js';
import type { Tokenizer } from './tokenizer.js';

/** The tokens of a response to a prompt where they are known, such as those that a policy drew; undefined of other responses. */
export type KnownTokens = (prompt: readonly Message[], response: string) => readonly number[] | undefined;

/**
 * Turns words into token sequences with one template.
 *
 * @param known Tokens that stand in place of those that the template would make of a response. Default: none.
 */
export function createRespond(template: Template, known: KnownTokens = () => undefined) {
  const responseTo = (prompt: readonly Message[], response: string): readonly number[] =>
    known(prompt, response) ?? template.response(response);
  const respond = (prompt: readonly Message[], response: string, answered = prompt): TokenSequence => ({
    prompt: template.prompt(prompt),
    response: responseTo(answered, response),
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
    respondJudged: (prompt: readonly Message[], judgment: string, response: string, format?: string): TokenSequence => ({
      prompt: template.prompt(judgedPrompt(prompt, judgment, template.name, format)),
      response: responseTo(prompt, response),
    }),
    converse(messages: readonly Message[]): TokenSequence {
      const { ids, supervised } = template.conversation(messages);
      const first = supervised.indexOf(true);
      const last = known(messages.slice(0, -1), messages.at(-1)!.content);
      if (last !== undefined) {
        const start = supervised.lastIndexOf(false) + 1;
        ids.splice(start, ids.length, ...last);
        supervised.splice(start, supervised.length, ...last.map(() => true));
      }
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
