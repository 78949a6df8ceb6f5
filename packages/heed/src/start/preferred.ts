/** Which of two answers a cell says is better. */
import type { Shape } from './shapes.js';
import { numberIn } from './votes.js';

/** How a column says it: by name or place, by 0 and 1, by a number whose sign says it, or between 1 (the first) and 2 (the second). */
export interface Preferred {
  readonly by: 'place' | 'zero' | 'sign' | 'between';
  /** The columns of the two answers. */
  readonly columns: readonly [string, string];
}

/** How the values of a column say it; undefined where they do not. `zero` is a guess: 0 may be the first answer or a tie. */
export function preferredBy({ numbers, distinct, common }: Shape, columns: readonly [string, string]): Preferred['by'] | undefined {
  if (numbers.length > 0) {
    if (numbers.some((number) => number < 0)) return 'sign';
    if (numbers.every((number) => [1, 2].includes(number))) return 'place';
    if (numbers.every((number) => [0, 1, 2].includes(number))) return numbers.includes(2) ? 'place' : 'zero';
    return numbers.every((number) => number >= 1 && number <= 2) ? 'between' : undefined;
  }
  const understood = common.filter(({ value }) => preferredIn(value, { by: 'place', columns }) !== undefined);
  return understood.length >= Math.min(distinct, common.length) * 0.5 && understood.length > 0 ? 'place' : undefined;
}

const FIRST = ['1', 'a', 'first', 'left'];
const SECOND = ['2', 'b', 'second', 'right'];
const TIE = ['0', 'tie', 'tied', 'both', 'equal', 'same', 'draw', 'neither', 'none', 'c'];

/** The probability that the first answer is better: 1, 0, 0.5 for a tie, or between; undefined where the cell does not say. */
export function preferredIn(value: unknown, { by, columns: [first, second] }: Preferred): number | undefined {
  const number = numberIn(value);
  if (by === 'sign') return number === undefined ? undefined : { [-1]: 1, [0]: 0.5, [1]: 0 }[Math.sign(number)];
  if (by === 'between') return number === undefined || number < 1 || number > 2 ? undefined : 2 - number;
  if (by === 'zero') return number === 0 || number === 1 ? 1 - number : undefined;
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const word = String(value).trim().toLowerCase();
  if (word === first.toLowerCase()) return 1;
  if (word === second.toLowerCase()) return 0;
  const short = word.replace(/^(response|answer|output|completion|model|option|assistant)[\s_-]*/, '').replace(/\.0+$/, '');
  if (FIRST.includes(short)) return 1;
  if (SECOND.includes(short)) return 0;
  return TIE.includes(short) ? 0.5 : undefined;
}
