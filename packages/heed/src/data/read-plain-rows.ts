import { type Layout, wayOf } from './columns.js';
import { common, type Context, nameOf, numberOf, promptOf, satisfiedOf, scoresOf, structured, value, voteOf } from './row-cells.js';
import { typeName } from './problem.js';
import type { CompletionRow, ConversationRow, LabelledRow, Message, PromptRow, ScoredRow } from './rows.js';
import { asMessages, asPrompt, asResponse, RowFault } from './turns.js';

const MESSAGES = ['messages'] as const;
const ANSWER = ['completion', 'prompt', 'input'] as const;

/** Whether a file is read by its column `messages`, where a prompt and a completion are wanted. */
export const answersInMessages = (layout: Layout): boolean => wayOf([ANSWER, MESSAGES], layout) === MESSAGES;

/** Whether a file is read by its column `messages`, where conversations are wanted. */
export const conversationsInMessages = (layout: Layout): boolean => wayOf([MESSAGES, ANSWER], layout) === MESSAGES;

export function completionOf(row: Context): { prompt: Message[]; completion: string } {
  if (!answersInMessages(row.layout)) {
    return { prompt: promptOf(row), completion: asResponse(nameOf(row, 'completion'), structured(row, 'completion')) };
  }
  const turns = messagesOf(row);
  const name = nameOf(row, 'messages');
  return { prompt: asPrompt(name, turns.slice(0, -1), row.hh), completion: asResponse(name, turns.slice(-1)) };
}

function messagesOf(row: Context): Message[] {
  const name = nameOf(row, 'messages');
  const given = structured(row, 'messages');
  if (!Array.isArray(given)) throw new RowFault(name, given === undefined ? 'is missing' : `is ${typeName(given)}, not a list of turns`, given);
  return asMessages(name, given);
}

export function readConversation(row: Context): ConversationRow {
  return { ...common(row), messages: conversationOf(row), ...saysSatisfied(row) };
}

/** The key is there only where the row says it, as with the other columns that a row may lack. */
function saysSatisfied(row: Context): { satisfied?: boolean } {
  const satisfied = satisfiedOf(row);
  return satisfied === undefined ? {} : { satisfied };
}

function conversationOf(row: Context): Message[] {
  if (!conversationsInMessages(row.layout)) {
    const { prompt, completion } = completionOf(row);
    return [...prompt, { role: 'assistant', content: completion }];
  }
  const messages = messagesOf(row);
  const name = nameOf(row, 'messages');
  if (!messages.some(({ role }) => role === 'assistant')) throw new RowFault(name, 'has no assistant turn to learn', messages);
  if (messages.some(({ role, content }) => role === 'assistant' && content.trim() === '')) throw new RowFault(name, 'has an empty assistant turn', messages, true);
  return messages;
}

export function readPrompt(row: Context): PromptRow {
  const used = new Set([row.layout.names.prompt, row.layout.names.input, row.layout.names.id]);
  const extra = Object.fromEntries(Object.entries(row.record.fields).filter(([name]) => !used.has(name)));
  return { ...common(row), prompt: promptOf(row), extra };
}

export function readCompletion(row: Context): CompletionRow {
  return { ...readAnswer(row), ...saysSatisfied(row) };
}

/** A prompt and a completion, with what else rows of several kinds hold. */
export function readAnswer(row: Context): Omit<CompletionRow, 'satisfied'> {
  const scores = scoresOf(row);
  return { ...common(row), ...completionOf(row), ...(scores === undefined ? {} : { scores }) };
}

export function readLabelled(row: Context): LabelledRow {
  const plain = readAnswer(row);
  const label = voteOf(row);
  if (label === undefined) throw new RowFault(nameOf(row, 'label'), 'is missing', undefined);
  return { ...plain, label };
}

export function readScored(row: Context): ScoredRow {
  const score = numberOf(row, 'score');
  if (score === undefined) throw new RowFault(nameOf(row, 'score'), 'is missing', value(row, 'score'));
  return { ...readAnswer(row), score };
}
