import type { View } from '@heed/tensor';
import type { AnyRow } from '../data/rows.js';
import type { Item } from '../train/item.js';
import type { Learnt, Trainer } from '../train/trainer.js';

/** A round that begins, as its source sees it. */
export interface Round {
  /** From 1. */
  readonly k: number;
  /** The trained parameters in the engine. Undefined before the first step of a fresh adapter. */
  readonly policy: View | undefined;
  /** Scores of items by the present policy, and by the model without the adapter. */
  readonly read: Trainer['read'];
}

/** The items and rows that a round learns from. Without items the round takes no step. */
export interface Lesson {
  readonly items: readonly Item[];
  /** The rows that the items were made of: `rows[item.index]`. */
  readonly rows: readonly AnyRow[];
  /** Seed of the order of the rows and of the dropout masks. */
  readonly seed: number;
  /** Which items each step takes. Default: shuffled epochs of all of them. */
  readonly order?: readonly (readonly number[])[] | undefined;
  /** Steps that every round has in the schedule, of which this one may take fewer. Default: those that it takes. */
  readonly steps?: number;
  /** Steps of the run before this round, and of the whole run. Default: every round takes an equal share of the schedule. */
  readonly schedule?: { readonly before: number; readonly total: number };
  /** No round comes after this one, however many the source has. */
  readonly last?: true;
  /** The policy that wrote this round's answers is not kept: the run goes back to the policy that wrote the answers of the round before. */
  readonly goBack?: true;
  /** Numbers of the round for the log: every step of the round shows them. */
  readonly metrics?: Readonly<Record<string, number>>;
}

/**
 * A source makes the rows of each round: it reads a file, or lets the current policy answer and has the answers rated. Answers and ratings
 * are on disk before they are used, so a resume makes the lesson of an interrupted round again, equal to the last bit.
 */
export interface Source {
  readonly rounds: number;
  /** Rounds are many and short, so checkpoints are saved by `train.checkpointEvery` alone. Default: also at the end of every round. */
  readonly shortRounds?: boolean;
  /** A lesson of this source may say `goBack`. Default: none does. */
  readonly goesBack?: boolean;
  lesson(round: Round): Promise<Lesson>;
  /** The source's own report of a round that ended: kept in checkpoints and in `summary.json`. */
  learnt?(k: number, learnt: Learnt): Promise<Readonly<Record<string, unknown>>> | Readonly<Record<string, unknown>>;
}

/** A source of one round with the given lesson. */
export const oneRound = (lesson: Lesson): Source => ({ rounds: 1, lesson: async () => lesson });
