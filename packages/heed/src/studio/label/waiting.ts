/** Runs that people are the judge of: their questions, and how they go on. */
import { join, relative, resolve } from 'node:path';
import { existsSync } from 'node:fs';

import type { AnnotationStore } from '../../feedback/annotations.js';
import type { LabelSet, Said } from '../../feedback/annotation.js';
import { readQuestions, writeAnswers } from '../../judge/human-answers.js';
import { isSection } from '../../run/report/measurements.js';
import { ApiError } from '../../serve/api-error.js';
import type { StartedJob, WaitingRun } from '../api.js';
import type { StudioContext } from '../context.js';
import { startedIn } from '../jobs.js';
import type { Project } from '../project.js';
import { resume } from '../resume.js';
import { jobOf, sectionIn } from '../run-line.js';

/** The runs whose recipe has people asked and whose file of questions is there, those with open questions first. */
export async function waitingRuns({ project }: StudioContext): Promise<WaitingRun[]> {
  const { runs } = await project.runs();
  const all = await Promise.all(runs.map((dir) => waitingOf(project, dir)));
  return all.flat().sort((a, b) => Number(b.open > 0) - Number(a.open > 0));
}

async function waitingOf(project: Project, dir: string): Promise<WaitingRun[]> {
  const recipe = await sectionIn(join(dir, 'recipe.yaml'));
  if (recipe === undefined) return [];
  const folder = folderOf(project, dir, recipe);
  const files = [...new Set(questionFiles(recipe))].map((file) => project.named(resolve(folder, file)));
  const found = await Promise.all(files.map(async (questions): Promise<WaitingRun[]> => {
    const path = await project.inside(questions).catch(() => undefined);
    if (path === undefined || !existsSync(path)) return [];
    const asked = await readQuestions(path).catch(() => []);
    if (asked.length === 0) return [];
    return [{
      run: project.named(dir), questions, total: asked.length, open: asked.filter(({ answered }) => !answered).length,
      command: commandOf(recipe, relative(folder, join(dir, 'recipe.yaml'))), folder: project.named(folder),
    }];
  }));
  return found.flat();
}

const folderOf = (project: Project, dir: string, { run }: Readonly<Record<string, unknown>>): string =>
  startedIn(dir, isSection(run) ? run['dir'] : undefined) ?? project.folder;
const commandOf = (recipe: Readonly<Record<string, unknown>>, file: string): string =>
  `npx heed ${jobOf(recipe)} ${file}${jobOf(recipe) === 'label' ? '' : ' --resume'}`;

/** `questions` of every `human` in a recipe. */
function questionFiles(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) => {
    const own = key === 'human' && isSection(inner) && typeof inner['questions'] === 'string' ? [inner['questions']] : [];
    return [...own, ...questionFiles(inner)];
  });
}

/** Goes on with a run that waited: it reads the answers. @throws ApiError 409 where it cannot */
export async function goOn(context: StudioContext, dir: string): Promise<StartedJob> {
  const recipe = await sectionIn(join(dir, 'recipe.yaml'));
  if (recipe === undefined) throw new ApiError(409, 'Its recipe.yaml cannot be read.', { code: 'not_resumed' });
  if (jobOf(recipe) !== 'label') return resume(context, dir);
  // A labelling run ends with every look at its questions; the same command asks what is still open.
  const cwd = folderOf(context.project, dir, recipe);
  return context.jobs.start({ argv: ['label', relative(cwd, join(dir, 'recipe.yaml'))], dir, cwd });
}

/** Writes what people said into the file of a set of questions: all of it, or what one person says of one item now. */
export async function feedQuestions(
  project: Project, store: AnnotationStore, set: LabelSet, only?: { readonly place: number; readonly who: string },
): Promise<void> {
  if (set.task !== 'questions') return;
  const said = await store.annotations(set.id, only && [only.place]);
  const given: readonly { place: number; who: string; said?: Said }[] = only === undefined
    ? said : [{ ...only, said: said.find(({ who }) => who === only.who)?.said }];
  const keyAt = new Map((await store.items(set.id, given.map(({ place }) => place))).map((item) => [item.place, item.key]));
  await writeAnswers(await project.inside(set.files[0]!), given.map((one) => (
    { id: keyAt.get(one.place)!, who: one.who, answer: one.said?.answer ?? null }
  )));
}
