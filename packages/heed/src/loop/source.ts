import type { View } from '@heed/tensor';
import type { AnyRow } from '../data/rows.js';
import type { Item } from '../train/item.js';
import type { Learnt } from '../train/trainer.js';

/** What a source is told of the round that begins. */
export interface Round {
  /** From 1. */
  readonly k: number;
  /** The trained parameters where they lie; undefined while a fresh adapter still changes nothing. */
  readonly policy: View | undefined;
}

/** What a round learns from. */
export interface Lesson {
  readonly items: readonly Item[];
  /** The rows that the items were made of: `rows[item.index]`. */
  readonly rows: readonly AnyRow[];
  /** Names the order of the rows and the dropout masks. */
  readonly seed: number;
  /** Which items each step takes. Default: shuffled epochs of all of them. */
  readonly order?: readonly (readonly number[])[];
  /** Steps of the run before this round, and in all, where the source knows both. Default: every round takes an equal share of the schedule. */
  readonly schedule?: { readonly before: number; readonly total: number };
}

/**
 * A source makes the rows of each round: it reads a file, or lets the current policy answer and has the answers rated. Whatever it asked for (answers,
 * ratings) is on disk before it is used, so that the lesson of a round that a killed run had begun is made again to the last bit.
 */
export interface Source {
  readonly rounds: number;
  lesson(round: Round): Promise<Lesson>;
  /** What a round that ended did, in the source's own words and numbers: kept in checkpoints and in `summary.json`. */
  learnt?(k: number, learnt: Learnt): Readonly<Record<string, unknown>>;
}

/** A source of one round, whose lesson is there already. */
export const oneRound = (lesson: Lesson): Source => ({ rounds: 1, lesson: async () => lesson });
