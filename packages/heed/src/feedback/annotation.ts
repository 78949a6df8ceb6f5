/** What a person is shown to judge, and what the person says of it. */
import { z } from 'zod';
import type { Message } from '../text/template.js';

/**
 * What is asked of a person. `pairs`: which of two answers is better. `judgment`: whether an answer is good, what is wrong, and how it
 * should be. `scores`: how well an answer keeps each principle. `questions`: what a run with `judge: human` wants to know.
 */
export const TASKS = ['pairs', 'judgment', 'scores', 'questions'] as const;
export type Task = (typeof TASKS)[number];

/** Words of an answer that a person marked: `[start, end)` in UTF-16 units, and the words themselves, by which they are found again. */
const Span = z.strictObject({
  start: z.int().min(0), end: z.int().min(1), quote: z.string().min(1),
  /** Which answer, in the order of the item. */
  response: z.int().min(0).max(1),
});
export type MarkedSpan = z.infer<typeof Span>;

const text = z.string().max(50_000);

/** What one person says of one item. */
export const Said = z.strictObject({
  /** For a pair: the better answer, by the order of the item, not by the order on the page. */
  choice: z.union([z.literal(0), z.literal(1), z.literal('tie')]).optional(),
  /** Whether an answer is good as it is. */
  satisfied: z.boolean().optional(),
  /** What is wrong, or why an answer is the better one. */
  judgment: text.optional(),
  spans: z.array(Span).max(200).optional(),
  /** The answer as it should have been. */
  correction: text.optional(),
  /** By principle, from 1 to the set's scale. */
  scores: z.record(z.string(), z.int().min(1).max(10)).optional(),
  /** To a question of a run. */
  answer: text.optional(),
  /** For the people who label; it becomes part of no row. */
  note: text.optional(),
});
export type Said = z.infer<typeof Said>;

/** Something to be judged. */
export interface LabelItem {
  /** Names it by its content, or the question of a run by its id. */
  readonly key: string;
  /** The row's own id, where it has one. */
  readonly row?: string;
  readonly prompt: readonly Message[];
  /** One answer or two; an empty list for a question. */
  readonly responses: readonly string[];
  /** The author of each answer; hidden from the person who judges. */
  readonly models?: readonly string[];
  /** Of a question: the answers to choose from. Absent: a text. */
  readonly answers?: readonly string[];
  /** Of a question: words with which the answer begins. */
  readonly begun?: string;
}

/** A set of items that people go through. */
export interface LabelSet {
  readonly id: string;
  readonly name: string;
  readonly task: Task;
  /** Where the items are from, relative to the project folder. */
  readonly files: readonly string[];
  /** Decides the order of the items, and which answer of a pair stands first. */
  readonly seed: number;
  readonly principles: readonly string[];
  /** The highest score. */
  readonly scale: 5 | 10;
  /** ISO 8601. */
  readonly made: string;
}

/** What counts where people are compared: a word for each thing that can be said; undefined where the task has none. */
export function verdictOf(task: Task, { choice, satisfied, answer }: Said): string | undefined {
  if (task === 'pairs') return choice === undefined ? undefined : String(choice);
  if (task === 'judgment') return satisfied === undefined ? undefined : String(satisfied);
  return task === 'questions' ? answer : undefined;
}

/** Why marked words are not where they say; undefined where all are. @param said in the order of the item */
export function whyMisplaced({ responses }: Pick<LabelItem, 'responses'>, { spans = [] }: Said): string | undefined {
  const wrong = spans.find(({ response, start, end, quote }) => responses[response]?.slice(start, end) !== quote);
  if (wrong === undefined) return undefined;
  return `The marked words ${JSON.stringify(wrong.quote.slice(0, 80))} do not stand at ${wrong.start} to ${wrong.end} of the answer.`;
}

/** What is still missing from an annotation; undefined where it is complete. */
export function whyIncomplete({ task, principles, scale }: LabelSet, said: Said): string | undefined {
  if (task === 'pairs') return said.choice === undefined ? 'Say which answer is better, or that neither is.' : undefined;
  if (task === 'questions') return (said.answer ?? '') === '' ? 'The question has no answer yet.' : undefined;
  if (task === 'scores') {
    const missing = principles.find((name) => said.scores?.[name] === undefined);
    if (missing !== undefined) return `${missing} has no score yet.`;
    const high = principles.find((name) => said.scores![name]! > scale);
    return high === undefined ? undefined : `${high} has a score of ${said.scores![high]}, and the highest is ${scale}.`;
  }
  if (said.satisfied === undefined) return 'Say whether the answer is good.';
  const silent = (said.judgment ?? '').trim() === '' && (said.correction ?? '').trim() === '';
  return said.satisfied || !silent ? undefined : 'Say in words what is wrong, or how the answer should have been.';
}
