import { listProblems } from '../data/problem.js';
import type { AnyRow } from '../data/rows.js';
import { UserError } from '../errors.js';
import type { BoundMethod, Respond } from '../method/method.js';
import { createRandom } from '../run/random.js';
import type { Item } from '../train/item.js';
import { type Limits, prepare } from './items.js';

export interface ReadySetup {
  readonly method: BoundMethod;
  readonly text: Respond;
  readonly limits: Limits;
  /** The round, from 1. */
  readonly k: number;
  /** What became of the round's answers, for people. */
  readonly words: string;
  /** Answers of the round, and those of them that were cut off or empty and so are not learnt from. */
  readonly answers: number;
  readonly unfinished: number;
  /** What to do where no whole answer is left. */
  readonly advice: string;
  say(line: string): void;
}

/**
 * The rows of a round that the method takes, where it keeps good and bad ones in proportion. A round after the first in which every answer
 * is good teaches nothing: that is what a loop is for, and no error.
 *
 * @throws UserError as the method's `select` does, in the first round
 */
export function selectRows(
  rows: readonly AnyRow[], { method, seed, k, say }: Pick<ReadySetup, 'method' | 'k' | 'say'> & { readonly seed: number },
): readonly AnyRow[] {
  try {
    return method.select(rows, createRandom('select', seed, k));
  } catch (error) {
    if (k === 1 || !(error instanceof UserError)) throw error;
    say(`round ${k}: ${error.message}.`);
    return [];
  }
}

/**
 * The items of a round's rows. Rows that the policy wrote may teach nothing, such as two equal answers: they are left out and listed.
 *
 * @returns none where a round after the first teaches the method nothing
 * @throws UserError where the first round teaches nothing: it would recur, and a run would end with the adapter that it began with
 */
export function readyItems(rows: readonly AnyRow[], setup: ReadySetup): readonly Item[] {
  const { method, text, limits, k, words, answers, unfinished, advice, say } = setup;
  const { items, skipped, truncated } = prepare(rows, method, text, { ...limits, junk: 'skip' });
  say(`round ${k}: ${words}.`);
  if (skipped.length > 0) say(`round ${k}, left out:\n${listProblems(skipped)}`);
  if (truncated > 0) say(`round ${k}: ${truncated} prompts cut.`);
  const kept = items.map(({ index }) => rows[index]!);
  const reason = kept.length === 0 ? `${method.name} takes none of these rows` : method.unfitTogether(kept);
  if (reason === undefined) return items;
  if (k > 1) {
    say(`round ${k} teaches nothing, and the policy stays as it is: ${reason}.`);
    return [];
  }
  const room = unfinished === 0 ? [] : ['Answers that are cut off are not learnt from: give them more room (generate.maxNewTokens).'];
  const most = 2 * unfinished > answers;
  throw new UserError(`Round ${k} leaves nothing to train on: ${words}; ${reason}.`, most ? [...room, advice] : [advice, ...room]);
}
