/** What is counted of a respondent that is asked through a label store. */
import type { Respondent } from '../judge/asked.js';

/** What replies took. */
export interface Spent {
  promptTokens: number;
  completionTokens: number;
  /** Absent where no reply had a price. */
  cost?: number;
}

/** What a respondent was asked through a store. Tokens, time and cost are those of the questions asked now, of whatever became of them. */
export interface Asking extends Spent {
  questions: number;
  /** Replies that were in the store, were given by another process meanwhile, or belong to a question asked twice in one go. */
  reused: number;
  asked: number;
  /** Sum over the questions; they may have been asked side by side. */
  milliseconds: number;
  /** What the replies from the store had taken when they were asked for, and what earlier attempts at the questions asked now. */
  readonly earlier: Spent;
}

/** One who is asked only what the store does not know. */
export interface StoredRespondent extends Respondent {
  /** Grows as questions are asked. */
  readonly asking: Readonly<Asking>;
}
