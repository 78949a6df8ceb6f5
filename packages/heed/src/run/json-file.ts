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
