import type { Message } from './template.js';
import { said } from './turn.js';

/** A rule that an answer is held to: its name, and what it asks for (or, negated, what it asks to leave undone). */
export interface HeldPrinciple {
  readonly name: string;
  readonly text: string;
}

/**
 * The prompt of a principle-following reward model (SALMON, arXiv 2310.05910), in words of ours: the response first, then the
 * request that it answers, then the principles. With the response in front, what the model makes of it does not know yet what will
 * be asked for, and one response under many sets of principles shares its beginning.
 *
 * @param messages What was answered: shown as it is where it is one user turn, else turn by turn.
 * @param response Not a turn of the result: it stands in its only turn, the user's.
 * @param principles In the order in which they are shown; at least one.
 * @throws where there are no principles.
 */
export function principledPrompt(messages: readonly Message[], response: string, principles: readonly HeldPrinciple[]): Message[] {
  return [{
    role: 'user',
    content: `Rate the answer below.\n\nAnswer:\n${response}\n\nIt was written for this request:\n${transcript(messages)}\n\n`
      + `Hold it to these rules and to nothing else; the more of them it keeps, the better it is.\n${bullets(principles)}`,
  }];
}

/** The same question asked of two responses at once, to be answered "A" or "B". @throws where there are no principles. */
export function comparisonPrompt(
  messages: readonly Message[],
  responses: readonly [string, string],
  principles: readonly HeldPrinciple[],
): Message[] {
  return [
    {
      role: 'user',
      content:
        `Compare the two answers below.\n\nAnswer A:\n${responses[0]}\n\nAnswer B:\n${responses[1]}\n\nThey were written for this ` +
        `request:\n${transcript(messages)}\n\n` +
        `Hold them to these rules and to nothing else.\n${bullets(principles)}\n\nWhich answer keeps them better? Say A or B, ` +
        'nothing more.',
    },
  ];
}

const SPEAKERS: Readonly<Record<Message['role'], string>> = { system: 'System', user: 'User', assistant: 'Assistant', tool: 'Tool' };

/** A conversation as text: one user turn as it is, else turn by turn. */
export function transcript(messages: readonly Message[]): string {
  const [only] = messages;
  if (messages.length === 1 && only!.role === 'user') return only!.content;
  return messages.map((turn) => `${SPEAKERS[turn.role]}: ${said(turn)}`).join('\n\n');
}

function bullets(principles: readonly HeldPrinciple[]): string {
  if (principles.length === 0) throw new Error('A response is held to at least one principle; none were given.');
  return principles.map(({ name, text }) => `- ${name}: ${text}`).join('\n');
}
