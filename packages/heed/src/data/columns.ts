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
  /** True for `instruction`, `input`, `output` files, whose conventions (score ≥ 7) differ. */
  readonly alpaca: boolean;
  /** Every column of the file, in order of appearance. */
  readonly present: readonly string[];
}

/** One of these columns must be in the file. */
export interface Need {
  readonly anyOf: readonly ColumnName[];
  readonly wanted: string;
}

/**
 * Finds our columns in a file, by the mapping the user gave, then by our name, then by Alpaca's.
 *
 * @throws UserError when a mapped column is in no row, or two columns claim the same meaning.
 */
export function findColumns(rows: readonly RawRow[], map: ColumnMap = {}): Layout {
  const has = new Set<string>();
  for (const { fields } of rows) for (const name of Object.keys(fields)) has.add(name);
  const present = [...has];
  const names: Partial<Record<ColumnName, string>> = {};
  for (const column of columnNames) {
    const mapped = map[column];
    const other = alsoCalled[column];
    if (mapped !== undefined) {
      if (!has.has(mapped)) throw missing(`data.columns.${column} names the column ${mapped}, which no row has`, mapped, present);
      names[column] = mapped;
    } else if (has.has(column) && other !== undefined && has.has(other)) {
      throw new UserError(`The data have a column ${column} and a column ${other}, which mean the same`, [
        `Say which to use: data.columns: { ${column}: ${column} } or { ${column}: ${other} }.`,
      ]);
    } else if (has.has(column)) {
      names[column] = column;
    } else if (other !== undefined && has.has(other)) {
      names[column] = other;
    }
  }
  return { names, present, alpaca: names.prompt === 'instruction' && names.completion === 'output' };
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
