/** The runs of a sweep: a recipe with each combination of the values laid over it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

import { UserError } from '../errors.js';
import { ALIGN_FREE, type AlignRecipe, loadAlignRecipe } from '../loop/align-recipe.js';
import { TRAIN_FREE, type TrainRecipe, loadTrainRecipe } from '../loop/train-recipe.js';
import { recipeChanges } from '../run/folder.js';
import { type LoadedRecipe, loadRecipe } from '../run/recipe.js';
import { type Grid, type Point, pointsOf, readGrid } from './grid.js';

/** A run of a sweep, as its recipe says it. */
export type PlannedRun = {
  readonly point: Point;
  /** Its folder, relative to where the command is run. */
  readonly dir: string;
  /** The recipe as YAML, with everything written out. */
  readonly text: string;
  /** Keys that may differ when it goes on. */
  readonly free: readonly string[];
} & ({ readonly job: 'train'; readonly recipe: TrainRecipe } | { readonly job: 'align'; readonly recipe: AlignRecipe });

/** What a sweep does. */
export interface SweepPlan {
  /** The recipe's file. */
  readonly file: string;
  readonly grid: Grid;
  /** The sweep's folder. */
  readonly dir: string;
  /** In the order in which they run. */
  readonly runs: readonly PlannedRun[];
  /** What a user should know of how the recipe was read. */
  readonly notes: readonly string[];
}

/**
 * Reads a recipe of `heed train` or `heed align` once for each combination of the values. The sweep's folder is `run.dir` of the settings,
 * or else that of the recipe with `-sweep` behind it.
 *
 * @param settings `key=value,value` for what varies, `key=value` for what holds in every run.
 * @throws UserError as `readGrid` and reading the recipe do, where it is no recipe of these verbs, and where two runs would be the same
 */
export async function planSweep(file: string, settings: readonly string[]): Promise<SweepPlan> {
  const grid = readGrid(settings);
  const { recipe: raw } = await loadRecipe(file, [], Raw);
  const job = jobOf(file, raw);
  const dir = grid.dir ?? `${raw.run?.dir ?? join('runs', 'recipe')}-sweep`;
  if (existsSync(join(dir, 'recipe.yaml')))
    throw new UserError(`${dir} is the folder of a run, and a sweep needs one for itself.`, ['Choose another: run.dir=FOLDER.']);
  const notes = new Set<string>();
  const runs: PlannedRun[] = [];
  for (const point of pointsOf(grid)) {
    const folder = join(dir, point.name);
    const overrides = [...point.overrides, `run.dir=${JSON.stringify(folder)}`];
    const place = { point, dir: folder };
    const noted = <T>(loaded: LoadedRecipe<T>): LoadedRecipe<T> => {
      for (const note of loaded.notes ?? []) notes.add(note);
      return loaded;
    };
    if (job === 'train') {
      const { recipe, text } = noted(await loadTrainRecipe(file, overrides));
      runs.push({ ...place, job, recipe, text, free: TRAIN_FREE });
    } else {
      const { recipe, text } = noted(await loadAlignRecipe(file, overrides));
      runs.push({ ...place, job, recipe, text, free: ALIGN_FREE });
    }
  }
  requireDifferent(runs);
  return { file, grid, dir, runs, notes: [...notes] };
}

/** What tells the verbs' recipes apart. */
const Raw = z.looseObject({
  method: z.unknown().optional(), evaluate: z.unknown().optional(), tasks: z.unknown().optional(),
  run: z.looseObject({ dir: z.string().optional() }).optional(),
});

/** A recipe of `heed align` names held-out prompts in `evaluate`; one of `heed train` has no such section. */
function jobOf(file: string, { method, evaluate, tasks }: z.infer<typeof Raw>): PlannedRun['job'] {
  if (method === undefined || tasks !== undefined) {
    throw new UserError(`${file} is no recipe of heed train or heed align, and a sweep runs these.`, [
      'Their recipes have a section method.',
    ]);
  }
  return evaluate === undefined ? 'train' : 'align';
}

/** @throws UserError where two combinations give the same recipe, such as a default and the same value written out */
function requireDifferent(runs: readonly PlannedRun[]): void {
  const names = new Map<string, string>();
  for (const { recipe, point } of runs) {
    const key = JSON.stringify({ ...recipe, run: undefined });
    const other = names.get(key);
    if (other !== undefined) throw new UserError(`${other} and ${point.name} are the same run.`, ['Leave one of the values out.']);
    names.set(key, point.name);
  }
}

/** What differs between the recipes of two sweeps apart from what they vary. */
export const commonChanges = (before: unknown, after: unknown, { axes }: Pick<Grid, 'axes'>, free: readonly string[]): string[] =>
  recipeChanges(before, after, [...free, ...axes.map(({ key }) => key)]);
