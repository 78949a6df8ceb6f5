/** Reads files of principles. Each principle has a name, a text and a negation (examples/principles.yaml). */
import { readFile } from 'node:fs/promises';

import { parse } from 'yaml';
import { z } from 'zod';

import { UserError, relativeHints } from '../errors.js';
import { fileError } from '../run/files.js';
import { shipped } from '../run/shipped.js';

const Principle = z.strictObject({ name: z.string().trim().min(1), text: z.string().trim().min(1), negation: z.string().trim().min(1) });
export type Principle = z.infer<typeof Principle>;

const Principles = z.array(Principle).min(1)
  .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, 'two principles have the same name')
  .refine((all) => all.every(({ text, negation }) => text !== negation), 'a negation equals its principle');

/**
 * Reads principles, in the order of the file; of several files, one after the other.
 *
 * @param names Principles to keep. Default: all.
 * @throws UserError naming the file and the entry at fault, a name that two files share, or one that no file has
 */
export async function readPrinciples(files: string | readonly string[], names?: readonly string[]): Promise<Principle[]> {
  const all: Principle[] = [];
  const shown = typeof files === 'string' ? files : files.join(' and ');
  for (const file of [files].flat()) {
    const read = await readFileOfPrinciples(file);
    const twice = read.find(({ name }) => all.some((other) => other.name === name));
    if (twice !== undefined)
      throw new UserError(`${file} has a principle "${twice.name}", and so has another of ${shown}`, ['Give one of them another name.']);
    all.push(...read);
  }
  const unknown = names?.find((name) => !all.some((principle) => principle.name === name));
  if (unknown !== undefined)
    throw new UserError(`${shown} has no principle "${unknown}"`, [`It has ${all.map(({ name }) => name).join(', ')}.`]);
  return names === undefined ? all : all.filter(({ name }) => names.includes(name));
}

async function readFileOfPrinciples(file: string): Promise<Principle[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new UserError(`There is no file of principles ${file}`, [
        ...relativeHints(file), `See ${shipped('examples/principles.yaml')} for one to copy.`,
      ]);
    throw fileError(error, file, 'reading');
  }
  let value: unknown;
  try {
    value = parse(text, { maxAliasCount: 0 }) as unknown;
  } catch (error) {
    throw new UserError(`${file} is not YAML: ${error instanceof Error ? error.message : String(error)}`);
  }
  const parsed = Principles.safeParse(value);
  if (!parsed.success) {
    const lines = parsed.error.issues.map(({ path, message }) => `  ${placeOf(path)}: ${message}`);
    throw new UserError(`${file} holds no list of principles:\n${lines.join('\n')}`, [
      'Each entry has a name, a text and a negation; see examples/principles.yaml.',
    ]);
  }
  return parsed.data;
}

/** The place of a problem in the list, for people: `entry 2, negation`. */
function placeOf([index, field]: readonly PropertyKey[]): string {
  if (index === undefined) return 'the list';
  return `entry ${Number(index) + 1}${field === undefined ? '' : `, ${String(field)}`}`;
}
