import { z } from 'zod';
import type { Message } from '../text/template.js';

/** One turn of a conversation: the check of what `text` calls a Message. */
export const MessageSchema = z.object({
  role: z.enum(['system', 'user', 'assistant', 'tool']),
  content: z.string(),
}) satisfies z.ZodType<Message>;

const SourceSchema = z.object({ file: z.string(), line: z.number(), unit: z.enum(['line', 'row']).optional() });

const base = { source: SourceSchema, id: z.string().optional() };
const prompt = z.array(MessageSchema).min(1);
const text = z.string();
/** Numbers given to a response, by what was rated: { helpful: 4, harmless: 1 }. */
const scores = z.record(z.string(), z.number()).optional();

/** Whether somebody called the response good; absent where nobody said. */
const satisfied = z.boolean().optional();

/** A whole conversation; every assistant turn is learnt from, unless `satisfied` is false. TRL: `messages`. */
export const ConversationRow = z.object({ ...base, messages: prompt, satisfied });

/** A prompt to respond to. `extra` holds the file's other columns, for rewards that need them. */
export const PromptRow = z.object({ ...base, prompt, extra: z.record(z.string(), z.unknown()) });

/** A prompt and the response to learn. TRL: `prompt`, `completion`; Alpaca: `instruction`, `input`, `output`. */
export const CompletionRow = z.object({ ...base, prompt, completion: text, scores, satisfied });

/**
 * A response and what was said about it. `judgment: null` says nothing was found wrong, so
 * `satisfied` is true; a satisfied row may carry words of praise.
 */
export const JudgedRow = z
  .object({ ...base, prompt, completion: text, scores, judgment: z.string().nullable(), satisfied: z.boolean() })
  .refine(({ satisfied, judgment }) => satisfied || judgment !== null, { path: ['judgment'], message: 'says nothing though satisfied is false: write what is wrong with the response' });

/**
 * Two responses to one prompt. `soft_label` is the probability, in [0, 1], that `chosen` is the better
 * one (absent: certain); `margin` is by how much, in units of reward.
 */
export const PreferenceRow = z.object({
  ...base,
  prompt,
  chosen: text,
  rejected: text,
  soft_label: z.number().min(0).max(1).optional(),
  margin: z.number().optional(),
});

/** A response and a vote: `label` true for good, false for bad. TRL: "unpaired preference". */
export const LabelledRow = z.object({ ...base, prompt, completion: text, scores, label: z.boolean() });

/**
 * A response that is bad, where nobody said what a good one is (D2O, NPO, gradient ascent). `positives` are
 * answers by the model itself that are not bad; absent until some are made.
 */
export const NegativeRow = z.object({ ...base, prompt, rejected: text, positives: z.array(text).min(1).optional() });

/** How far the sum of `targets` may be from 1. */
export const TARGET_SLACK = 1e-3;

/** Answers to choose from, and the probability that each should have: [1, 0] or, from a judge that was unsure, [0.7, 0.3]. */
export const ChoiceRow = z
  .object({ ...base, prompt, choices: z.array(text).min(2), targets: z.array(z.number().min(0).max(1)).min(2) })
  .refine(({ choices }) => new Set(choices).size === choices.length, 'choices must differ from each other')
  .refine(({ choices, targets }) => choices.length === targets.length, 'there must be as many targets as choices')
  .refine(({ targets }) => Math.abs(targets.reduce((a, b) => a + b, 0) - 1) <= TARGET_SLACK, 'targets must sum to 1');

/** A text and the name of its class; with a prompt, the text is the response to it. */
export const ClassifiedRow = z.object({ ...base, prompt: prompt.optional(), text, label: z.string().min(1) });

/** A response and a number that says how good it is, higher better; its range is the file's own. */
export const ScoredRow = z.object({ ...base, prompt, completion: text, scores, score: z.number() });

/** A judged response, and the better one that was written from the judgment (ILF). Absent until it is made. */
export const RefinedRow = JudgedRow.safeExtend({ refinement: text.optional() });

/**
 * What a judge said of two responses by one principle (SALMON). `score` is log p(first is better) − log p(second is
 * better), averaged over both orders of showing them, or 0 where the orders disagree: above 0 the first response is
 * better. `scores`, where kept, are the two it comes from, [shown first then second, shown second then first]; in both
 * too, above 0 says that the first of `responses` is better, wherever it was shown.
 */
export const ScoredPrinciple = z.object({
  name: z.string().min(1),
  text: z.string().min(1),
  /** The principle turned into its opposite, as a sentence of its own. */
  negation: z.string().min(1),
  score: z.number(),
  scores: z.tuple([z.number(), z.number()]).optional(),
});

/** Two responses to one prompt, compared by each of several principles. */
export const PrincipledRow = z.object({ ...base, prompt, responses: z.tuple([text, text]), principles: z.array(ScoredPrinciple).min(1) });

/** Whether two responses are equal, so that neither is the better one. White space around them is not what a preference is about. */
export const sameText = (a: string, b: string): boolean => a.trim() === b.trim();

/** Whether a pair's label says that neither response is better. */
export const isTie = (row: AnyRow): boolean => 'soft_label' in row && row.soft_label === 0.5;

export type { Message };
export type ConversationRow = z.infer<typeof ConversationRow>;
export type PromptRow = z.infer<typeof PromptRow>;
export type CompletionRow = z.infer<typeof CompletionRow>;
export type JudgedRow = z.infer<typeof JudgedRow>;
export type PreferenceRow = z.infer<typeof PreferenceRow>;
export type LabelledRow = z.infer<typeof LabelledRow>;
export type NegativeRow = z.infer<typeof NegativeRow>;
export type ChoiceRow = z.infer<typeof ChoiceRow>;
export type ClassifiedRow = z.infer<typeof ClassifiedRow>;
export type ScoredRow = z.infer<typeof ScoredRow>;
export type RefinedRow = z.infer<typeof RefinedRow>;
export type ScoredPrinciple = z.infer<typeof ScoredPrinciple>;
export type PrincipledRow = z.infer<typeof PrincipledRow>;

/** The kinds of row a file can be read as, by name. */
export interface RowKinds {
  conversation: ConversationRow;
  prompt: PromptRow;
  completion: CompletionRow;
  judged: JudgedRow;
  preference: PreferenceRow;
  labelled: LabelledRow;
  negative: NegativeRow;
  choice: ChoiceRow;
  classified: ClassifiedRow;
  scored: ScoredRow;
  refined: RefinedRow;
  principled: PrincipledRow;
}

export type RowKind = keyof RowKinds;
export type AnyRow = RowKinds[RowKind];

/** The check of each kind: for rows that come from code rather than from a file that was read here. */
export const rowSchemas: { readonly [K in RowKind]: z.ZodType<RowKinds[K]> } = {
  conversation: ConversationRow,
  prompt: PromptRow,
  completion: CompletionRow,
  judged: JudgedRow,
  preference: PreferenceRow,
  labelled: LabelledRow,
  negative: NegativeRow,
  choice: ChoiceRow,
  classified: ClassifiedRow,
  scored: ScoredRow,
  refined: RefinedRow,
  principled: PrincipledRow,
};
