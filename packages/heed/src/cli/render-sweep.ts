/** A sweep in the terminal. */
import { clock, size } from '../run/numbers.js';
import type { ForeseenRun } from '../sweep/foresee.js';
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

/** What a sweep would do. */
export function renderForesight({ dir }: SweepPlan, runs: readonly ForeseenRun[]): string {
  const left = runs.filter(({ state }) => state !== 'finished');
  const secondsOf = ({ seconds, foresight }: ForeseenRun): number | undefined =>
    seconds ?? (foresight !== undefined && 'minutes' in foresight ? 60 * foresight.minutes : undefined);
  const lines = runs.map((run): string[] => {
    const { name, state, foresight } = run;
    const seconds = secondsOf(run);
    const time = seconds === undefined ? '–' : clock(seconds);
    if (foresight === undefined || 'unknown' in foresight) return [name, state, '–', time, '–'];
    const { steps, memory } = foresight;
    return [name, state, String(steps), time, `${size(memory.needed.total)}${memory.fits ? '' : ', more than there is'}`];
  });
  const unknown = new Set(left.flatMap(({ foresight }) => (foresight !== undefined && 'unknown' in foresight ? [foresight.unknown] : [])));
  const times = left.map(secondsOf);
  const total = times.reduce<number | undefined>((sum, one) => (sum === undefined || one === undefined ? undefined : sum + one), 0);
  const whole = total === undefined || left.length === 0 ? '' : `: about ${clock(total)}`;
  return [
    table([['run', 'state', 'steps', 'time', 'memory'], ...lines]), '',
    `${runs.length} runs in ${dir}, ${left.length} of them to run${whole}`,
    ...[...unknown].map((why) => `Not foreseen: ${why}.`),
    'Times are those of two cores, or of the finished runs of this sweep.',
  ].join('\n');
}
