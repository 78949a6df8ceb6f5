import { booleanOf, common, type Context, has, nameOf, numberOf, promptOf, scoresOf, structured, value } from './row-cells.js';
import { typeName } from './problem.js';
import type { CompletionRow, ConversationRow, LabelledRow, Message, PromptRow, ScoredRow } from './rows.js';
import { asMessages, asPrompt, asResponse, RowFault } from './turns.js';

export function completionOf(row: Context): { prompt: Message[]; completion: string } {
  if (!has(row.layout, 'messages') || has(row.layout, 'completion')) {
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
  if (!has(row.layout, 'messages')) {
    const { prompt, completion } = completionOf(row);
    return { ...common(row), messages: [...prompt, { role: 'assistant', content: completion }] };
  }
  const messages = messagesOf(row);
  const name = nameOf(row, 'messages');
  if (!messages.some(({ role }) => role === 'assistant')) throw new RowFault(name, 'has no assistant turn to learn', messages);
  if (messages.some(({ role, content }) => role === 'assistant' && content.trim() === '')) throw new RowFault(name, 'has an empty assistant turn', messages, true);
  return { ...common(row), messages };
}

export function readPrompt(row: Context): PromptRow {
  const used = new Set([row.layout.names.prompt, row.layout.names.input, row.layout.names.id]);
  const extra = Object.fromEntries(Object.entries(row.record.fields).filter(([name]) => !used.has(name)));
  return { ...common(row), prompt: promptOf(row), extra };
}

export function readCompletion(row: Context): CompletionRow {
  const scores = scoresOf(row);
  return { ...common(row), ...completionOf(row), ...(scores === undefined ? {} : { scores }) };
}

/** A vote: true or false, or 1 or 0. */
export function readLabelled(row: Context): LabelledRow {
  const plain = readCompletion(row);
  const given = value(row, 'label');
  const label = given === 1 || given === 0 ? given === 1 : booleanOf(row, 'label');
  if (label === undefined) throw new RowFault(nameOf(row, 'label'), 'is missing', undefined);
  return { ...plain, label };
}

export function readScored(row: Context): ScoredRow {
  const score = numberOf(row, 'score');
  if (score === undefined) throw new RowFault(nameOf(row, 'score'), 'is missing', value(row, 'score'));
  return { ...readCompletion(row), score };
}
