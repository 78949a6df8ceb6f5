/** What a sweep will take: steps, time and memory of each run that has not finished. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { type Foresight, foresee } from '../loop/foresee.js';
import type { Summary } from '../run/job.js';
import { hasBegun, recipeChanges } from '../run/folder.js';
import { type RunState, holdSweep, statesIn } from './file.js';
import { SEED } from './grid.js';
import type { PlannedRun, SweepPlan } from './plan.js';
import { summaryOf } from './run.js';

/** A run and what it will take. */
export interface ForeseenRun {
  readonly name: string;
  /** The values of what varies, by key, as they were written. */
  readonly values: Readonly<Record<string, string>>;
  /** Other differences between its recipe and the first run's, `key: value there → value here`: defaults of another method, say. */
  readonly differs: readonly string[];
  /** `stopped`: it goes on from where it was. `failed`: it is tried again. */
  readonly state: RunState;
  /** Of a run that has finished: the rows that it learnt from, and its optimizer steps. */
  readonly rows?: number;
  readonly steps?: number;
  /** Of a run that has not finished. */
  readonly foresight?: Foresight;
  /** Seconds that it took, or that finished runs of the sweep took on average. */
  readonly seconds?: number;
}

/**
 * Checks a sweep and its data without running anything. Runs that differ by their seed alone are foreseen once.
 *
 * @param say Takes lines about rows that were skipped.
 * @throws UserError as `holdSweep` and a dry run of `heed train` do
 */
export async function foreseeSweep(plan: SweepPlan, say: (line: string) => void): Promise<readonly ForeseenRun[]> {
  await holdSweep(plan);
  const states = await statesIn(plan.dir);
  const { axes } = plan.grid;
  const summaries = await Promise.all(plan.runs.map(({ dir }) => summaryOf(dir)));
  const taken = summaries.flatMap((summary) => summary?.seconds ?? []);
  const usual = taken.length === 0 ? undefined : taken.reduce((a, b) => a + b) / taken.length;
  const foreseen = new Map<string, Foresight>();
  const runs: ForeseenRun[] = [];
  for (const [i, run] of plan.runs.entries()) {
    const summary: (Summary & { readonly steps?: number }) | undefined = summaries[i];
    const known = axes.map(({ key }) => key);
    const own = {
      name: run.point.name,
      values: Object.fromEntries(axes.map(({ key, values }) => [key, values.find(({ name }) => name === run.point.values[key])!.text])),
      differs: recipeChanges(plan.runs[0]!.recipe, run.recipe, [...known.filter((key) => key !== 'method'), 'method.name']),
    };
    if (summary !== undefined) {
      runs.push({ ...own, state: 'finished', rows: summary.rows, steps: summary.steps, seconds: summary.seconds });
      continue;
    }
    const before = states.get(own.name) === 'failed' ? 'failed' : 'stopped';
    const state = await hasBegun(run.dir) || before === 'failed' ? before : 'waiting';
    const setting = JSON.stringify(run.point.overrides.filter((one) => !one.startsWith(`${SEED}=`)));
    if (!foreseen.has(setting)) foreseen.set(setting, await foreseeRun(plan, run, say));
    runs.push({ ...own, state, foresight: foreseen.get(setting)!, ...(usual === undefined ? {} : { seconds: usual }) });
  }
  return runs;
}

async function foreseeRun({ file }: SweepPlan, { job, point, dir }: PlannedRun, say: (line: string) => void): Promise<Foresight> {
  if (job === 'align') return { unknown: 'how long the answers get, and so what it takes, is known only when it runs' };
  return foresee(file, say, [...point.overrides, `run.dir=${JSON.stringify(dir)}`]);
}

/** How many results a sweep's folder `shared` keeps. */
export const sharedResults = ({ dir }: SweepPlan): Promise<number> =>
  readdir(join(dir, 'shared')).then((names) => names.length, () => 0);
