/** A JSON Lines file that a verb writes its rows to, or stdout. */
import { mkdirSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

import { UserError } from '../errors.js';
import { type Log, type LogRow, openLog } from '../run/metrics.js';
import type { Output } from './output.js';

export interface RowsFile {
  /** As the user named it; "stdout" for `-`. */
  readonly name: string;
  readonly isStdout: boolean;
  /** Writes one row and hands it to the system, so that a kill loses no row. The first row replaces a file that may be overwritten. */
  append(row: LogRow): void;
  close(): void;
}

/**
 * Checks that rows can be written there, without writing any.
 *
 * @param path A file, or `-` for stdout.
 * @throws UserError where a file is already there, unless `overwrite`.
 */
export function rowsFile(path: string, { overwrite = false, out }: { readonly overwrite?: boolean; readonly out: Output }): RowsFile {
  if (path === '-') {
    if (out.json) {
      throw new UserError('-o - writes the rows to stdout, where --json prints the result.', ['Name a file, or leave out --json.']);
    }
    return { name: 'stdout', isStdout: true, append: (row) => out.write(`${JSON.stringify(row)}\n`), close: () => undefined };
  }
  const there = statSync(path, { throwIfNoEntry: false });
  if (there !== undefined) {
    if (there.isDirectory()) throw new UserError(`${path} is a folder; name a file.`);
    if (!overwrite) throw new UserError(`${path} is already there.`, ['Name another file, or replace it with --overwrite.']);
  }
  let log: Log<LogRow> | undefined;
  return {
    name: path,
    isStdout: false,
    append(row) {
      try {
        if (log === undefined) {
          mkdirSync(dirname(path), { recursive: true });
          rmSync(path, { force: true });
          log = openLog(path);
        }
        log.append(row);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        // The log's own hints are about run folders.
        throw new UserError(error.message, ['Make room, or name a file in another place.'], { cause: error });
      }
    },
    close: () => log?.close(),
  };
}
