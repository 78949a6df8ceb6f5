/** Answers of a log, with everything that was said of each. */
import type { RawRow, Source } from '../data/source.js';
import { reachedLimit } from '../data/generated.js';
import { isEmptyComment, isFailedCall } from '../data/judgment.js';
import type { Message } from '../text/template.js';
import { dateIn, type Exchange, keyIn } from './exchanges.js';
import { type Leaving, Unusable } from './left-out.js';
import { type Recognised, votesAgainst } from './recognise.js';
import type { Role } from './roles.js';
import { textIn } from './turns.js';
import { numberIn, type Scale, scaleOf, type Vote, voteIn, voteOnScale } from './votes.js';
import { preferredIn, type Preferred } from './preferred.js';

/** An answer that a log has, or a pair of answers. */
export interface LoggedAnswer {
  readonly source: Source;
  readonly id?: string;
  readonly prompt: readonly Message[];
  /** Absent for a pair. */
  readonly completion?: string;
  readonly pair?: { readonly chosen: string; readonly rejected: string; readonly soft_label?: number };
  readonly comment?: string;
  readonly demonstration?: string;
  readonly vote?: boolean;
  readonly score?: number;
  /** Why the answer ended, where that is not of itself: `length`, or as the log says. */
  readonly finish?: string;
  readonly conversation?: string;
  readonly user?: string;
  /** Milliseconds since 1970. */
  readonly date?: number;
}

/** How values are read. */
export interface Values {
  /** What values of the votes say, as the user said. */
  readonly given: Readonly<Record<string, Vote>>;
  /** What 0 says. */
  readonly zero: Vote;
  /** Whether true says that the answer is bad. */
  readonly against: boolean;
  /** On which scale scores are votes too; absent where they are none. */
  readonly scale?: Scale;
  /**
   * What a comment means where nobody voted. `judgments`: it says what is wrong, and an answer without a comment was good. `faults`: it
   * says what is wrong, and nothing is known of an answer without a comment.
   */
  readonly comments?: 'judgments' | 'faults';
  readonly preferred?: Preferred;
}

/** How the values of these columns are read, before the user says otherwise. */
export function valuesOf(
  columns: ReadonlyMap<Role, Recognised>, numbersOf: (role: Role) => readonly number[], given: Readonly<Record<string, Vote>> = {},
): Values {
  const scores = numbersOf('score');
  const stars = columns.has('score') && !columns.has('vote') && scores.length > 0 ? scaleOf(scores) : undefined;
  return {
    given, zero: numbersOf('vote').includes(-1) ? null : false, against: votesAgainst(columns),
    ...(stars === undefined ? {} : { scale: stars }),
  };
}

/** Reads what was said of an exchange. Records whose feedback cannot be understood go to `leaving`. */
export function answersOf(
  exchanges: readonly Exchange[], cell: (record: RawRow, role: Role) => unknown, values: Values, leaving: Leaving,
): LoggedAnswer[] {
  return exchanges.flatMap((exchange): LoggedAnswer[] => {
    try {
      return [answerOf(exchange, (role) => cell(exchange.record, role), values)];
    } catch (fault) {
      if (!(fault instanceof Unusable)) throw fault;
      leaving.add(fault.message, [exchange.record.source]);
      return [];
    }
  });
}

function answerOf({ record, prompt, completion, sides }: Exchange, cell: (role: Role) => unknown, values: Values): LoggedAnswer {
  const id = keyIn(cell('id'));
  const conversation = keyIn(cell('conversation'));
  const user = keyIn(cell('user'));
  const date = dateIn(cell('date'));
  const where = {
    source: record.source, prompt, ...(id !== undefined && { id }), ...(conversation !== undefined && { conversation }),
    ...(user !== undefined && { user }), ...(date !== undefined && { date }),
    ...finishOf(cell('finish')),
  };
  if (sides !== undefined) return { ...where, pair: pairOf(sides, cell, values) };
  const comment = commentOf(cell('comment'));
  const demonstration = keyIn(cell('demonstration')) === undefined ? undefined : textIn(cell('demonstration'))!;
  const score = numberIn(cell('score'));
  const vote = saidOf(cell('vote'), score, comment, values);
  return {
    ...where, completion: completion!, ...(comment !== undefined && { comment }), ...(demonstration !== undefined && { demonstration }),
    ...(score !== undefined && { score }), ...(vote !== undefined && { vote }),
  };
}

function finishOf(given: unknown): { finish?: string } {
  if (reachedLimit(given)) return { finish: 'length' };
  return typeof given === 'string' && !ENDED.has(given.toLowerCase()) && given.trim() !== '' ? { finish: given.toLowerCase() } : {};
}

/** Reasons that servers give where an answer ended of itself. */
const ENDED = new Set(['stop', 'end_turn', 'eos', 'stop_sequence', 'completed']);

function commentOf(given: unknown): string | undefined {
  const text = textIn(given);
  if (text === undefined || isEmptyComment(text)) return undefined;
  if (isFailedCall(text)) throw new Unusable('comments that a failed call left behind ("$ERROR$")');
  return text.trim();
}

/** Whether the answer was good: by the vote, else by the score, else by the comment where the user says what comments mean. */
function saidOf(given: unknown, score: number | undefined, comment: string | undefined, values: Values): boolean | undefined {
  const vote = meaningOf(given, values);
  if (vote === undefined)
    throw new Unusable('votes that are not understood: --values VALUE=good (or bad, or none) says what a value means');
  if (vote !== null) return vote;
  if (score !== undefined) {
    const own = values.given[String(score)];
    if (own !== undefined) return own ?? undefined;
    if (values.scale !== undefined) return voteOnScale(score, values.scale) ?? undefined;
  }
  if (values.comments === undefined) return undefined;
  if (comment !== undefined) return false;
  return values.comments === 'judgments' ? true : undefined;
}

function meaningOf(given: unknown, { given: map, zero, against }: Values): Vote | undefined {
  const own = typeof given === 'string' || typeof given === 'number' || typeof given === 'boolean' ? map[String(given).trim()] : undefined;
  if (own !== undefined) return own;
  const vote = voteIn(given, zero);
  return typeof vote === 'boolean' && against ? !vote : vote;
}

function pairOf(
  [first, second]: readonly [string, string], cell: (role: Role) => unknown, { preferred }: Values,
): { chosen: string; rejected: string; soft_label?: number } {
  if (first.trim() === second.trim()) throw new Unusable('pairs of two equal answers');
  if (preferred === undefined) return { chosen: first, rejected: second };
  const better = preferredIn(cell('preferred'), preferred);
  if (better === undefined) throw new Unusable('pairs without a readable word on which answer is better');
  if (better === 0.5) throw new Unusable('pairs whose answers are equally good');
  const [chosen, rejected] = better > 0.5 ? [first, second] : [second, first];
  const sure = Math.max(better, 1 - better);
  return { chosen, rejected, ...(sure === 1 ? {} : { soft_label: sure }) };
}
