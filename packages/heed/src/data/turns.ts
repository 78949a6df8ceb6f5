import { typeName } from './problem.js';
import type { Message } from '../text/template.js';

/** Thrown while one row is read; caught and collected by the reader of the file. */
export class RowFault extends Error {
  constructor(
    readonly column: string,
    readonly reason: string,
    readonly value: unknown,
    readonly junk = false,
  ) {
    super(`${column} ${reason}`);
  }
}

const roles: readonly string[] = ['system', 'user', 'assistant', 'tool'];

/** Checks a list of `{ role, content }`. */
export function asMessages(column: string, value: readonly unknown[]): Message[] {
  if (value.length === 0) throw new RowFault(column, 'is an empty list', value, true);
  return value.map((turn, index) => {
    const { role, content } = (turn ?? {}) as { role?: unknown; content?: unknown };
    if (typeof role !== 'string') throw new RowFault(column, `turn ${index + 1} has no role`, turn);
    if (!roles.includes(role)) {
      throw new RowFault(column, `turn ${index + 1} has the role ${role}; known are ${roles.join(', ')}`, turn);
    }
    if (typeof content !== 'string') {
      throw new RowFault(column, `turn ${index + 1} has content that is ${typeName(content)}, not text`, turn);
    }
    return { role: role as Message['role'], content };
  });
}

/**
 * A prompt as turns: a string is one user turn.
 *
 * @param hh Read "\n\nHuman: … \n\nAssistant:" transcripts as turns.
 */
export function asPrompt(column: string, value: unknown, hh: boolean): Message[] {
  const turns = Array.isArray(value) ? asMessages(column, value) : textPrompt(column, value, hh);
  const last = turns.at(-1);
  if (last?.role !== 'user' && last?.role !== 'tool') {
    throw new RowFault(column, `ends with a turn of role ${last?.role}; a prompt ends with user or tool`, value);
  }
  if (last.content.trim() === '') throw new RowFault(column, 'is empty', value, true);
  return turns;
}

function textPrompt(column: string, value: unknown, hh: boolean): Message[] {
  if (value === undefined) throw new RowFault(column, 'is missing', value);
  if (typeof value !== 'string') throw new RowFault(column, `is ${typeName(value)}, not text or a list of turns`, value);
  if (!hh) return [{ role: 'user', content: value }];
  const turns = asTranscript(column, value);
  if (turns.at(-1)?.role !== 'assistant' || turns.at(-1)?.content !== '') {
    throw new RowFault(column, 'does not end with "\\n\\nAssistant:"', value.slice(-60));
  }
  return turns.slice(0, -1);
}

export function sameTurn(a: Message | undefined, b: Message | undefined): boolean {
  return a?.role === b?.role && a?.content === b?.content;
}

/** A response without the prompt at its head: many files repeat it there. */
export function withoutPrompt(side: string | Message[], prompt: readonly Message[]): string | Message[] {
  if (typeof side === 'string' || side.length <= prompt.length) return side;
  return prompt.every((turn, index) => sameTurn(turn, side[index])) ? side.slice(prompt.length) : side;
}

/** Splits a "\n\nHuman: … \n\nAssistant: …" transcript, the form of Anthropic's HH data. */
export function asTranscript(column: string, value: string): Message[] {
  const parts = value.split(/\n\n(Human|Assistant):/);
  if (parts[0]?.trim() !== '' || parts.length < 3) {
    throw new RowFault(column, 'is not a transcript that starts with "\\n\\nHuman:"', value);
  }
  const turns: Message[] = [];
  for (let index = 1; index < parts.length; index += 2) {
    turns.push({ role: parts[index] === 'Human' ? 'user' : 'assistant', content: (parts[index + 1] ?? '').trim() });
  }
  return turns;
}

/** A response as text: a string, or a list that holds one assistant turn. */
export function asResponse(column: string, value: unknown): string {
  if (value === undefined) throw new RowFault(column, 'is missing', value);
  let text = value;
  if (Array.isArray(value)) {
    const turns = asMessages(column, value);
    const [turn] = turns;
    if (turns.length !== 1 || turn?.role !== 'assistant') {
      throw new RowFault(column, `has the turns ${turns.map(({ role }) => role).join(', ')}; a response is one assistant turn`, value);
    }
    text = turn.content;
  }
  if (typeof text !== 'string') throw new RowFault(column, `is ${typeName(value)}, not text`, value, value === null);
  if (text.trim() === '') throw new RowFault(column, 'is empty', value, true);
  return text;
}
