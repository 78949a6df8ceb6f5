import type { TokenSequence } from '../text/token-sequence.js';

/** One number, one for each sequence of a list, or one for each supervised token of each sequence. */
export type Column = number | readonly number[] | readonly (readonly number[])[];

/** A row made ready: its named sequences in tokens (a list of one where the name stands for one), and its columns of numbers. */
export interface Item {
  /** The row's place in the data, which names everything random about the row. */
  readonly index: number;
  /** For messages: where the row came from. */
  readonly where: string;
  readonly sequences: Readonly<Record<string, readonly TokenSequence[]>>;
  readonly columns: Readonly<Record<string, Column>>;
}

/** Tokens of a sequence, prompt included. */
export const lengthOf = (s: TokenSequence): number => s.prompt.length + s.response.length;

/** Tokens of all sequences of an item, prompts included: the most that the item costs (shared prompts cost less). */
export const tokensOf = (item: Item): number => Object.values(item.sequences).flat().reduce((n, s) => n + lengthOf(s), 0);

/** Response tokens that get a log-probability. */
export const supervisedOf = (s: TokenSequence): number =>
  s.supervised === undefined ? s.response.length : s.supervised.reduce((n, x) => n + (x ? 1 : 0), 0);
