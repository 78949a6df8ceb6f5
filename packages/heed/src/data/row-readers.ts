import type { ColumnName, Layout, Need } from './columns.js';
import { readChoice, readClassified } from './read-class-rows.js';
import { readJudged, readRefined } from './read-judged-rows.js';
import { readNegative, readPreference, readPrincipled } from './read-pair-rows.js';
import { readCompletion, readConversation, readLabelled, readPrompt, readScored } from './read-plain-rows.js';
import { type Context, has } from './row-cells.js';
import type { RowKind, RowKinds } from './rows.js';

interface Reader<Row> {
  /** Columns without which no row of the file can be read. */
  needs(layout: Layout): readonly Need[];
  /** @throws RowFault */
  read(row: Context): Row;
}

/** One reader per kind of row. */
export const readers: { readonly [K in RowKind]: Reader<RowKinds[K]> } = {
  conversation: { needs: (layout) => completionNeeds(layout, 'messages, or prompt and completion'), read: readConversation },
  prompt: { needs: () => needs('prompt', ['prompt']), read: readPrompt },
  completion: { needs: (layout) => completionNeeds(layout, 'prompt and completion, or messages'), read: readCompletion },
  judged: { needs: () => needs(JUDGED, ...ANSWER, ['judgment', 'satisfied']), read: readJudged },
  refined: { needs: () => needs(`${JUDGED}; refinement where there is one`, ...ANSWER, ['judgment', 'satisfied']), read: readRefined },
  preference: { needs: () => needs('prompt, chosen and rejected', ['chosen'], ['rejected']), read: readPreference },
  labelled: { needs: () => needs('prompt, completion and label', ...ANSWER, ['label']), read: readLabelled },
  scored: { needs: () => needs('prompt, completion and score', ...ANSWER, ['score']), read: readScored },
  negative: { needs: () => needs('prompt, and rejected or completion', ['prompt'], ['rejected', 'completion']), read: readNegative },
  principled: { needs: () => needs('prompt, responses and principles', ['prompt'], ['responses'], ['principles']), read: readPrincipled },
  choice: { needs: () => needs('prompt, choices, and targets or label', ['prompt'], ['choices'], ['targets', 'label']), read: readChoice },
  classified: {
    needs: (layout) => (has(layout, 'text') ? needs('text and label', ['text'], ['label']) : needs('text and label, or prompt, completion and label', ['text', 'completion'], ...(has(layout, 'completion') ? PROMPT : []), ['label'])),
    read: readClassified,
  },
};

const JUDGED = 'prompt, completion, and judgment or satisfied';
const PROMPT: [ColumnName][] = [['prompt']];
const ANSWER: [ColumnName][] = [['prompt'], ['completion']];

function needs(wanted: string, ...columns: readonly (readonly ColumnName[])[]): Need[] {
  return columns.map((anyOf) => ({ anyOf, wanted }));
}

function completionNeeds(layout: Layout, wanted: string): Need[] {
  return has(layout, 'messages') ? [] : needs(wanted, ...ANSWER);
}
