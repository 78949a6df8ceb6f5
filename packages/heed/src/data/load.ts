import { resolve } from 'node:path';
import { z } from 'zod';
import { promptGroups } from './split-prompts.js';
import { ColumnMap, ValueMap } from './columns.js';
import { hashOrder } from './hash.js';
import { Paths, sectionOfPath } from './paths.js';
import { type Notice, parseRows } from './parse.js';
import type { Problem } from './problem.js';
import { readRecords } from './read.js';
import type { BaseRow, RowDefinition } from './row.js';
import { rowDefinition, type RowKind, type RowOf } from './rows.js';
import { type Once, once } from './duplicates.js';
import { at, type RawRow } from './source.js';
import { splitByPrompt } from './split.js';

/** `data:` of a recipe. A path (or a list of paths) alone is short for `{ path: … }`. */
export const DataOptions = z.preprocess(
  sectionOfPath,
  z.strictObject({
    /** JSONL, JSON, CSV, TSV (each also .gz) or Parquet; several files are read as one. */
    path: Paths,
    /** Our column name → the file's: { prompt: question, completion: answer }. A column named here is used for nothing else. */
    columns: ColumnMap.optional(),
    /** What the file writes for true and false in `satisfied` or `label`: { up: true, down: false }, { 1: false, …, 5: true }. */
    values: ValueMap.optional(),
    /** Columns of the file to pass over, such as one that would be refused because it changes what rows teach. */
    ignore: z.array(z.string().min(1)).min(1).optional(),
    /** Rows with nothing to learn from (empty, chosen equal to rejected, a judgment "$ERROR$"): an error, or left out and listed. */
    junk: z.enum(['error', 'skip']).default('error'),
    /** Rows that repeat an earlier row in all that is read but `id`: kept, left out and listed, or an error. */
    duplicates: z.enum(['keep', 'drop', 'error']).default('keep'),
    /**
     * Pairs whose soft_label is 0.5: learnt from (they pull the rewards together) and counted, left out and listed, or an error.
     * Default: learn.
     */
    ties: z.enum(['learn', 'skip', 'error']).optional(),
    /** How string prompts are read: one user turn, or "\n\nHuman: … \n\nAssistant:". */
    transcript: z.enum(['plain', 'human-assistant']).default('plain'),
    /** Rows to evaluate on: a fraction below 1, a number of rows, or other files. Split by prompt. */
    eval: z.union([z.number().gt(0).lt(1), z.int().min(1), Paths]).optional(),
    /** Longest prompt + response, in tokens. Default: the model's context. */
    maxTokens: z.int().min(2).optional(),
    /** What to do with longer rows. */
    onLong: z.enum(['error', 'skip', 'truncate-prompt-left']).default('error'),
    /**
     * true: rows are taken in an order drawn from the seed, so that `limit` takes a fair sample. false: they are also learned in the order
     * of the file, epoch by epoch. Default: `limit` takes the first, and each epoch is shuffled.
     */
    shuffle: z.boolean().optional(),
    /** Use this many rows of the files at most, before the split (after the shuffle, where there is one); junk that is left out counts. */
    limit: z.int().min(1).optional(),
    /** Decides the split and the shuffle. */
    seed: z.int().min(0).default(0),
  }),
);

export type DataOptions = z.infer<typeof DataOptions>;

/** Rows ready to train on. */
export interface LoadedData<Row> {
  readonly train: Row[];
  /** Empty when `data.eval` is not set. */
  readonly eval: Row[];
  /** Junk rows left out because of `junk: skip`. */
  readonly skipped: readonly Problem[];
  /** Columns that nothing read, and keys of turns that nothing uses. */
  readonly unused?: readonly string[];
  /** What readers noticed of some rows. */
  readonly notices?: readonly Notice[];
  /** Rows that repeat an earlier one of their file and are learnt as often as they stand there (`duplicates: keep`). */
  readonly repeated?: number;
}

/**
 * Reads files into rows of one kind: reader, columns, checks, limit, split.
 *
 * @param kind The kind of row, by name or by its definition.
 * @param folder What relative paths are relative to; default the working directory.
 * @throws UserError as `readRecords`, `parseRows` and `splitByPrompt` do.
 */
export async function loadData<Kind extends RowKind | RowDefinition>(
  options: DataOptions, kind: Kind, folder = '.',
): Promise<LoadedData<RowOf<Kind>>> {
  const read = async (path: string | readonly string[]): Promise<Once<RowOf<Kind>> & { readonly records: readonly RawRow[] }> => {
    const { rows: records, broken } = await readRecords(within(folder, path));
    return { ...once(parseRows(kind, records, { ...options, broken }), options.duplicates), records };
  };
  const main = await read(options.path);
  const { skipped, unused, notices, repeated } = main;
  const { rows, left } = taken(main.rows as readonly (RowOf<Kind> & BaseRow)[], main.records, options);
  if (options.eval === undefined) return { train: rows, eval: [], skipped, unused, notices, repeated };
  if (typeof options.eval === 'number') {
    return { ...splitByPrompt(rowDefinition(kind), rows, options.eval, options.seed, left), skipped, unused, notices, repeated };
  }
  const other = await read(options.eval);
  return {
    train: rows, eval: other.rows, skipped: [...skipped, ...other.skipped],
    unused: [...new Set([...unused, ...other.unused])], notices: [...notices, ...other.notices], repeated,
  };
}

/**
 * The rows that `shuffle` and `limit` let through, and the groups of the records among them that make no row. Both go by the records of
 * the file, so that methods that leave different records out as junk take and hold out the same of what is asked.
 */
function taken<Row extends BaseRow>(
  rows: readonly Row[], records: readonly RawRow[], options: DataOptions,
): { readonly rows: Row[]; readonly left: readonly string[] } {
  const complete = rows.length === records.length;
  const asked = complete ? [] : promptGroups(records, options);
  let next = 0;
  const all = records.map(({ source }, i) => {
    const row = rows[next];
    const makesRow = row !== undefined && at(row.source) === at(source);
    if (makesRow) next += 1;
    return makesRow ? { row } : { left: asked[i] };
  });
  const lost = rows[next];
  if (lost !== undefined) throw new Error(`${at(lost.source)} is no record of the data: a row keeps the source of its record`);
  const ordered = options.shuffle === true ? hashOrder(all, options.seed, (_, index) => String(index)) : all;
  const used = ordered.slice(0, options.limit);
  return { rows: used.flatMap(({ row }) => row ?? []), left: used.flatMap(({ left }) => left ?? []) };
}

/** Paths stay as the user wrote them where they can, since messages repeat them. */
function within(folder: string, path: string | readonly string[]): string | string[] {
  const one = (file: string): string => (folder === '.' ? file : resolve(folder, file));
  return typeof path === 'string' ? one(path) : path.map(one);
}
