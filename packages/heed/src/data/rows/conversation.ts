import { z } from 'zod';
import { needs } from '../columns.js';
import { isEmptyComment, isFailedCall } from '../judgment.js';
import { badResponses } from './completion.js';
import { defineRow, satisfiedVerdict, shape } from '../row.js';
import {
  ANSWER_COLUMNS, answerOf, common, type Context, conversationsInMessages, messagesOf, nameOf, plainText, satisfiedOf,
} from '../row-cells.js';
import { said } from '../../text/turn.js';
import { RowFault } from '../turns.js';

/** A whole conversation; every assistant turn is learnt from, unless `satisfied` is false. TRL: `messages`. */
export const ConversationRow = z.object({ ...shape.base, messages: shape.prompt, satisfied: shape.satisfied });
export type ConversationRow = z.infer<typeof ConversationRow>;

/** Everything before the last assistant turn: as other kinds read the same conversation, so that all hold out the same rows. */
function promptOf({ messages }: ConversationRow): ConversationRow['messages'] {
  const answer = messages.findLastIndex(({ role }) => role === 'assistant');
  return answer === -1 ? messages : messages.slice(0, answer);
}

/** The turns of `messages`. @throws RowFault where nobody answers in them */
export function answeredMessages(row: Context): ConversationRow['messages'] {
  const messages = messagesOf(row);
  if (messages.some(({ role }) => role === 'assistant')) return messages;
  throw new RowFault(nameOf(row, 'messages'), 'has no assistant turn to learn', messages);
}

function turnsOf(row: Context): ConversationRow['messages'] {
  if (!conversationsInMessages(row.layout)) {
    const { prompt, completion } = answerOf(row);
    return [...prompt, { role: 'assistant', content: completion }];
  }
  const messages = answeredMessages(row);
  const name = nameOf(row, 'messages');
  const answers = messages.filter(({ role }) => role === 'assistant');
  if (answers.every(({ weight }) => weight === 0)) throw new RowFault(name, 'has weight 0 at every assistant turn', messages, true);
  if (answers.some((turn) => said(turn).trim() === '')) throw new RowFault(name, 'has an empty assistant turn', messages, true);
  return messages;
}

/** Whether the row says that its answers are good: as `satisfiedOf`, else as judged rows say it, by a judgment or by none. */
function goodOf(row: Context): { satisfied?: boolean } {
  const said = satisfiedOf(row);
  const judgment = plainText(row, 'judgment');
  if (said.satisfied !== undefined || !row.layout.names.has('judgment')) return said;
  if (judgment !== undefined && isFailedCall(judgment)) return said;
  return { satisfied: judgment === undefined || isEmptyComment(judgment) };
}

export const conversation = defineRow({
  kind: 'conversation',
  columns: [...ANSWER_COLUMNS, 'satisfied', 'label', 'judgment'],
  unheard: ['score', 'rating', 'vote', 'thumb', 'thumbs'],
  schema: ConversationRow,
  needs: (layout) => (conversationsInMessages(layout) ? [] : needs('messages, or prompt and completion', ['prompt'], ['completion'])),
  read: (row) => ({ ...common(row), messages: turnsOf(row), ...goodOf(row) }),
  prompt: promptOf,
  responses: ({ messages }) => messages.filter(({ role, weight }) => role === 'assistant' && weight !== 0).map(said),
  verdict: ({ satisfied }) => satisfiedVerdict(satisfied),
  view: (rows) => ({ remarks: [badResponses(rows)] }),
});
