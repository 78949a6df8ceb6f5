/** Append-only JSON Lines: `metrics.jsonl` and `samples.jsonl`. */
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

import { UserError } from '../errors.js';
import { atomicWrite, fileError } from './files.js';

/** One line of a log. `step` is the optimizer step after which it was written; a line without one belongs to step 0. */
export type LogRow = { readonly step?: number } & Readonly<Record<string, unknown>>;

/** One line of `metrics.jsonl`; methods add numbers of their own. */
export interface StepMetrics extends LogRow {
  /** Optimizer step, from 1. */
  readonly step: number;
  readonly loss: number;
  readonly lr: number;
  /** Tokens that entered the model in this step. */
  readonly tokens: number;
  /** Wall time of this step. The only field that a resume may change. */
  readonly seconds: number;
}

/**
 * The objects in a JSON Lines file; none when there is no file. A last line without its newline was cut by a kill and is left out.
 *
 * @throws UserError naming the line, when another line is not an object.
 */
export async function readLog(path: string): Promise<LogRow[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw fileError(error, path, 'reading');
  }
  const lines = text.split('\n');
  lines.pop(); // '' after the last newline, or what a kill left of a line
  return lines.map((line, index) => {
    try {
      const value: unknown = JSON.parse(line);
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as LogRow;
    } catch {
      // reported below
    }
    throw new UserError(`${path}:${index + 1}: not a JSON object: ${line.slice(0, 80)}`, [
      'The file was changed by something else. Remove that line, or start again with --overwrite.',
    ]);
  });
}

/** A log file that is being written. */
export interface Log<Row extends LogRow> {
  readonly path: string;
  /** Writes one line and hands it to the system before returning, so that a kill loses no line. NaN and ±Infinity become null. */
  append(row: Row): void;
  /** Everything written so far. */
  rows(): Promise<Row[]>;
  /** Drops the lines of later steps: what a run wrote after the checkpoint it now goes on from. Atomic. */
  truncateAfter(step: number): Promise<void>;
  close(): void;
}

/** Where the last whole line ends. */
function wholeLength(file: number): number {
  const chunk = Buffer.alloc(65_536);
  for (let end = fstatSync(file).size; end > 0; ) {
    const start = Math.max(0, end - chunk.length);
    const read = readSync(file, chunk, 0, end - start, start);
    const newline = chunk.subarray(0, read).lastIndexOf(10);
    if (newline >= 0) return start + newline + 1;
    end = start;
  }
  return 0;
}

/** Opens a log for appending; a half-written last line, left by a kill, is removed. */
export function openLog<Row extends LogRow>(path: string): Log<Row> {
  const open = (): number => {
    try {
      const file = openSync(path, 'a+');
      const length = wholeLength(file);
      if (length < fstatSync(file).size) ftruncateSync(file, length);
      return file;
    } catch (error) {
      throw fileError(error, path);
    }
  };
  let file: number | undefined = open();
  const close = (): void => {
    if (file !== undefined) closeSync(file);
    file = undefined;
  };
  return {
    path,
    append(row) {
      if (file === undefined) throw new Error(`${path} is closed`);
      const bytes = Buffer.from(`${JSON.stringify(row)}\n`);
      const before = fstatSync(file).size;
      try {
        for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
      } catch (error) {
        try {
          ftruncateSync(file, before); // a full disk may have taken half of the line
        } catch {
          // the write's own error says more
        }
        throw fileError(error, path);
      }
    },
    rows: async () => (await readLog(path)) as Row[],
    async truncateAfter(step) {
      const rows = await readLog(path);
      const kept = rows.filter((row) => (row.step ?? 0) <= step);
      if (kept.length === rows.length) return;
      await atomicWrite(path, kept.map((row) => `${JSON.stringify(row)}\n`).join(''));
      close();
      file = open();
    },
    close,
  };
}
