import { z } from 'zod';
import type { Message } from '../../text/template.js';
import { needs } from '../columns.js';
import { type BaseRow, defineRow, sameText, shape } from '../row.js';
import {
  begun, common, type Context, messagesOf, nameOf, numberOf, passOf, PROMPT_COLUMNS, promptEnd, promptOf, structured, value,
} from '../row-cells.js';
import { histogram, summary } from '../table.js';
import { isTurn } from '../turn.js';
import { asMessages, asResponse, asTranscript, RowFault, sameTurn, withoutPrompt } from '../turns.js';

/**
 * Two responses to one prompt. `soft_label` is the probability, in [0, 1], that `chosen` is the better one (absent: certain); `margin` is
 * by how much, in units of reward.
 */
export const PreferenceRow = z.object({
  ...shape.base,
  prompt: shape.prompt,
  chosen: z.string(),
  rejected: z.string(),
  soft_label: z.number().min(0).max(1).optional(),
  margin: z.number().optional(),
});
export type PreferenceRow = z.infer<typeof PreferenceRow>;

/** Whether a pair's label says that neither response is better. */
export const isTie = (row: BaseRow): boolean => 'soft_label' in row && row.soft_label === 0.5;

/** `chosen` or `rejected`: text, or turns (HH transcripts become turns where there is no prompt column). */
function sideOf(row: Context, column: 'chosen' | 'rejected'): string | Message[] {
  const name = nameOf(row, column);
  const given = structured(row, column);
  if (Array.isArray(given) || isTurn(given)) return asMessages(name, Array.isArray(given) ? given : [given], passOf(row, column));
  const text = asResponse(name, given);
  return row.hh && value(row, 'prompt') === undefined ? asTranscript(name, text) : text;
}

/** Without a column of prompts: the turns of `messages`, else those with which both responses begin. */
function sharedPrompt(row: Context, chosen: string | Message[], rejected: string | Message[]): Message[] {
  if (row.layout.names.has('messages')) return promptEnd(nameOf(row, 'messages'), messagesOf(row));
  if (typeof chosen === 'string' || typeof rejected === 'string') {
    throw new RowFault(nameOf(row, 'prompt'), 'is missing; without it chosen and rejected must be lists of turns', undefined);
  }
  let shared = 0;
  while (shared < chosen.length - 1 && shared < rejected.length - 1 && sameTurn(chosen[shared], rejected[shared])) shared++;
  return begun(row, promptEnd(nameOf(row, 'chosen'), chosen.slice(0, shared)));
}

function read(row: Context): PreferenceRow {
  // A value that can only be a mistake is looked for before what may be junk, so that skipping junk never hides it.
  const soft_label = numberOf(row, 'soft_label');
  if (soft_label !== undefined && (soft_label < 0 || soft_label > 1)) {
    throw new RowFault(nameOf(row, 'soft_label'), 'is not a probability from 0 to 1', soft_label);
  }
  const margin = numberOf(row, 'margin');
  const sides = { chosen: sideOf(row, 'chosen'), rejected: sideOf(row, 'rejected') };
  const prompt = value(row, 'prompt') === undefined ? sharedPrompt(row, sides.chosen, sides.rejected) : promptOf(row);
  const response = (side: 'chosen' | 'rejected'): string => asResponse(nameOf(row, side), withoutPrompt(sides[side], prompt));
  const [chosen, rejected] = [response('chosen'), response('rejected')];
  // The methods look for it again, in rows that come from code; here the columns have their names in the file.
  if (sameText(chosen, rejected)) {
    throw new RowFault(nameOf(row, 'chosen'), `equals ${nameOf(row, 'rejected')}: nothing is preferred`, chosen, true);
  }
  // The keys are there only where the row has them.
  const given = { ...(soft_label === undefined ? {} : { soft_label }), ...(margin === undefined ? {} : { margin }) };
  return { ...common(row), prompt, chosen, rejected, ...given };
}

export const preference = defineRow({
  kind: 'preference',
  columns: [...PROMPT_COLUMNS, 'messages', 'chosen', 'rejected', 'soft_label', 'margin'],
  schema: PreferenceRow,
  needs: () => needs('prompt, chosen and rejected', ['chosen'], ['rejected']),
  read,
  prompt: (row) => row.prompt,
  responses: (row) => [row.chosen, row.rejected],
  verdict(row) {
    const [chosen, rejected] = [row.chosen.trim(), row.rejected.trim()];
    return { says: chosen < rejected, about: [chosen, rejected].sort() };
  },
  view(rows) {
    const soft = rows.flatMap(({ soft_label }) => soft_label ?? []);
    const margins = rows.flatMap(({ margin }) => margin ?? []);
    const hard = rows.length - soft.length;
    const certain = hard === 0 ? '' : `; ${hard} of ${rows.length} rows have none and count as certain`;
    return {
      tables: [
        ...(soft.length === 0 ? [] : [histogram(`soft_label: ${summary(soft)}${certain}`, soft, { from: 0, to: 1 })]),
        ...(margins.length === 0 ? [] : [histogram(`margin: ${summary(margins)}`, margins)]),
      ],
      remarks: [
        {
          name: 'soft label favours rejected',
          rows: rows.filter(({ soft_label = 1 }) => soft_label < 0.5),
          advice: 'soft_label is the probability that chosen is better; below 0.5 it says the opposite',
        },
        {
          name: 'soft label prefers neither',
          rows: rows.filter(isTie),
          advice: 'soft_label is 0.5: such a pair pulls both responses together and ranks nothing',
        },
      ],
    };
  },
});
