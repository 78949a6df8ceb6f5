/** Columns that nothing reads: harmless ones are listed, and those that would change what rows teach are refused. */
import { UserError } from '../errors.js';
import type { Template } from '../text/template.js';
import type { Layout } from './columns.js';
import type { RowDefinition } from './row.js';
import type { RawRow } from './source.js';
import { saysNothing } from './turn.js';

/** Columns of other programs that change what a row teaches, and that Heed has no use for. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ...['weight', 'sample_weight', 'loss_weight', 'loss_scale'].map((name): [string, string] => [name, 'rows have no weights']),
  ['train', 'a row that is there is learned'],
  ['functions', 'functions belong in a column tools'],
  ...['image', 'images', 'video', 'videos', 'audio', 'audios'].map((name): [string, string] => [name, 'only text is learned']),
]);

/** What a column of weights holds where it changes nothing. */
const CHANGES_NOTHING: ReadonlySet<unknown> = new Set([1, true, '1', '1.0', 'true', 'True']);

/**
 * Refuses columns that were not read and change what rows teach; the others come back, with the keys of turns that nothing uses.
 *
 * @throws UserError naming the column, what it means and the ways out
 */
export function unusedOf({ kind, keepsOthers = false, unheard = [] }: RowDefinition, layout: Layout, records: readonly RawRow[]): string[] {
  const { seen: { columns, keys } } = layout;
  const unread = layout.present.filter((name) => !columns.has(name));
  for (const name of unread) {
    if (!keepsOthers && REFUSED.has(name) && says(records, name)) throw refused(name, `${REFUSED.get(name)!}, and it would be lost`);
    const heard = ['satisfied', 'label'].some((column) => columns.has(layout.names.get(column) ?? ''));
    if (unheard.includes(name) && !heard && records.some(({ fields }) => !saysNothing(fields[name]))) {
      throw refused(name, `"${kind}" rows are learned as good ones, whatever it says of them`, [
        `Say which rows are good: data.columns: { satisfied: ${name} } and data.values, such as { good: true, bad: false } or `
          + '{ 1: false, 2: false, 3: false, 4: true, 5: true }.',
      ]);
    }
  }
  return [...(keepsOthers ? [] : unread), ...keys];
}

/** A key of a program's own row that would change what it teaches, and that no kind of row has; undefined where there is none. */
export function wouldBeLost(
  row: Readonly<Record<string, unknown>>, known: ReadonlySet<string>,
): { readonly column: string; readonly reason: string; readonly value: unknown } | undefined {
  const found = Object.entries(row).find(([name, value]) =>
    REFUSED.has(name) && !known.has(name) && !saysNothing(value) && !CHANGES_NOTHING.has(value));
  if (found === undefined) return undefined;
  const [column, value] = found;
  return { column, reason: `would be lost: ${REFUSED.get(column)!}`, value };
}

const says = (records: readonly RawRow[], name: string): boolean =>
  records.some(({ fields }) => !saysNothing(fields[name]) && !CHANGES_NOTHING.has(fields[name]));

const refused = (name: string, why: string, hints: readonly string[] = []): UserError =>
  new UserError(`The data have a column ${name}: ${why}`, [...hints, `Where it does not matter, pass over it: data.ignore: [${name}].`]);

/**
 * What nothing uses, but for the keys of turns that a template looks at, such as `name`.
 *
 * @param template Default: none looks at any.
 */
export const leftOver = (unused: readonly string[] = [], template?: Pick<Template, 'reads'>): string[] =>
  unused.filter((name) => !name.includes('[].') || template?.reads(name.slice(name.indexOf('[].') + 3)) !== true);

/** For people: the columns and keys of turns that nothing uses; no line where all are used. */
export const describeUnused = (unused: readonly string[]): string[] => (unused.length === 0 ? [] : [`Not used: ${unused.join(', ')}.`]);
