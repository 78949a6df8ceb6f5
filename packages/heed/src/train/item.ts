import type { TokenSequence } from '../text/token-sequence.js';

/** Numbers of a row: one, one for each sequence of a list, or one for each supervised token of each sequence. */
export type Column = number | readonly number[] | readonly (readonly number[])[];

/** A row as the trainer takes it: its sequences in tokens by name (always as a list), and its columns of numbers. */
export interface Item {
  /** The row's place in the data: part of the seed of everything random about the row. */
  readonly index: number;
  /** The row's file and line, for messages. */
  readonly where: string;
  readonly sequences: Readonly<Record<string, readonly TokenSequence[]>>;
  readonly columns: Readonly<Record<string, Column>>;
}

/** Tokens of a sequence, prompt included. */
export const lengthOf = (s: TokenSequence): number => s.prompt.length + s.response.length;

/** Tokens of all sequences of an item, prompts included: an upper bound of its cost, since a shared prompt is computed once. */
export const tokensOf = (item: Item): number => Object.values(item.sequences).flat().reduce((n, s) => n + lengthOf(s), 0);

/** The number of response tokens that get a log-probability. */
export const supervisedOf = (s: TokenSequence): number =>
  s.supervised === undefined ? s.response.length : s.supervised.reduce((n, x) => n + (x ? 1 : 0), 0);
