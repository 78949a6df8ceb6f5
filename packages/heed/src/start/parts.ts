/** Rows to train on and rows to hold out, so that nothing is measured on what was learned. */
import { hashOrder, promptKey } from '../data/hash.js';
import type { LoggedRow } from './kinds.js';

/** What stays together: conversations; all of a user; or the newest rows are held out. Rows with one prompt stay together in any case. */
export const GROUPS = ['conversation', 'user', 'date', 'prompt'] as const;
export type Group = (typeof GROUPS)[number];

/** The two parts, each in the order of the log. */
export interface Parts {
  readonly by: Group;
  readonly train: readonly LoggedRow[];
  /** Empty where all rows belong together. */
  readonly heldOut: readonly LoggedRow[];
}

/** Share of the rows that is held out, and the most rows. */
export const HELD_OUT = 0.2;
const MOST = 200;

/** How rows are grouped by default: by the first of these columns that makes at least two groups. */
export function groupFor(rows: readonly LoggedRow[]): Group {
  const different = (key: (row: LoggedRow) => unknown): boolean => new Set(rows.map(key)).size > 1;
  const repeats = (key: (row: LoggedRow) => unknown): boolean =>
    new Set(rows.map(key)).size < rows.length && rows.every((row) => key(row) !== undefined);
  const conversation = ({ answer }: LoggedRow): unknown => answer.conversation;
  const user = ({ answer }: LoggedRow): unknown => answer.user;
  if (rows.some((row) => conversation(row) !== undefined) && different(conversation)) return 'conversation';
  if (repeats(user) && componentsOf(rows, 'user').length > 4) return 'user';
  const dated = rows.length > 0 && rows.every(({ answer }) => answer.date !== undefined);
  return dated && different(({ answer }) => answer.date) ? 'date' : 'prompt';
}

/**
 * Splits rows. Rows of one conversation, or with one prompt, are on one side; by `user`, all rows of a user are; by `date`, the newest are
 * held out, else a sample drawn by the seed.
 *
 * @param share Held out of all rows, from 0 to below 1; at most 200 rows. It is missed by less than a group.
 */
export function partsOf(rows: readonly LoggedRow[], by: Group, share = HELD_OUT, seed = 0): Parts {
  const target = Math.min(MOST, Math.max(1, Math.round(share * rows.length)));
  const groups = componentsOf(rows, by);
  const newest = (group: readonly LoggedRow[]): number =>
    group.reduce((at, { answer }) => Math.max(at, answer.date ?? -Infinity), -Infinity);
  const ordered = by === 'date'
    ? [...groups].sort((a, b) => newest(b) - newest(a))
    : hashOrder(groups, seed, (group) => promptKey(group[0]!.answer.prompt));
  const held = new Set<LoggedRow>();
  if (share > 0 && groups.length > 1) {
    for (const group of ordered) if (held.size + group.length <= target) for (const row of group) held.add(row);
    if (held.size === 0) for (const row of [...groups].sort((a, b) => a.length - b.length)[0]!) held.add(row);
  }
  return { by, train: rows.filter((row) => !held.has(row)), heldOut: rows.filter((row) => held.has(row)) };
}

/** Rows that share a prompt, a conversation or (by `user`) a user, directly or through other rows. */
function componentsOf(rows: readonly LoggedRow[], by: Group): LoggedRow[][] {
  const parent = rows.map((_, i) => i);
  const root = (i: number): number => {
    let at = i;
    while (parent[at] !== at) at = parent[at] = parent[parent[at]!]!;
    return at;
  };
  const first = new Map<string, number>();
  for (const [i, row] of rows.entries()) {
    for (const key of keysOf(row, by)) {
      const other = first.get(key);
      if (other === undefined) first.set(key, i);
      else parent[root(i)] = root(other);
    }
  }
  const groups = new Map<number, LoggedRow[]>();
  for (const [i, row] of rows.entries()) {
    const group = groups.get(root(i));
    if (group === undefined) groups.set(root(i), [row]);
    else group.push(row);
  }
  return [...groups.values()];
}

function keysOf({ answer: { source, prompt, conversation, user } }: LoggedRow, by: Group): string[] {
  return [
    // A record that holds a conversation may make several rows.
    `record ${source.line} ${source.file}`, `prompt ${promptKey(prompt)}`,
    ...(conversation === undefined ? [] : [`conversation ${conversation}`]),
    ...(by === 'user' && user !== undefined ? [`user ${user}`] : []),
  ];
}
