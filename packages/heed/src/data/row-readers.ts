import { type ColumnName, type Layout, type Need, wayOf } from './columns.js';
import { classifiedText, readChoice, readClassified } from './read-class-rows.js';
import { readJudged, readRefined } from './read-judged-rows.js';
import { readNegative, readPreference, readPrincipled } from './read-pair-rows.js';
import { answersInMessages, conversationsInMessages, readCompletion, readConversation, readLabelled, readPrompt, readScored } from './read-plain-rows.js';
import type { Context } from './row-cells.js';
import type { RowKind, RowKinds } from './rows.js';

interface Reader<Row> {
  /** Columns without which no row of the file can be read. */
  needs(layout: Layout): readonly Need[];
  /** @throws RowFault */
  read(row: Context): Row;
}

/** One reader per kind of row. */
export const readers: { readonly [K in RowKind]: Reader<RowKinds[K]> } = {
  conversation: { needs: (layout) => (conversationsInMessages(layout) ? [] : needs('messages, or prompt and completion', ...ANSWER)), read: readConversation },
  prompt: { needs: () => needs('prompt', ['prompt']), read: readPrompt },
  completion: { needs: (layout) => (answersInMessages(layout) ? [] : needs('prompt and completion, or messages', ...ANSWER)), read: readCompletion },
  judged: { needs: () => needs(JUDGED, ...ANSWER, ['judgment', 'satisfied']), read: readJudged },
  refined: { needs: () => needs(`${JUDGED}; refinement where there is one`, ...ANSWER, ['judgment', 'satisfied']), read: readRefined },
  preference: { needs: () => needs('prompt, chosen and rejected', ['chosen'], ['rejected']), read: readPreference },
  labelled: { needs: () => needs('prompt, completion and label', ...ANSWER, ['label']), read: readLabelled },
  scored: { needs: () => needs('prompt, completion and score', ...ANSWER, ['score']), read: readScored },
  negative: { needs: () => needs('prompt, and rejected or completion', ['prompt'], ['rejected', 'completion']), read: readNegative },
  principled: { needs: () => needs('prompt, responses and principles', ['prompt'], ['responses'], ['principles']), read: readPrincipled },
  choice: {
    needs(layout) {
      const way = wayOf([['targets'], ['label']], layout) ?? ['targets', 'label'];
      return needs('prompt, choices, and targets or label', ['prompt'], ['choices'], way);
    },
    read: readChoice,
  },
  classified: {
    needs(layout) {
      const column = classifiedText(layout);
      if (column === 'text') return needs('text and label', ['text'], ['label']);
      return needs('text and label, or prompt, completion and label', ['text', 'completion'], ...(column === 'completion' ? PROMPT : []), ['label']);
    },
    read: readClassified,
  },
};

const JUDGED = 'prompt, completion, and judgment or satisfied';
const PROMPT: [ColumnName][] = [['prompt']];
const ANSWER: [ColumnName][] = [['prompt'], ['completion']];

function needs(wanted: string, ...columns: readonly (readonly ColumnName[])[]): Need[] {
  return columns.map((anyOf) => ({ anyOf, wanted }));
}
