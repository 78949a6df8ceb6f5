import { z } from 'zod';
import { needs } from '../columns.js';
import { badResponses } from './completion.js';
import { defineRow, satisfiedVerdict, shape } from '../row.js';
import { ANSWER_COLUMNS, answerOf, common, type Context, conversationsInMessages, messagesOf, nameOf, satisfiedOf } from '../row-cells.js';
import { RowFault } from '../turns.js';

/** A whole conversation; every assistant turn is learnt from, unless `satisfied` is false. TRL: `messages`. */
export const ConversationRow = z.object({ ...shape.base, messages: shape.prompt, satisfied: shape.satisfied });
export type ConversationRow = z.infer<typeof ConversationRow>;

/** Everything before the first assistant turn. */
function promptOf({ messages }: ConversationRow): ConversationRow['messages'] {
  const answer = messages.findIndex(({ role }) => role === 'assistant');
  return answer === -1 ? messages : messages.slice(0, answer);
}

function turnsOf(row: Context): ConversationRow['messages'] {
  if (!conversationsInMessages(row.layout)) {
    const { prompt, completion } = answerOf(row);
    return [...prompt, { role: 'assistant', content: completion }];
  }
  const messages = messagesOf(row);
  const name = nameOf(row, 'messages');
  const answers = messages.filter(({ role }) => role === 'assistant');
  if (answers.length === 0) throw new RowFault(name, 'has no assistant turn to learn', messages);
  if (answers.some(({ content }) => content.trim() === '')) throw new RowFault(name, 'has an empty assistant turn', messages, true);
  return messages;
}

export const conversation = defineRow({
  kind: 'conversation',
  columns: [...ANSWER_COLUMNS, 'satisfied', 'label'],
  schema: ConversationRow,
  needs: (layout) => (conversationsInMessages(layout) ? [] : needs('messages, or prompt and completion', ['prompt'], ['completion'])),
  read: (row) => ({ ...common(row), messages: turnsOf(row), ...satisfiedOf(row) }),
  prompt: promptOf,
  responses: (row) => row.messages.slice(promptOf(row).length).map(({ content }) => content),
  verdict: ({ satisfied }) => satisfiedVerdict(satisfied),
  view: (rows) => ({ remarks: [badResponses(rows)] }),
});
