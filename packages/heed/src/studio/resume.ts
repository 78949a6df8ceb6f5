/** Going on with a run, and starting a new one. */
import { join, relative } from 'node:path';

import { parse } from 'yaml';

import { atomicWrite } from '../run/files.js';
import { isSection } from '../run/report/measurements.js';
import { ApiError, badRequest } from '../serve/api-error.js';
import type { StartedJob } from './api.js';
import type { StudioContext } from './context.js';
import { JOBS, startedIn } from './jobs.js';
import { jobOf, sectionIn } from './run-line.js';
import { stateOf } from './state.js';

const dirOf = (recipe: Readonly<Record<string, unknown>>): unknown => (isSection(recipe['run']) ? recipe['run']['dir'] : undefined);

/** Why a run cannot go on from here; undefined where it can. */
export async function resumeBlocked({ jobs, asked }: StudioContext, dir: string): Promise<string | undefined> {
  const { status } = await stateOf(dir, jobs, asked);
  if (status === 'ended') return 'It has ended.';
  if (status !== 'stopped' && status !== 'failed') return 'A process works on it.';
  const recipe = await sectionIn(join(dir, 'recipe.yaml'));
  if (recipe === undefined) return 'Its recipe.yaml cannot be read.';
  if (startedIn(dir, dirOf(recipe)) !== undefined) return undefined;
  return `Its recipe says run.dir: ${String(dirOf(recipe))}, from which the folder that it was started in cannot be told. `
    + `Go on with it there: heed ${jobOf(recipe)} RECIPE --resume.`;
}

/** Goes on with a run from its newest checkpoint. @throws ApiError 409 where it cannot go on */
export async function resume(context: StudioContext, dir: string): Promise<StartedJob> {
  const blocked = await resumeBlocked(context, dir);
  if (blocked !== undefined) throw new ApiError(409, blocked, { code: 'not_resumed' });
  const recipe = (await sectionIn(join(dir, 'recipe.yaml')))!;
  const cwd = startedIn(dir, dirOf(recipe))!;
  return context.jobs.start({ argv: [jobOf(recipe), relative(cwd, join(dir, 'recipe.yaml')), '--resume'], dir, cwd });
}

/**
 * Starts a run from the text of a recipe, in the project folder. What the recipe lacks, its verb says: the job then fails, and its log says
 * why.
 *
 * @throws ApiError 400 where the text is no recipe, or its run.dir lies outside the project folder
 */
export async function startRecipe(
  { project, jobs }: StudioContext, { recipe: text, job }: { readonly recipe: string; readonly job: 'train' | 'align' },
): Promise<StartedJob> {
  let recipe: unknown;
  try {
    recipe = parse(text, { maxAliasCount: 0 });
  } catch (error) {
    throw badRequest(`The recipe is not YAML: ${(error as Error).message}`, 'recipe');
  }
  if (!isSection(recipe)) throw badRequest('The recipe names nothing: it has keys such as model, data and method.', 'recipe');
  const given = dirOf(recipe);
  if (typeof given !== 'string') throw badRequest('The recipe has no run.dir: the folder that the run is to be written into.', 'recipe');
  const dir = await project.inside(given);
  const name = project.named(dir).replaceAll(/[^\w.-]+/g, '-');
  const file = join(JOBS, 'recipes', `${name}.yaml`);
  await atomicWrite(join(project.folder, file), text);
  return jobs.start({ argv: [job, file], dir, cwd: project.folder });
}
