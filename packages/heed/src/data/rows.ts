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

/** A whole conversation; every assistant turn is learnt from. TRL: `messages`. */
export const ConversationRow = z.object({ ...base, messages: prompt });

/** A prompt to respond to. `extra` holds the file's other columns, for rewards that need them. */
export const PromptRow = z.object({ ...base, prompt, extra: z.record(z.string(), z.unknown()) });

/** A prompt and the response to learn. TRL: `prompt`, `completion`; Alpaca: `instruction`, `input`, `output`. */
export const CompletionRow = z.object({ ...base, prompt, completion: text, scores });

/**
 * A response and what was said about it. `judgment: null` says nothing was found wrong, so
 * `satisfied` is true; a satisfied row may carry words of praise.
 */
export const JudgedRow = z.object({ ...base, prompt, completion: text, scores, judgment: z.string().nullable(), satisfied: z.boolean() });

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

export type { Message };
export type ConversationRow = z.infer<typeof ConversationRow>;
export type PromptRow = z.infer<typeof PromptRow>;
export type CompletionRow = z.infer<typeof CompletionRow>;
export type JudgedRow = z.infer<typeof JudgedRow>;
export type PreferenceRow = z.infer<typeof PreferenceRow>;
export type LabelledRow = z.infer<typeof LabelledRow>;

/** The kinds of row a file can be read as, by name. */
export interface RowKinds {
  conversation: ConversationRow;
  prompt: PromptRow;
  completion: CompletionRow;
  judged: JudgedRow;
  preference: PreferenceRow;
  labelled: LabelledRow;
}

export type RowKind = keyof RowKinds;
export type AnyRow = RowKinds[RowKind];
