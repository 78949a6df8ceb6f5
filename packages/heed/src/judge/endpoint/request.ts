import type { Message } from '../../text/template.js';
import type { Question } from '../respondent.js';
import type { EndpointOptions } from './options.js';

/** The path that a question is posted to, and the part of the body that holds the question. */
export interface Addressed {
  readonly path: '/chat/completions' | '/completions';
  readonly body: Readonly<Record<string, unknown>>;
}

type Speech = Pick<EndpointOptions, 'api' | 'begun'>;

/** Whether the server continues a text from any place, so that an answer can be read token by token. */
export const continues = ({ api, begun }: Speech): boolean => api === 'completions' || begun !== 'ask';

/** A question as this server takes it. `more`: the part of the answer that is known already, after `begun`. */
export function address({ messages, begun = '' }: Question, speech: Speech, more = ''): Addressed {
  if (speech.api === 'completions') return { path: '/completions', body: { prompt: plainText(messages, begun) + more } };
  const start = begun + more;
  if (start === '') return { path: '/chat/completions', body: { messages } };
  if (speech.begun === 'ask') return { path: '/chat/completions', body: { messages: withEnding(messages, start) } };
  const flags = speech.begun === 'continue' ? { add_generation_prompt: false, continue_final_message: true } : {};
  return { path: '/chat/completions', body: { messages: [...messages, { role: 'assistant', content: start }], ...flags } };
}

/** The beginning of the answer as the end of the question: "Preferred Response=". */
function withEnding(messages: readonly Message[], ending: string): Message[] {
  const last = messages.at(-1);
  return last?.role === 'user'
    ? [...messages.slice(0, -1), { role: 'user', content: `${last.content}\n${ending}` }]
    : [...messages, { role: 'user', content: ending }];
}

const SPEAKERS: Readonly<Record<Message['role'], string>> = { system: 'System', user: 'User', assistant: 'Assistant', tool: 'Tool' };

/** Messages as text that a base model continues: a single request as it is, a conversation turn by turn. */
export function plainText(messages: readonly Message[], begun: string): string {
  const system = messages.filter(({ role }) => role === 'system').map(({ content }) => `${content}\n\n`).join('');
  const turns = messages.filter(({ role }) => role !== 'system');
  if (turns.length === 1 && turns[0]!.role === 'user') return `${system}${turns[0]!.content}\n${begun}`;
  const spoken = turns.map(({ role, content }) => `${SPEAKERS[role]}: ${content}\n\n`).join('');
  return `${system}${spoken}Assistant:${begun === '' ? '' : ` ${begun}`}`;
}
