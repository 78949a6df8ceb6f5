/** Recipes: a YAML file plus `key=value` overrides, checked by a schema, with every problem reported at its line. */
import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { stringify } from 'yaml';
import type { z } from 'zod';

import { UserError } from '../errors.js';
import { fileError } from './files.js';
import { applyOverrides } from './recipe-overrides.js';
import { describeIssues } from './recipe-problems.js';
import { type KeyPath, parseYaml } from './recipe-yaml.js';
import { shipped } from './shipped.js';

/** A recipe after checking. */
export interface LoadedRecipe<T> {
  /** The recipe with its defaults filled in. */
  readonly recipe: T;
  /** The same as YAML: what a run folder keeps as `recipe.yaml`. Loading it again gives the same recipe. */
  readonly text: string;
  /** What a user should know of how the recipe was read, such as options that were left out. Default: nothing. */
  readonly notes?: readonly string[];
}

/** Sections that may be written as one word: `data: x.jsonl` means `data: { path: x.jsonl }`. */
export type ShortForms = Readonly<Record<string, string>>;

/** The short forms of recipes: `data: x.jsonl`, `method: cut`, `label: scores`; of a benchmark, `dev: x.jsonl`. */
export const SHORT_FORMS: ShortForms = { data: 'path', dev: 'path', method: 'name', label: 'name' };

const MAX_BYTES = 256 * 1024;
/** Files that no recipe is in. JSON may be one: it is YAML, too. */
const DATA_FILE = /\.(jsonl|ndjson|csv|tsv|parquet|arrow)$/i;

async function readRecipe(file: string): Promise<string> {
  try {
    const info = await stat(file);
    if (info.isDirectory()) throw new UserError(`${file} is a folder, not a recipe`, ['Name the YAML file in it.']);
    if (DATA_FILE.test(file)) {
      throw new UserError(`${file} is data, not a recipe`, [`Name a recipe first, and the data with data=${file}.`]);
    }
    if (info.size > MAX_BYTES) {
      throw new UserError(`${file} has ${info.size} bytes; a recipe has at most ${MAX_BYTES}`, [
        'Is this a data file? Name it with data=FILE.',
      ]);
    }
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new UserError(`There is no recipe ${file}`, [await whereRecipesAre(file)]);
    }
    throw fileError(error, file, 'reading');
  }
}

/** The way to a recipe that comes with Heed: its paths are relative to the folder where the command is run, so its data comes along. */
async function whereRecipesAre(file: string): Promise<string> {
  const folder = shipped('recipes');
  const own = join(folder, basename(file));
  if (!(await stat(own).then(() => true, () => false))) return `${folder} has recipes to copy.`;
  return `It comes with Heed. Copy the recipes and their data here: cp -r ${folder} ${shipped('examples')} .`;
}

/**
 * Reads a recipe, applies the overrides, fills in defaults and checks everything.
 *
 * @param schema `TrainRecipe`, `AlignRecipe` or `LabelRecipe`.
 * @param overrides `a.b=value` each; the value is read as YAML. `data=x` sets the short form and keeps the section's other keys; `a.b=null`
 * takes a key out, where null is not a value that it may have.
 * @throws UserError that lists every problem with its line, the value and what was expected; unknown keys name the nearest known one.
 */
export async function loadRecipe<T>(file: string, overrides: readonly string[], schema: z.ZodType<T>): Promise<LoadedRecipe<T>> {
  return checkRecipe(await readRecipe(file), file, overrides, schema);
}

/** Where problems are, dotted, those within the branches of unions included. */
const placesOf = (issues: readonly z.core.$ZodIssue[], base: KeyPath = []): string[] => issues.flatMap((issue) => {
  const path = [...base, ...issue.path];
  return [path.join('.'), ...(issue.code === 'invalid_union' ? issue.errors.flatMap((branch) => placesOf(branch, path)) : [])];
});

function takeOut(value: Record<string, unknown>, path: KeyPath): void {
  const holder = path.slice(0, -1).reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown>)[key], value);
  delete (holder as Record<PropertyKey, unknown>)[path.at(-1)!];
}

/** `loadRecipe` on text that is already there; `name` stands for the file in messages. */
export function checkRecipe<T>(
  text: string,
  name: string,
  overrides: readonly string[],
  schema: z.ZodType<T>,
  shortForms: ShortForms = SHORT_FORMS,
): LoadedRecipe<T> {
  const document = parseYaml(text, name);
  const { value, origin, emptied } = applyOverrides(document.value, overrides, shortForms);
  let parsed = schema.safeParse(value, { reportInput: true });
  // `key=null` takes a key out of the recipe, where null is not a value that it may have.
  const refused = placesOf(parsed.error?.issues ?? []);
  const taken = emptied.filter((path) => refused.includes(path.join('.')));
  for (const path of taken) takeOut(value, path);
  if (taken.length > 0) parsed = schema.safeParse(value, { reportInput: true });
  if (!parsed.success) {
    const problems = describeIssues(parsed.error.issues, schema, value, (path) => origin(path) ?? document.where(path));
    const list = problems.map((line) => `  ${line}`).join('\n');
    throw new UserError(problems.length === 1 ? problems[0]! : `${name} has ${problems.length} problems:\n${list}`);
  }
  return loaded(parsed.data);
}

/** A checked recipe, with its text. */
export const loaded = <T>(recipe: T): LoadedRecipe<T> =>
  ({ recipe, text: stringify(recipe, { lineWidth: 120, aliasDuplicateObjects: false }) });
