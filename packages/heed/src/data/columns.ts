import { z } from 'zod';
import { nearest, UserError } from '../errors.js';
import type { RawRow } from './source.js';

/**
 * The columns Heed knows. The names are TRL's, `text` is the Hugging Face hub's; `judgment`, `satisfied`,
 * `soft_label` and those from `positives` on are ours.
 * `id` is kept with every row that has one.
 */
export const columnNames = [
  'id',
  'messages',
  'prompt',
  'input',
  'completion',
  'chosen',
  'rejected',
  'label',
  'judgment',
  'satisfied',
  'score',
  'scores',
  'soft_label',
  'margin',
  'text',
  'positives',
  'choices',
  'targets',
  'refinement',
  'responses',
  'principles',
] as const;

export type ColumnName = (typeof columnNames)[number];

/** `data.columns`: our column name → the name it has in the file. */
export const ColumnMap = z.strictObject(Object.fromEntries(columnNames.map((name) => [name, z.string().min(1).optional()])) as Record<ColumnName, z.ZodOptional<z.ZodString>>);
export type ColumnMap = z.infer<typeof ColumnMap>;

/** Names that other formats (Alpaca) give to the same columns. */
const alsoCalled: Partial<Record<ColumnName, string>> = { prompt: 'instruction', completion: 'output' };

/** Which name in the file holds each of our columns; columns the file lacks are absent. */
export interface Layout {
  readonly names: Readonly<Partial<Record<ColumnName, string>>>;
  /** Those of our columns that `data.columns` names. */
  readonly mapped: ReadonlySet<ColumnName>;
  /** True for `instruction`, `input`, `output` files, whose conventions (score ≥ 7) differ. */
  readonly alpaca: boolean;
  /** True where every `label` is a vote (true, false, 1, 0, or none), so that none is the name of a class. */
  readonly votes: boolean;
  /** Every column of the file, in order of appearance. */
  readonly present: readonly string[];
}

/** One of these columns must be in the file. */
export interface Need {
  readonly anyOf: readonly ColumnName[];
  readonly wanted: string;
}

/**
 * Finds our columns in a file, by the mapping the user gave, then by our name, then by Alpaca's. A column of the file that is mapped is
 * used once, for what it is mapped to: its own name says nothing any more.
 *
 * @throws UserError when a mapped column is in no row or is mapped twice, or two columns claim the same meaning.
 */
export function findColumns(rows: readonly RawRow[], map: ColumnMap = {}): Layout {
  const has = new Set<string>();
  for (const { fields } of rows) for (const name of Object.keys(fields)) has.add(name);
  const present = [...has];
  const names: Partial<Record<ColumnName, string>> = {};
  const usedFor = new Map<string, ColumnName>();
  for (const column of columnNames) {
    const name = map[column];
    if (name === undefined) continue;
    if (!has.has(name)) throw missing(`data.columns.${column} names the column ${name}, which no row has`, name, present);
    const other = usedFor.get(name);
    if (other !== undefined) {
      throw new UserError(`data.columns names the column ${name} twice, for ${other} and for ${column}`, ['A column is used once: leave one of the two out.']);
    }
    names[column] = name;
    usedFor.set(name, column);
  }
  for (const column of columnNames) {
    if (names[column] !== undefined) continue;
    const [name, other] = [column, alsoCalled[column]].filter((one) => one !== undefined && has.has(one) && !usedFor.has(one));
    if (other !== undefined) {
      throw new UserError(`The data have a column ${column} and a column ${other}, which mean the same`, [
        `Say which to use: data.columns: { ${column}: ${column} } or { ${column}: ${other} }.`,
      ]);
    }
    if (name !== undefined) names[column] = name;
  }
  return {
    names, present, mapped: new Set(usedFor.values()),
    alpaca: names.prompt === 'instruction' && names.completion === 'output',
    votes: names.label !== undefined && holdsVotes(rows.map(({ fields }) => fields[names.label!])),
  };
}

function holdsVotes(labels: readonly unknown[]): boolean {
  const given = labels.filter((label) => label !== undefined && label !== null);
  return given.length > 0 && given.every((label) => (typeof label === 'string' ? /^\s*(true|false|1|0)\s*$/i.test(label) : typeof label === 'boolean' || label === 1 || label === 0));
}

/**
 * Which of several ways to say the same thing a file takes: the one of which `data.columns` names a column, else the first whose first
 * column the file has.
 *
 * @throws UserError when `data.columns` names columns of two ways.
 */
export function wayOf(ways: readonly (readonly ColumnName[])[], { names, mapped }: Layout): readonly ColumnName[] | undefined {
  const chosen = ways.filter((way) => way.some((column) => mapped.has(column)));
  if (chosen.length > 1) {
    const words = chosen.map((way) => way.find((column) => mapped.has(column))).join(' and ');
    throw new UserError(`data.columns names ${words}, which say the same thing in two ways`, ['Name the columns of one way only.']);
  }
  return chosen[0] ?? ways.find(([column]) => column !== undefined && names[column] !== undefined);
}

/** The error for columns that a kind of row needs and the file lacks: which there are, and the nearest. */
export function missingColumns(needs: readonly Need[], layout: Layout, file: string): UserError {
  const words = needs.map(({ anyOf }) => anyOf.join(' or '));
  const guesses = needs.map(({ anyOf: [column = 'prompt'] }) => `${column}: ${nearest(column, layout.present) ?? `<its name>`}`);
  return new UserError(`${file} has no column ${words.join(' and no ')} (needed: ${needs[0]?.wanted})`, [
    `Columns in the data: ${layout.present.join(', ')}.`,
    `If they are there by another name: data.columns: { ${guesses.join(', ')} }.`,
  ]);
}

function missing(message: string, word: string, present: readonly string[]): UserError {
  const near = nearest(word, present);
  return new UserError(message, [`Columns in the data: ${present.join(', ')}.`, ...(near === undefined ? [] : [`Did you mean ${near}?`])]);
}
