/** What is counted of a respondent that is asked through a label store. */
import type { Respondent, Usage } from '../judge/respondent.js';
import type { Answer } from './record.js';

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

/** Keeps an `Asking`: each question is billed once, as asked now or as asked earlier. */
export interface Account {
  readonly asking: Asking;
  asked(key: string, reply: Answer): void;
  /** A reply that was in the store, or an attempt that failed. */
  known(key: string, reply: Answer): void;
}

export function openAccount(): Account {
  const asking: Asking = { questions: 0, reused: 0, asked: 0, promptTokens: 0, completionTokens: 0, milliseconds: 0, earlier: { promptTokens: 0, completionTokens: 0 } };
  const billed = new Set<string>();
  return {
    asking,
    asked(key, { usage }) {
      billed.add(key);
      if (usage === undefined) return;
      add(asking, usage);
      asking.milliseconds += usage.milliseconds;
    },
    known(key, { usage }) {
      if (usage !== undefined && !billed.has(key)) add(asking.earlier, usage);
      billed.add(key);
    },
  };
}

function add(spent: Spent, { promptTokens, completionTokens, cost }: Usage): void {
  spent.promptTokens += promptTokens;
  spent.completionTokens += completionTokens;
  if (cost !== undefined) spent.cost = (spent.cost ?? 0) + cost;
}
