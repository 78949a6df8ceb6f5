/** The kinds of row. Adding one is a file in rows/, and a line in `definitions`. */
import type { z } from 'zod';
import type { BaseRow, RowDefinition } from './row.js';
import { choice } from './rows/choice.js';
import { classified } from './rows/classified.js';
import { completion } from './rows/completion.js';
import { conversation } from './rows/conversation.js';
import { judged } from './rows/judged.js';
import { labelled } from './rows/labelled.js';
import { negative } from './rows/negative.js';
import { preference } from './rows/preference.js';
import { principled } from './rows/principled.js';
import { prompt } from './rows/prompt.js';
import { refined } from './rows/refined.js';
import { rollout } from './rows/rollout.js';
import { scored } from './rows/scored.js';

const definitions = {
  conversation, prompt, completion, judged, preference, labelled, negative, choice, classified, scored, refined, principled, rollout,
};

type Definitions = typeof definitions;

/** The rows of a kind, given by name or by definition. */
export type RowOf<Kind> =
  Kind extends RowKind ? z.infer<Definitions[Kind]['schema']>
  : Kind extends { readonly schema: z.ZodType<infer Row> } ? Row
  : never;

/** The kinds of row that Heed brings, by name. */
export type RowKind = keyof Definitions;
export type RowKinds = { [Kind in RowKind]: z.infer<Definitions[Kind]['schema']> };
export type AnyRow = RowKinds[RowKind];

/** Every column that some kind of row reads. */
export const columnNames: readonly string[] = [...new Set(['id', ...Object.values(definitions).flatMap(({ columns }) => columns)])];

/** What Heed knows of a kind of row. A definition stands for itself, so that a kind may be defined elsewhere. */
export function rowDefinition<Kind extends RowKind | RowDefinition>(kind: Kind): RowDefinition<RowOf<Kind> & BaseRow> {
  const given: RowKind | RowDefinition = kind;
  const found: RowDefinition = typeof given === 'string' ? definitions[given] : given;
  return found as RowDefinition<RowOf<Kind> & BaseRow>;
}

/** The check of each kind: for rows that come from code rather than from a file that was read here. */
export const rowSchemas = Object.fromEntries(Object.entries(definitions).map(([kind, { schema }]) => [kind, schema])) as {
  readonly [Kind in RowKind]: z.ZodType<RowKinds[Kind]>;
};

export type { Message } from '../text/template.js';
export { MessageSchema, sameText } from './row.js';
export { ChoiceRow } from './rows/choice.js';
export { ClassifiedRow } from './rows/classified.js';
export { CompletionRow } from './rows/completion.js';
export { ConversationRow } from './rows/conversation.js';
export { JudgedRow } from './rows/judged.js';
export { LabelledRow } from './rows/labelled.js';
export { NegativeRow } from './rows/negative.js';
export { isTie, PreferenceRow } from './rows/preference.js';
export { PrincipledRow, ScoredPrinciple } from './rows/principled.js';
export { PromptRow } from './rows/prompt.js';
export { RefinedRow } from './rows/refined.js';
export { RolloutCompletion, RolloutRow } from './rows/rollout.js';
export { ScoredRow } from './rows/scored.js';
