import type { Failure } from '../judge/respondent.js';
import type { UsageTotals } from '../label/usage.js';
import type { PromptRow } from '../data/rows.js';
import type { Message } from '../text/template.js';

/** A response to rate, with its prompt and the data row that the prompt came from. */
export interface RewardItem {
  readonly prompt: readonly Message[];
  readonly response: string;
  /** Tokens of the response, where the caller has them. */
  readonly ids?: readonly number[];
  /** The row of the data file: its other columns are in `extra`. */
  readonly row?: PromptRow;
}

/** One place of a response that a reward objects to. */
export interface Finding {
  /** The rule or criterion that is broken. */
  readonly rule: string;
  /** What to quote: the words at fault, or what is missing. */
  readonly quote: string;
  /** Where the quote stands, in UTF-16 units of the response: `[start, end)`. Empty where something is missing. */
  readonly start: number;
  readonly end: number;
}

/** What a part of a response earned. */
export interface ValuedSpan {
  /** Where the part stands, in UTF-16 units of the response: `[start, end)`. Empty where the value belongs to no place. */
  readonly start: number;
  readonly end: number;
  /** What the part adds to the response's value; negative where it takes off. */
  readonly value: number;
}

/** What a reward says of one response. */
export interface Rated {
  /** Higher is better; the unit is the reward's own. */
  readonly value: number;
  /** What is wrong with the response, in words that quote it; null where nothing is wrong. */
  readonly reason: string | null;
  /** The numbers that `value` is made of, by name. */
  readonly parts?: Readonly<Record<string, number>>;
  /** Whether the response is good enough; absent where the reward draws no line. */
  readonly satisfied?: boolean;
  /** The places that the reward objects to. */
  readonly findings?: readonly Finding[];
  /** Parts of `value` that places of the response earned. What they leave of `value` belongs to the response as a whole. */
  readonly spans?: readonly ValuedSpan[];
  /** How the last token of a reward model attended to each of its tokens of the response: a part of 1. Of a reward that is asked for it. */
  readonly attention?: readonly ValuedSpan[];
}

/** How a caller follows and stops the rating. */
export interface RewardHooks {
  /** Called as results come: how many responses are rated, of how many. */
  onProgress?(done: number, total: number): void;
  readonly signal?: AbortSignal;
}

/**
 * A reward: (prompt, response, row) → a number with its reason, or a recorded failure. A failure is never a number: nothing becomes 0.
 * Results come in the order of the items.
 */
export interface Reward {
  /** Names the reward and everything that changes its results (files, weights, options), for people and for resuming. */
  readonly name: string;
  /** Whether results say `satisfied`: the reward draws a line between good and bad responses. */
  readonly drawsLine: boolean;
  /** Of a reward that sums others: the weight of each of its results' `parts`, by name. Absent where the reward sums none. */
  readonly weights?: Readonly<Record<string, number>>;
  /** What a respondent behind the reward was asked so far, and what that cost; absent where it asks none. */
  readonly asking?: Readonly<UsageTotals>;
  rate(items: readonly RewardItem[], hooks?: RewardHooks): Promise<readonly (Rated | Failure)[]>;
  /** Frees the memory that is needed only while rating. Absent where there is none. */
  rest?(): Promise<void>;
  /** Gives back what the reward holds: memory, connections. */
  close(): Promise<void>;
}
