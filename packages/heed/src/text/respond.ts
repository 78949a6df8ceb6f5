import { judgedPrompt } from './judgment.js';
import type { Message, Template } from './template.js';

/** A prompt and what follows it, in tokens; every response token is supervised unless `supervised` says otherwise. */
export interface Responded {
  readonly prompt: number[];
  readonly response: number[];
  readonly supervised?: boolean[];
}

/** Turns words into token sequences with one template. */
export function createRespond(template: Template) {
  const respond = (prompt: readonly Message[], response: string): Responded => ({ prompt: template.prompt(prompt), response: template.response(response) });
  return {
    respond,
    respondJudged: (prompt: readonly Message[], judgment: string, response: string, format?: string): Responded =>
      respond(judgedPrompt(prompt, judgment, template.name, format), response),
    converse(messages: readonly Message[]): Responded {
      const { ids, supervised } = template.conversation(messages);
      const first = supervised.indexOf(true);
      return { prompt: ids.slice(0, first), response: ids.slice(first), supervised: supervised.slice(first) };
    },
  };
}
