/** What a benchmark is: how an item is asked, and what is measured of the reply. A file for each benchmark lies beside this one. */
import type { z } from 'zod';
import type { BaseRow, RowDefinition } from '../../data/row.js';
import type { Message } from '../../data/rows.js';
import type { Completion } from '../../generate/request.js';
import type { Failure } from '../../judge/respondent.js';
import type { RewardTools } from '../../reward/define.js';

/** Numbers about one item, by the names of the metrics. */
export type Measures = Readonly<Record<string, number>>;

/** An item that is asked as a text to be continued. */
export interface Question extends BaseRow {
  /** Ends where the answer begins, without the blank before it. */
  readonly question: string;
  /** The right answer, as shots show it. */
  readonly answer: string;
  /** What stands once before all shots. */
  readonly description?: string;
  /** The part of the benchmark that the item belongs to, such as a subject. Its shots come from the same part. */
  readonly group?: string;
}

/** An item with answers to choose from. */
export interface ChoiceQuestion extends Question {
  readonly choices: readonly string[];
}

interface Base {
  /** As a recipe names it. */
  readonly name: string;
  /** The section of a recipe. */
  readonly options: z.ZodType;
  /** Titles of groups of groups, such as MMLU's four fields, by group. Default: none. */
  readonly fields?: Readonly<Record<string, string>>;
}

/** The model's log-likelihoods of given answers are compared. */
export interface ChoiceTask<Item extends ChoiceQuestion = ChoiceQuestion> extends Base {
  readonly kind: 'choice';
  readonly row: RowDefinition<Item>;
  /** @param logLikelihoods log p of each choice after the context: natural logarithm, summed over the choice's tokens */
  measure(item: Item, logLikelihoods: readonly number[]): Measures;
}

/** The model continues a text. */
export interface ContinuationTask<Item extends Question = Question> extends Base {
  readonly kind: 'continuation';
  readonly row: RowDefinition<Item>;
  /** Texts that end an answer, beside the model's own end. */
  readonly stop: readonly string[];
  measure(item: Item, text: string): Measures;
}

/** An item that is a prompt of a user. */
export interface PromptItem extends BaseRow {
  readonly prompt: readonly Message[];
  readonly group?: string;
}

/** The model answers a prompt as it answers a user. */
export interface AnswerTask<Options = unknown, Item extends PromptItem = PromptItem> extends Base {
  readonly kind: 'answer';
  readonly row: RowDefinition<Item>;
  /** Opens what measures the answers. Close it when all are measured. */
  open(options: Options, tools: RewardTools): Promise<Measurer<Item>>;
}

/** Any benchmark. Items go back only to the task whose row they were read as. */
export type AnyTask = ChoiceTask | ContinuationTask | AnswerTask<unknown, PromptItem>;

/** Measures answers; a failure says why there is no number. */
export interface Measurer<Item> {
  /** What measures, for people. */
  readonly name: string;
  measure(
    items: readonly Item[], answers: readonly Completion[], hooks: { onProgress?(done: number): void; readonly signal?: AbortSignal },
  ): Promise<readonly (Measures | Failure)[]>;
  close(): Promise<void>;
}
