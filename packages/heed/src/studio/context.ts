/** What every route of the studio works with. */
import { join } from 'node:path';

import { type Jobs, createJobs } from './jobs.js';
import type { LineCache } from './line-cache.js';
import { type Models, createModels } from './models.js';
import { type Project, openProject } from './project.js';
import type { SampleCache } from './samples.js';
import { type SeriesCache, createSeriesCache } from './series.js';
import type { Asked } from './state.js';

/** One studio: a project folder and what is known of it. A page that needs a store opens it by a path of `project.inside`. */
export interface StudioContext {
  readonly project: Project;
  readonly jobs: Jobs;
  readonly series: SeriesCache;
  readonly lines: LineCache;
  readonly samples: SampleCache;
  readonly asked: Asked;
  readonly models: Models;
  /** Aborted when the studio ends: streams are closed then. */
  readonly signal: AbortSignal;
  /** Takes what has gone wrong inside, for the terminal. */
  log(line: string): void;
}

/** How a studio is opened. */
export interface ContextOptions {
  readonly signal: AbortSignal;
  /** Default: nowhere. */
  log?(line: string): void;
  /** The command line of `heed`, for runs that are started. Default: this one. */
  readonly heed?: readonly string[];
}

/** @throws UserError where there is no such folder */
export async function openContext(
  folder: string, { signal, log = () => undefined, heed }: ContextOptions,
): Promise<StudioContext> {
  const project = await openProject(folder);
  return {
    project, jobs: createJobs(project, heed), series: createSeriesCache(), lines: new Map(), samples: new Map(), asked: new Map(),
    models: createModels(project, log), signal, log,
  };
}

/** The log of a run's steps. */
export const metricsOf = (dir: string): string => join(dir, 'metrics.jsonl');
