import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { UserError } from '../errors.js';
import { fileError } from './files.js';

/**
 * Reads a JSON file that a command of Heed writes.
 *
 * @param madeBy The command, for messages.
 * @throws UserError where the file cannot be read, or has another form
 */
export async function readJsonAs<T>(file: string, schema: z.ZodType<T>, madeBy: string): Promise<T> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new UserError(`There is no file ${file}.`, [`Write it with ${madeBy}.`]);
    throw fileError(error, file, 'reading');
  }
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    throw new UserError(`${file} is not JSON.`, [`Write it with ${madeBy}.`]);
  }
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = issue!.path.length === 0 ? '' : `${issue!.path.map(String).join('.')}: `;
  throw new UserError(`${file} is no file of ${madeBy}: ${place}${issue!.message}`, [`Write it with ${madeBy}.`]);
}

/**
 * Reads a JSON file that the run itself wrote, whole (`atomicWrite`).
 *
 * @param advice The way out, where something else cut it. Default: to put it back, or to start again.
 * @throws UserError where the file cannot be read, or is not JSON
 */
export async function readKept<T>(
  file: string, advice = 'Put it back from a copy, or start again with --overwrite.',
): Promise<T> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as T;
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (missing) throw new UserError(`${file} is missing: something other than this run removed it.`, [advice]);
    if (!(error instanceof SyntaxError)) throw fileError(error, file, 'reading');
    throw new UserError(`${file} is not whole (${error.message}): something other than this run changed it.`, [advice]);
  }
}
