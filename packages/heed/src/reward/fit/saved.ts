import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { UserError } from '../../errors.js';

/**
 * A JSON file of something that was trained here.
 *
 * @param made How such a file comes to be, for the message.
 * @throws UserError where there is no file, or something else in it
 */
export async function readSaved<T>(file: string, schema: z.ZodType<T>, made: string): Promise<T> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new UserError(`${file} cannot be read: ${(error as Error).message}`, [made]);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UserError(`${file} is no JSON: ${(error as Error).message}`, [made]);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  throw new UserError(`${file}: ${path.length > 0 ? `"${path.join('.')}": ` : ''}${message}`, [made]);
}

/**
 * The rows of a file of JSON lines.
 *
 * @throws UserError where there is no file, and with the line where one is no JSON or lacks something
 */
export async function readJsonLines<T>(file: string, schema: z.ZodType<T>): Promise<T[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new UserError(`${file} cannot be read: ${(error as Error).message}`);
  }
  return text.split('\n').flatMap((line, i) => {
    if (line.trim() === '') return [];
    try {
      return [schema.parse(JSON.parse(line))];
    } catch (error) {
      const issue = (error as { issues?: readonly { path: readonly PropertyKey[]; message: string }[] }).issues?.[0];
      const what = issue === undefined ? (error as Error).message : `"${issue.path.map(String).join('.')}": ${issue.message}`;
      throw new UserError(`${file}:${i + 1}: ${what}`);
    }
  });
}
