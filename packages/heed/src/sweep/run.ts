/** Runs what a sweep lacks. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { UserError } from '../errors.js';
import { runAlignment } from '../loop/align-job.js';
import { runTraining } from '../loop/train-job.js';
import { fileError } from '../run/files.js';
import { openRun } from '../run/folder.js';
import type { Hooks, Summary } from '../run/job.js';
import { hideKeys } from '../run/keys.js';
import { readKept } from '../run/json-file.js';
import { takeLock } from '../run/lock.js';
import { openShared } from '../run/shared-folder.js';
import { Interrupted } from '../run/signals.js';
import { Waiting } from '../run/waiting.js';
import { type RunState, type SweepFile, holdSweep, writeSweep } from './file.js';
import type { PlannedRun, SweepPlan } from './plan.js';

/** A run of a sweep, when the sweep has ended. */
export interface SweptRun {
  readonly name: string;
  readonly dir: string;
  /** The names of the values by key. */
  readonly values: Readonly<Record<string, string>>;
  readonly state: RunState;
  /** Of a finished run. */
  readonly summary?: Summary;
  /** Why it failed. */
  readonly error?: string;
}

/** How a sweep reports to its caller. */
export interface SweepHooks extends Hooks {
  /** Called with all runs after each one that has ended, and waited for. */
  onEnded?(runs: readonly SweptRun[]): Promise<void>;
}

/**
 * Runs the runs of a sweep that have not finished, one after the other, in this process. A run that was stopped or killed goes on where it
 * was; one that fails is left, and the next one begins. What runs have in common is found once, in the sweep's folder `shared`.
 *
 * @throws Interrupted where `hooks.interrupt` asked for it; the same sweep goes on later
 * @throws UserError where the folder holds another sweep, or another process works on it
 */
export async function runSweep(plan: SweepPlan, hooks: SweepHooks = {}): Promise<readonly SweptRun[]> {
  const { dir, runs } = plan;
  const { say = () => undefined, interrupt, onEnded, ...others } = hooks;
  await mkdir(dir, { recursive: true }).catch((error: unknown) => { throw fileError(error, dir); });
  const unlock = await takeLock(join(dir, 'sweep.lock'));
  try {
    const file = await holdSweep(plan);
    const swept: SweptRun[] = await Promise.all(runs.map(async (run): Promise<SweptRun> => {
      const summary = await summaryOf(run.dir);
      const { name, values } = run.point;
      return { name, dir: run.dir, values, state: summary === undefined ? 'waiting' : 'finished', summary };
    }));
    const keep = async (i: number, now: Partial<SweptRun>): Promise<void> => {
      swept[i] = { ...swept[i]!, ...now };
      await writeSweep(dir, { ...file, runs: swept.map(lineOf) });
    };
    const left = swept.flatMap(({ state }, i) => (state === 'finished' ? [] : [i]));
    say(`${dir}: ${runs.length} runs, ${runs.length - left.length} of them finished.`);
    const inEach: Hooks = { ...others, interrupt, say, shared: openShared(join(dir, 'shared')) };
    for (const [nth, i] of left.entries()) {
      if (interrupt?.requested === true) throw stopped(plan);
      say(`run ${nth + 1} of ${left.length}: ${swept[i]!.name}`);
      await keep(i, { state: 'running' });
      const ended = await runOne(runs[i]!, inEach);
      await keep(i, ended);
      await onEnded?.(swept);
      if (ended.state === 'stopped') throw stopped(plan);
      if (ended.state === 'failed') say(`${swept[i]!.name} failed: ${ended.error!}`);
    }
    if (left.length === 0) await writeSweep(dir, { ...file, runs: swept.map(lineOf) });
    return swept;
  } finally {
    await unlock();
  }
}

const stopped = ({ dir }: SweepPlan): Interrupted => new Interrupted(`Stopped. The same command goes on with the sweep in ${dir}.`);

const lineOf = ({ name, state, error }: SweptRun): SweepFile['runs'][number] =>
  ({ name, state, ...(error === undefined ? {} : { error: hideKeys(error) }) });

/** The summary of a run that has finished. */
export async function summaryOf(dir: string): Promise<Summary | undefined> {
  const file = join(dir, 'summary.json');
  return existsSync(file) ? readKept<Summary>(file, `Remove ${dir} to have it run again.`) : undefined;
}

async function runOne(planned: PlannedRun, hooks: Hooks): Promise<Pick<SweptRun, 'state' | 'summary' | 'error'>> {
  const { dir, text, free } = planned;
  try {
    const run = await openRun(dir, { recipe: text, resume: true, free });
    try {
      const { job, recipe } = planned;
      await (job === 'train' ? runTraining(recipe, run, hooks) : runAlignment(recipe, run, hooks));
      return { state: 'finished', summary: await summaryOf(dir) };
    } finally {
      await run.close();
    }
  } catch (error) {
    if (error instanceof Interrupted) return { state: 'stopped' };
    if (error instanceof UserError) return { state: 'failed', error: [error.message, ...error.hints].join('\n  → ') };
    if (error instanceof Waiting)
      return { state: 'failed', error: `${error.message} A sweep does not wait for people: run this recipe by itself.` };
    if (error instanceof Error && error.name === 'CheckpointError') return { state: 'failed', error: error.message };
    // A fault of Heed, or memory that gave out. The stack helps with a report.
    return { state: 'failed', error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
