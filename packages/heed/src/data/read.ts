import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { nearest, relativeHints, UserError } from '../errors.js';
import { readCsv } from './read-csv.js';
import { readJson, readJsonLines } from './read-json.js';
import { readParquet } from './read-parquet.js';
import { brokenHints, problemsError, type Problem, type Records } from './problem.js';
import type { RawRow } from './source.js';
import { count, unpack } from './text-lines.js';

const READABLE = '.jsonl .ndjson .json .csv .tsv (each also .gz) and .parquet';

type Prepare = (bytes: Uint8Array) => Uint8Array;

/**
 * Reads one data file, or several as one. The format follows the file name; a `.json` file may hold an
 * array of objects or one object per line.
 *
 * @throws UserError naming file and line: a file that is absent, empty, not UTF-8 or broken. All broken
 * lines are listed together.
 */
export async function readRows(path: string | readonly string[]): Promise<RawRow[]> {
  const records = await readRecords(path);
  if (records.broken.length > 0) throw unreadable(records);
  return records.rows;
}

/**
 * The same for a caller that checks the rows too, so that broken lines and wrong rows are listed together.
 *
 * @param prepare Changes the unpacked bytes of a text file before they are read. Default: as they are.
 * @throws UserError for a file of which no line can be read.
 */
export async function readRecords(path: string | readonly string[], prepare: Prepare = (bytes) => bytes): Promise<Records> {
  const files = typeof path === 'string' ? [path] : path;
  const rows: RawRow[] = [];
  const broken: Problem[] = [];
  for (const file of files) {
    const found = await readFileRows(file, prepare);
    if (found.rows.length === 0) throw found.broken.length > 0 ? unreadable(found) : new UserError(`${file} holds no rows`);
    for (const row of found.rows) rows.push(row);
    for (const problem of found.broken) broken.push(problem);
  }
  return { rows, broken };
}

function unreadable({ rows, broken }: Records): UserError {
  const { file, unit = 'line' } = broken[0]!.source;
  const all = rows.length + broken.length;
  return problemsError(`${file}: ${count(broken.length, unit)} of ${all} cannot be read`, broken, brokenHints(broken));
}

async function readFileRows(file: string, prepare: Prepare): Promise<Records> {
  const kind = /\.(jsonl|ndjson|json|csv|tsv|parquet)(\.gz)?$/i.exec(file)?.[1]?.toLowerCase();
  if (kind === undefined || (kind === 'parquet' && file.endsWith('.gz'))) {
    await mustBeFile(file);
    throw new UserError(`${file}: unknown kind of data file`, [`Readable are ${READABLE}.`]);
  }
  await mustBeFile(file);
  if (kind === 'parquet') return { rows: await readParquet(file), broken: [] };
  const bytes = prepare(unpack(file, await bytesOf(file)));
  if (kind === 'json') return readJson(file, bytes);
  if (kind === 'csv') return readCsv(file, bytes, 'csv');
  if (kind === 'tsv') return readCsv(file, bytes, 'tsv');
  return readJsonLines(file, bytes);
}

async function bytesOf(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new UserError(`${file} cannot be read: ${(cause as Error).message}`, [], { cause });
  }
}

async function mustBeFile(file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined) {
    const beside = await readdir(dirname(file)).catch(() => undefined);
    if (beside === undefined) throw new UserError(`${file} does not exist, nor does its folder ${dirname(file)}`, relativeHints(file));
    const near = nearest(basename(file), beside);
    throw new UserError(`${file} does not exist`, near === undefined ? relativeHints(file) : [`Did you mean ${near}?`]);
  }
  if (found.isDirectory()) {
    const inside = (await readdir(file)).filter((name) => /\.(jsonl|ndjson|json|csv|tsv|parquet)(\.gz)?$/i.test(name)).sort();
    throw new UserError(`${file} is a folder; give a file or a list of files`, [
      inside.length === 0 ? 'It holds no data files.' : `It holds ${inside.slice(0, 20).join(', ')}${inside.length > 20 ? ', …' : ''}.`,
    ]);
  }
}
