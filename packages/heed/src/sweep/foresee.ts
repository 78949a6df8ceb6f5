/** What a sweep will take: steps, time and memory of each run that has not finished. */
import { type Foresight, foresee } from '../loop/foresee.js';
import type { Summary } from '../run/job.js';
import { type RunState, holdSweep } from './file.js';
import { SEED } from './grid.js';
import type { PlannedRun, SweepPlan } from './plan.js';
import { summaryOf } from './run.js';

/** A run and what it will take. */
export interface ForeseenRun {
  readonly name: string;
  readonly state: RunState;
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
  const summaries = await Promise.all(plan.runs.map(({ dir }) => summaryOf(dir)));
  const taken = summaries.flatMap((summary) => summary?.seconds ?? []);
  const usual = taken.length === 0 ? undefined : taken.reduce((a, b) => a + b) / taken.length;
  const known = new Map<string, Foresight>();
  const runs: ForeseenRun[] = [];
  for (const [i, run] of plan.runs.entries()) {
    const { name } = run.point;
    const summary: Summary | undefined = summaries[i];
    if (summary !== undefined) {
      runs.push({ name, state: 'finished', seconds: summary.seconds });
      continue;
    }
    const setting = JSON.stringify(run.point.overrides.filter((one) => !one.startsWith(`${SEED}=`)));
    if (!known.has(setting)) known.set(setting, await foreseeRun(plan, run, say));
    runs.push({ name, state: 'waiting', foresight: known.get(setting)!, ...(usual === undefined ? {} : { seconds: usual }) });
  }
  return runs;
}

async function foreseeRun({ file }: SweepPlan, { job, point, dir }: PlannedRun, say: (line: string) => void): Promise<Foresight> {
  if (job === 'align') return { unknown: 'how long the answers get, and so what it takes, is known only when it runs' };
  return foresee(file, say, [...point.overrides, `run.dir=${JSON.stringify(dir)}`]);
}
