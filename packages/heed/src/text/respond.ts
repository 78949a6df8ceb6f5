import { judgedPrompt } from './judgment.js';
import type { Message, Template } from './template.js';
import type { TokenSequence } from './token-sequence.js';

/** Turns words into token sequences with one template. */
export function createRespond(template: Template) {
  const respond = (prompt: readonly Message[], response: string): TokenSequence => ({
    prompt: template.prompt(prompt),
    response: template.response(response),
  });
  return {
    respond,
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
