/** Splits a file as `data.eval` of a recipe splits it, and writes both parts as files. */
import { UserError } from '../errors.js';
import { promptKind } from './split-prompts.js';
import { type DataOptions, loadData } from './load.js';
import type { Problem } from './problem.js';
import { readRecords } from './read.js';
import type { BaseRow } from './row.js';
import type { RawRow } from './source.js';

type Fields = RawRow['fields'];

/** The records of both parts, as they stand in the file. */
export interface SplitFile {
  readonly train: readonly Fields[];
  readonly eval: readonly Fields[];
  readonly skipped: readonly Problem[];
}

/**
 * Splits records by all turns before the answer, whatever else they hold, so that the held-out rows are those that every method holds out.
 *
 * @throws UserError as `loadData` does, and where the file has no column of prompts
 */
export async function splitFile(options: DataOptions): Promise<SplitFile> {
  const { rows: records } = await readRecords(options.path);
  const kind = promptKind(records, options);
  if (kind === undefined) throw nothingAsked(records);
  const { train, eval: held, skipped } = await loadData(options, kind);
  const fields = new Map(records.map((record) => [placeOf(record), record.fields]));
  const written = (rows: readonly BaseRow[]): Fields[] => rows.map((row) => fields.get(placeOf(row))!);
  return { train: written(train), eval: written(held), skipped };
}

const placeOf = ({ source: { file, line } }: Pick<RawRow, 'source'>): string => `${line} ${file}`;

function nothingAsked(records: readonly RawRow[]): UserError {
  const present = [...new Set(records.flatMap(({ fields }) => Object.keys(fields)))];
  return new UserError('The data have no column prompt, messages, or chosen and rejected: rows are split by what is asked in them', [
    `Columns in the data: ${present.join(', ')}.`, 'If it is there by another name: data.columns.prompt=<its name>.',
  ]);
}
