/** True continuations of dialogues, and false ones made of them. */
import { createRandom } from '../../run/random.js';

/** Turns of two speakers who take turns, oldest first. */
export type Dialogue = readonly string[];

/** A turn after the turns before it, and whether it is the one that was said there. */
export interface Continuation {
  readonly before: readonly string[];
  readonly turn: string;
  readonly real: boolean;
  /** Of which dialogue: those of one dialogue stay together when rows are divided. */
  readonly dialogue: number;
  /** What stands in place of the real turn. */
  readonly made?: 'foreign' | 'shuffled';
}

/** How many turns before a turn are looked at. */
export const WINDOW = 6;

/**
 * For each turn from the third on, the real one and a false one: in turn one of another dialogue (`foreign`) and another one of the same
 * speaker of the same dialogue, at least four turns away (`shuffled`).
 *
 * @throws RangeError where there are fewer than two dialogues
 */
export function continuationsOf(dialogues: readonly Dialogue[], seed = 0): Continuation[] {
  if (dialogues.length < 2) throw new RangeError(`continuationsOf: ${dialogues.length} dialogues; foreign turns need two or more`);
  return dialogues.flatMap((turns, d) => turns.flatMap((turn, t): Continuation[] => {
    if (t < 2) return [];
    const before = turns.slice(Math.max(0, t - WINDOW), t);
    const random = createRandom(seed, 'continuation', d, t);
    const far = turns.map((_, i) => i).filter((i) => i % 2 === t % 2 && Math.abs(i - t) >= 4);
    const made = t % 2 === 0 || far.length === 0 ? 'foreign' : 'shuffled';
    const false_ = made === 'shuffled' ? turns[far[random.int(far.length)]!]! : foreignTurn(dialogues, d, t, random.int);
    if (false_ === turn) return [];
    return [{ before, turn, real: true, dialogue: d }, { before, turn: false_, real: false, dialogue: d, made }];
  }));
}

/** A turn of another dialogue, of the same place there where it is long enough, so that greetings are not compared with farewells. */
function foreignTurn(dialogues: readonly Dialogue[], d: number, t: number, int: (n: number) => number): string {
  const other = dialogues[(d + 1 + int(dialogues.length - 1)) % dialogues.length]!;
  return other[Math.min(t, other.length - 1)]!;
}
