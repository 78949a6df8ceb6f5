import { UserError } from '../errors.js';
import { hashOrder, promptKey } from './hash.js';
import type { BaseRow, RowDefinition } from './row.js';
import { count } from './text-lines.js';

export interface Split<Row> {
  readonly train: Row[];
  readonly eval: Row[];
}

/** Rows with the same key belong on one side of a split: it is their prompt, or the text of a row that answers nothing. */
export function groupKey<Row extends BaseRow>({ prompt, responses }: RowDefinition<Row>, row: Row): string {
  const asked = prompt(row);
  const [text, ...others] = responses(row).map((response) => response.trim());
  if (asked.length > 0 || text === undefined) return promptKey(asked);
  return JSON.stringify(others.length === 0 ? text : [text, ...others]);
}

/**
 * Sets rows aside for evaluation, by prompt: rows that share a prompt stay on one side, so that nothing
 * is evaluated on a prompt it was trained on. Which prompts are taken depends on the seed and their text
 * alone, not on the order of the file. Both parts keep the file's order. Rows without a prompt are split by
 * their text in the same way.
 *
 * @param definition The kind of the rows.
 * @param held A number below 1 is a fraction of the rows, from 1 on a number of rows. It is never
 * exceeded; it is missed by less than the size of a group of rows that share a prompt.
 * @throws UserError when either part would be empty.
 */
export function splitByPrompt<Row extends BaseRow>(
  definition: RowDefinition<Row>, rows: readonly Row[], held: number, seed: number,
): Split<Row> {
  const target = held < 1 ? Math.max(1, Math.round(held * rows.length)) : held;
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = groupKey(definition, row);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  const taken = new Set<Row>();
  for (const [, group] of hashOrder([...groups], seed, ([key]) => key)) {
    if (taken.size + group.length <= target) for (const row of group) taken.add(row);
  }
  if (taken.size === 0 || taken.size === rows.length) {
    const what = rows.every((row) => definition.prompt(row).length === 0) ? 'text' : 'prompt';
    throw new UserError(
      `data.eval: ${held} cannot split ${count(rows.length, 'row')} with ${count(groups.size, `distinct ${what}`)}: ` +
        `one part would be empty (rows with the same ${what} stay together)`,
    );
  }
  return { train: rows.filter((row) => !taken.has(row)), eval: rows.filter((row) => taken.has(row)) };
}
