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
 * @param held A number below 1 is a fraction of the rows and of `left`, from 1 on a number of them. It is never
 * exceeded; it is missed by less than the size of a group of rows that share a prompt.
 * @param left The groups of rows that were left out (as junk, say), one for each. They count as if they were there, so that a method that
 * can use them holds out the same prompts. Default: none.
 * @throws UserError when either part would be empty.
 */
export function splitByPrompt<Row extends BaseRow>(
  definition: RowDefinition<Row>, rows: readonly Row[], held: number, seed: number, left: readonly string[] = [],
): Split<Row> {
  const keys = rows.map((row) => groupKey(definition, row));
  const sizes = new Map<string, number>();
  for (const key of [...keys, ...left]) sizes.set(key, (sizes.get(key) ?? 0) + 1);
  const all = rows.length + left.length;
  const target = held < 1 ? Math.max(1, Math.round(held * all)) : held;
  const taken = new Set<string>();
  let size = 0;
  for (const [key, group] of hashOrder([...sizes], seed, ([key]) => key)) {
    if (size + group > target) continue;
    taken.add(key);
    size += group;
  }
  const [train, evaluated] = [false, true].map((out) => rows.filter((_, i) => taken.has(keys[i]!) === out)) as [Row[], Row[]];
  if (train.length === 0 || evaluated.length === 0) {
    const what = rows.every((row) => definition.prompt(row).length === 0) ? 'text' : 'prompt';
    const others = left.length === 0 ? '' : ` and ${left.length} left out`;
    throw new UserError(
      `data.eval: ${held} cannot split ${count(rows.length, 'row')}${others} with ${count(sizes.size, `distinct ${what}`)}: ` +
        `one part would be empty (rows with the same ${what} stay together)`,
      left.length === 0 ? [] : ['Rows that were left out count too, so that every method holds out the same prompts: hold out more rows.'],
    );
  }
  return { train, eval: evaluated };
}
