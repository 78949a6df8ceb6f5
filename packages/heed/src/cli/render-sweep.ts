/** A sweep in the terminal. */
import { join } from 'node:path';

import { clock, size } from '../run/numbers.js';
import type { ForeseenRun } from '../sweep/foresee.js';
import { titlesOf } from '../sweep/grid.js';
import { describeMeasurement } from '../sweep/outcomes.js';
import type { SweepPlan } from '../sweep/plan.js';
import type { SweepReport } from '../sweep/report.js';
import type { SweptRun } from '../sweep/run.js';
import { tableOf } from '../sweep/table.js';
import { table } from './output.js';

/** A table for each chosen measurement, then what failed, then where the rest is. */
export function renderSweep(
  { grid: { axes } }: SweepPlan, runs: readonly SweptRun[], { settings, chosen, csv, page }: SweepReport,
): string {
  const failed = runs.filter(({ state }) => state === 'failed');
  return [
    ...chosen.flatMap((name) => ['', describeMeasurement(name), table(tableOf(settings, axes, name))]), '',
    'in brackets: 95 % intervals over seeds (Student\'s t)',
    ...failed.map(({ name, error }) => `failed: ${name}: ${error!}`),
    `table: ${csv}`,
    `page:  ${page}`,
  ].join('\n');
}

const STATES: Readonly<Record<ForeseenRun['state'], string>> = {
  finished: 'finished', waiting: 'to run', running: 'goes on', stopped: 'goes on', failed: 'failed, runs again',
};

/** What a sweep would do. @param kept How many results the runs share already. */
export function renderForesight({ dir, grid: { axes, settings } }: SweepPlan, runs: readonly ForeseenRun[], kept: number): string {
  const left = runs.filter(({ state }) => state !== 'finished');
  const secondsOf = ({ seconds, foresight }: ForeseenRun): number | undefined =>
    seconds ?? (foresight !== undefined && 'minutes' in foresight ? 60 * foresight.minutes : undefined);
  const lines = runs.map((run): string[] => {
    const { name, values, state, foresight, rows, steps } = run;
    const seconds = secondsOf(run);
    const time = seconds === undefined ? '–' : clock(seconds);
    const own = [name, STATES[state], ...axes.map(({ key }) => values[key]!)];
    const counts = (numbers: readonly (number | undefined)[]): string[] => numbers.map((n) => (n === undefined ? '–' : String(n)));
    if (foresight === undefined || 'unknown' in foresight) return [...own, ...counts([rows, steps]), time, '–'];
    const { memory } = foresight;
    const needs = `${size(memory.needed.total)}${memory.fits ? '' : ', more than there is'}`;
    return [...own, ...counts([foresight.rows, foresight.steps]), time, needs];
  });
  const unknown = new Set(left.flatMap(({ foresight }) => (foresight !== undefined && 'unknown' in foresight ? [foresight.unknown] : [])));
  const times = left.map(secondsOf);
  const total = times.reduce<number | undefined>((sum, one) => (sum === undefined || one === undefined ? undefined : sum + one), 0);
  const whole = total === undefined || left.length === 0 ? '' : `: about ${clock(total)}`;
  const inAll = settings.filter((one) => typeof one === 'string');
  return [
    table([['run', 'state', ...titlesOf(axes), 'rows', 'steps', 'time', 'memory'], ...lines]), '',
    ...(inAll.length === 0 ? [] : [`In every run: ${inAll.join(' ')}`]),
    ...differences(runs),
    `${runs.length} runs in ${dir}, ${left.length} of them to run${whole}`,
    `Shared: what runs have in common is found once, and kept in ${join(dir, 'shared')}; ${kept} results are there.`,
    ...[...unknown].map((why) => `Not foreseen: ${why}.`),
    'Times are those of two cores, or of the finished runs of this sweep.',
  ].join('\n');
}

/** Differences between recipes and the first one, other than the varied keys; each once, with all its runs. */
function differences(runs: readonly ForeseenRun[]): string[] {
  const names = new Map<string, string[]>();
  for (const { name, differs } of runs)
    if (differs.length > 0) names.set(differs.join(', '), [...(names.get(differs.join(', ')) ?? []), name]);
  return [...names].map(([what, of]) => `Also otherwise than in ${runs[0]!.name}: ${what} (${of.join('; ')})`);
}
