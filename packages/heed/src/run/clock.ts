/** The time that a run's templates print: that of its first start, on whatever day it goes on. */
import { readFileSync, writeFileSync } from 'node:fs';

import { UserError } from '../errors.js';
import type { RunFolder } from './folder.js';

/** Where a run whose template prints the date keeps it. */
export const CLOCK = 'date.json';

/** A point in time as the wall clock showed it, without a zone: a run prints the same wherever it goes on. */
const written = (at: Date): string => {
  const pad = (n: number): string => String(n).padStart(2, '0');
  const [year, month, day] = [at.getFullYear(), at.getMonth() + 1, at.getDate()];
  return `${year}-${pad(month)}-${pad(day)}T${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
};

/**
 * The clock of a run, for `loadModel`. When it is first asked it reads `date.json`, or writes it; a run whose template asks for no date has
 * no such file.
 *
 * @throws UserError where the file holds no date
 */
export function clockOf({ path }: Pick<RunFolder, 'path'>): () => Date {
  let began: Date | undefined;
  return () => (began ??= readOrWrite(path(CLOCK)));
}

function readOrWrite(file: string): Date {
  try {
    writeFileSync(file, `${JSON.stringify(written(new Date()))}\n`, { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const text = readFileSync(file, 'utf8');
  const [, said] = /^"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)"\n?$/.exec(text) ?? [];
  if (said === undefined) {
    throw new UserError(`${file} holds no date: ${text.slice(0, 80)}`, [
      `Write the day that the run began on into it, as "${written(new Date())}".`,
    ]);
  }
  return new Date(said);
}
