/** The contenders of `heed compare`, as a command names them. */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';

import { UserError } from '../errors.js';
import type { Contender } from '../evaluate/contender.js';
import { trainedPrompts } from '../loop/trained-prompts.js';
import { adapterFolder } from '../model/adapter-folder.js';
import type { Model } from '../model/load.js';
import { loadAdapter } from '../model/peft.js';
import { recipeChanges } from '../run/folder.js';
import { loadRecipe } from '../run/recipe.js';
import { SEED } from '../sweep/grid.js';
import { type SeededRun, isSweep, sweptSettings } from '../sweep/seeds.js';
import { type ModelFlags, loadBase } from './base.js';
import { named } from './named.js';
import type { Output } from './output.js';

/** The word for the model without an adapter. */
const BASE = 'base';

/** A contender before anything is loaded. Without a run it is the base; several runs differ in their seed alone. */
export interface NamedContender {
  readonly name: string;
  readonly runs: readonly SeededRun[];
}

/**
 * What a command compares: `base`, the folder of a run, of an adapter or of a sweep, or NAME=FOLDER. Each setting of a sweep is a
 * contender, with its seeds as runs; so are runs that are given one NAME.
 *
 * @throws UserError where a folder is not there, two have one name and are no seeds of one recipe, or nothing of a sweep has finished
 */
export async function namedContenders(specs: readonly string[], note: (line: string) => void): Promise<readonly NamedContender[]> {
  const found: NamedContender[] = [];
  for (const spec of specs) {
    if (spec === BASE) {
      found.push({ name: BASE, runs: [] });
      continue;
    }
    const [name, folder] = named([spec])[0]!;
    if (!existsSync(folder)) {
      throw new UserError(`${spec}: there is no folder ${folder}`, ['Contenders are base, or folders of runs, adapters or sweeps.']);
    }
    if (isSweep(folder)) found.push(...(await settingsIn(name, folder, note)));
    else found.push({ name, runs: [{ name: spec, dir: folder }] });
  }
  const joined: NamedContender[] = [];
  for (const { name } of found) {
    if (joined.some((one) => one.name === name)) continue;
    const same = found.filter((one) => one.name === name);
    joined.push(same.length === 1 ? same[0]! : { name, runs: await seedsOf(name, same.map(({ runs }) => runs)) });
  }
  return joined;
}

async function settingsIn(name: string, folder: string, note: (line: string) => void): Promise<NamedContender[]> {
  const settings = await sweptSettings(folder);
  const unfinished = settings.flatMap((one) => one.unfinished);
  if (settings.every(({ finished }) => finished.length === 0))
    throw new UserError(`No run of the sweep ${folder} has finished.`, ['Go on with it: heed sweep, with the same settings.']);
  if (unfinished.length > 0) note(`${folder}: left out, because they have not finished: ${unfinished.join('; ')}`);
  return settings.filter(({ finished }) => finished.length > 0)
    .map((one) => ({ name: one.name === undefined ? name : `${name} ${one.name}`, runs: one.finished }));
}

/** Runs that were given one name. @throws UserError where they are no seeds of one recipe */
async function seedsOf(name: string, all: readonly (readonly SeededRun[])[]): Promise<SeededRun[]> {
  const twice = (why: string): UserError => new UserError(`Two contenders are named ${name}${why}.`, [
    'Name them apart: NAME=FOLDER. One NAME is for runs that differ in train.seed alone.',
  ]);
  const runs = all.flat();
  const recipes = await Promise.all(runs.map(({ dir }) => recipeOf(dir)));
  // A name that the user did not give, such as the folder's, does not say which runs belong together.
  if (recipes.includes(undefined) || runs.some((run) => !run.name.startsWith(`${name}=`))) throw twice('');
  const [first, ...others] = recipes as Record<string, unknown>[];
  const changes = others.flatMap((other) => recipeChanges(first, other, [SEED]));
  if (changes.length > 0) throw twice(`, and they differ in more than ${SEED}: ${[...new Set(changes)].join('; ')}`);
  const seeds = (recipes as { train?: { seed?: number } }[]).map(({ train }) => train?.seed ?? 0);
  const again = seeds.find((seed, i) => seeds.indexOf(seed) < i);
  if (again !== undefined) throw twice(`, and have the same ${SEED}, ${again}`);
  return runs.map(({ dir }, i) => ({ name: `seed=${seeds[i]!}`, dir }));
}

async function recipeOf(folder: string): Promise<Record<string, unknown> | undefined> {
  const file = join(dirname(resolve(adapterFolder(folder))), 'recipe.yaml');
  return existsSync(file) ? (await loadRecipe(file, [], z.looseObject({}))).recipe : undefined;
}

/**
 * Loads the adapters that are named, and the base that they share.
 *
 * @throws UserError where an adapter cannot be loaded
 */
export async function contendersOf(
  all: readonly NamedContender[], flags: Pick<ModelFlags, 'model' | 'template'>, out: Output,
): Promise<{ readonly model: Model; readonly contenders: readonly Contender[] }> {
  const { model } = await loadBase(flags, all.flatMap(({ runs }) => runs.map(({ dir }) => dir)), out);
  const contenders: Contender[] = [];
  for (const { name, runs } of all) {
    const loaded = [];
    for (const run of runs) loaded.push({ name: run.name, adapter: await loadAdapter(run.dir, model.checkpoint) });
    const [only] = loaded;
    contenders.push({
      name, ...(loaded.length > 1 ? { runs: loaded } : only && { adapter: only.adapter }),
      ...(await trainingOf(name, runs, out)),
    });
  }
  return { model, contenders };
}

/** What a contender learnt from, where its runs say so. */
async function trainingOf(name: string, runs: readonly SeededRun[], out: Output): Promise<Pick<Contender, 'trainedOn'>> {
  try {
    const known = await Promise.all(runs.map(({ dir }) => trainedPrompts(dir)));
    return known.length === 0 || known.includes(undefined) ? {} : { trainedOn: new Set(known.flatMap((one) => [...(one ?? [])])) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    out.note(`Whether prompts are in the training data of ${name} cannot be told: ${error.message}`);
    return {};
  }
}
