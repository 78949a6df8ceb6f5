/** Which models a page can ask: the bases that runs of the project name, and the adapters that they made. */
import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

import { ADAPTER_CONFIG } from '../model/adapter-folder.js';
import { DEFAULT_MODEL, findKnown } from '../model/checkpoint/known.js';
import { isSection } from '../run/report/measurements.js';
import { ApiError } from '../serve/api-error.js';
import type { Speaker } from './api.js';
import { startedIn } from './jobs.js';
import type { Project } from './project.js';
import { jobOf, sectionIn } from './sections.js';

/** A speaker, and what it is made of. */
export interface Found extends Speaker {
  /** As `loadModel` takes it. */
  readonly model: string;
  readonly template?: 'chat' | 'alpaca';
  /** The folder of the adapter, absolute. */
  readonly adapter?: string;
  /** The wording of the run's method for judgments; absent for the template's own. */
  readonly wording?: string;
}

/** Each base once, the adapters behind their base; the default model is always there. */
export async function findSpeakers(project: Project): Promise<Found[]> {
  const { runs } = await project.runs();
  const found = (await Promise.all([...runs].sort().map((dir) => ofRun(project, dir)))).flat();
  const seen = new Set<string>();
  const once = [...found, defaultSpeaker].filter(({ adapter, model, template }) => {
    const key = JSON.stringify([model, template]);
    return adapter !== undefined || seen.size < seen.add(key).size;
  });
  const order = [...seen];
  const place = ({ model, template }: Found): number => order.indexOf(JSON.stringify([model, template]));
  return once.sort((a, b) => place(a) - place(b));
}

/** @throws ApiError 404 where nobody goes by this id */
export async function speakerOf(project: Project, id: string): Promise<Found> {
  const run = /^(?:run|base):(.+)$/s.exec(id)?.[1];
  const all = run === undefined ? [defaultSpeaker] : await ofRun(project, await project.runFolder(run));
  const found = all.find((one) => one.id === id);
  if (found === undefined) throw new ApiError(404, `There is no model ${id} here.`, { code: 'no_model' });
  return found;
}

/** What of it the page is told. */
export const shown = ({ id, title, base, run, lambda }: Found): Speaker =>
  ({ id, title, base, run, lambda });

const defaultSpeaker: Found = { id: 'default', title: DEFAULT_MODEL, base: DEFAULT_MODEL, model: DEFAULT_MODEL };

async function ofRun(project: Project, dir: string): Promise<Found[]> {
  const recipe = await sectionIn(join(dir, 'recipe.yaml'));
  if (recipe === undefined || !['train', 'align'].includes(jobOf(recipe))) return [];
  const run = project.named(dir);
  const { model: named = DEFAULT_MODEL, template, method } = recipe;
  if (typeof named !== 'string') return [];
  // A path of the recipe begins where the run was started.
  const path = resolve(startedIn(dir, isSection(recipe['run']) ? recipe['run']['dir'] : undefined) ?? project.folder, named);
  const there = existsSync(path);
  const base = there ? basename(path) : named;
  const about: Pick<Found, 'base' | 'model' | 'template' | 'lambda' | 'wording'> = {
    base, model: there ? path : (findKnown(named)?.name ?? named), ...cutOf(method),
    ...(template === 'chat' || template === 'alpaca' ? { template } : {}),
  };
  const adapter = join(dir, 'adapter');
  return [
    { ...about, id: `base:${run}`, title: base },
    ...(existsSync(join(adapter, ADAPTER_CONFIG)) ? [{ ...about, id: `run:${run}`, title: run, run, adapter }] : []),
  ];
}

/** What CUT's options say of how tokens are marked. */
function cutOf(method: unknown): Pick<Found, 'lambda' | 'wording'> {
  if (!isSection(method) || method['name'] !== 'cut') return {};
  const { lambda, judgment } = method;
  return { ...(typeof lambda === 'number' && { lambda }), ...(typeof judgment === 'string' && { wording: judgment }) };
}
