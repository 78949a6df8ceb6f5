/** Values that a recipe takes from a module of the user's: `./my-method.ts#name`. */
import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';

import type { Jiti } from 'jiti';

import { UserError, nearest } from '../errors.js';

const EXTENSIONS = ['.ts', '.mts', '.js', '.mjs'] as const;

/** Matches `FILE#NAME` with a file of a kind that can be loaded. */
const SPEC = /^(?<file>.+\.m?[jt]s)#(?<name>[^#]+)$/;

/** Whether a text of a recipe names an export of a module, rather than something of Heed's own. */
export const namesExport = (text: string): boolean => SPEC.test(text);

/**
 * The modules that a user's module must share with this process, with where they are loaded from. They are imported by name at run
 * time: this room hands on what is running already, and depends on neither.
 */
const SHARED: Readonly<Record<string, string>> = {
  '@heed/heed': new URL('../index.js', import.meta.url).href,
  '@heed/heed/method': new URL('../method.js', import.meta.url).href,
  '@heed/heed/label': new URL('../label.js', import.meta.url).href,
  '@heed/heed/serve': new URL('../serve.js', import.meta.url).href,
  '@heed/heed/tensor': '@heed/tensor',
  '@heed/tensor': '@heed/tensor',
  // Schemas of options are read together with those of recipes, so they are made by one zod; and a module outside a project has none.
  zod: 'zod',
};

let loader: Promise<Jiti> | undefined;

/** One loader for the whole process: a module that a recipe names twice is evaluated once. */
const openLoader = (): Promise<Jiti> => (loader ??= (async () => {
  const shared = Object.entries(SHARED).map(async ([name, from]) => [name, await import(from) as unknown] as const);
  const { createJiti } = await import('jiti');
  const virtualModules = Object.fromEntries(await Promise.all(shared));
  return createJiti(import.meta.url, { fsCache: false, interopDefault: false, virtualModules });
})());

/**
 * The value that a user's module exports. What the module imports from `@heed/heed`, `@heed/tensor` and `zod` are the objects
 * of this process.
 *
 * @param spec `./my-method.ts#name`: a .ts, .mts, .js or .mjs file, relative to the folder where the command is run, and an export of it.
 * @throws UserError where the text has another form, there is no such file or export, or the module cannot be loaded
 */
export async function loadExport(spec: string): Promise<unknown> {
  const { file, name } = SPEC.exec(spec)?.groups ?? {};
  if (file === undefined || name === undefined) {
    const hint = `Write ./FILE#NAME, where FILE ends with ${EXTENSIONS.join(', ')} and NAME is exported there.`;
    throw new UserError(`"${spec}" names no export of a module.`, [hint]);
  }
  const path = resolve(file);
  if (!existsSync(path) || !(await stat(path)).isFile()) throw await noSuchFile(file, path);
  const exported = await load(file, path);
  if (Object.hasOwn(exported, name)) return exported[name];
  const names = Object.keys(exported);
  const near = nearest(name, names);
  throw new UserError(`${file} exports no "${name}"${near === undefined ? '' : `; did you mean "${near}"?`}`, [
    names.length === 0 ? 'It exports nothing: write "export" before what is to be used.' : `It exports ${names.join(', ')}.`,
  ]);
}

async function load(file: string, path: string): Promise<Record<string, unknown>> {
  const jiti = await openLoader();
  try {
    return await jiti.import<Record<string, unknown>>(path);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${file} cannot be loaded: ${errorInWords(error)}`, hintsFor(error), { cause: error });
  }
}

/** What an error of a user's module says, and where in the user's files it happened. */
export function errorInWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const [words = error.name, more = ''] = error.message.split('\n').map((line) => line.trim()).filter((line) => line !== '');
  // A syntax error has its place in the second line of its message: "ParseError: Unexpected token", "/home/me/my-method.ts:3:17".
  const places = [more, ...(error.stack ?? '').split('\n')].map((line) => PLACE.exec(line)?.[1]);
  const place = places.find((found) => found !== undefined && !NOT_THEIRS.test(found));
  return place === undefined ? words : `${words}, at ${place}`;
}

/** A file and a line at the end of a line of a stack; the column is that of the module as it was compiled. */
const PLACE = /([^\s()]+:\d+):\d+\)?$/;
const NOT_THEIRS = /^node:|node_modules/;

function hintsFor(error: unknown): string[] {
  const missing = /Cannot find (?:module|package) '([^']+)'/.exec(error instanceof Error ? error.message : '')?.[1];
  if (missing === undefined) return [];
  return [/^[./]/.test(missing) ? `Look at the import of ${missing}.` : `Install it beside the module: npm install ${missing}`];
}

async function noSuchFile(file: string, path: string): Promise<UserError> {
  const others = await readdir(dirname(path)).catch(() => undefined);
  if (others === undefined) return new UserError(`There is no file ${file}: the folder ${dirname(path)} does not exist.`, [RELATIVE]);
  const near = nearest(basename(path), others.filter((name) => EXTENSIONS.some((extension) => extname(name) === extension)));
  return new UserError(`There is no file ${file}${near === undefined ? '' : `; did you mean ${join(dirname(file), near)}?`}`, [RELATIVE]);
}

const RELATIVE = 'Paths of modules are relative to the folder where the command is run.';
