/** One alignment run from a recipe file, as `heed align` and `heed quickstart` do it: the job, and its table for people. */
import { type AlignSummary, runAlignment } from '../loop/align-job.js';
import { ALIGN_FREE, loadAlignRecipe } from '../loop/align-recipe.js';
import { describeReturn } from '../loop/record.js';
import { describeAlarm } from '../loop/alarms.js';
import { openRun } from '../run/folder.js';
import type { Measured } from '../run/job.js';
import { percent, withInterval } from '../run/numbers.js';
import { createProgress } from '../run/progress.js';
import { megabytes } from '../run/report/format.js';
import { directionOf, measurementOf } from '../run/report/measurements.js';
import { onInterrupt } from '../run/signals.js';
import type { Output } from './output.js';
import { shellWord, table } from './output.js';

export interface AlignmentJob {
  readonly file: string;
  readonly overrides: readonly string[];
  readonly resume: boolean;
  readonly overwrite: boolean;
  readonly out: Output;
}

/** The summary of an alignment, and the folder that the run is in. */
export type Aligned = AlignSummary & { readonly run: string };

export async function align({ file, overrides, resume, overwrite, out }: AlignmentJob): Promise<Aligned> {
  const { recipe, text, notes = [] } = await loadAlignRecipe(file, overrides);
  for (const note of notes) out.note(note);
  const run = await openRun(recipe.run.dir, { recipe: text, resume, overwrite, free: ALIGN_FREE });
  if (resume && !run.resuming) out.note(`There is no run in ${recipe.run.dir} to go on with: it begins.`);
  const interrupt = onInterrupt();
  try {
    const summary = await runAlignment(recipe, run, { progress: createProgress(), interrupt, say: (line) => out.note(line) });
    return { run: run.dir, ...summary };
  } finally {
    interrupt.dispose();
    await run.close();
  }
}

/** The columns of the table: a measurement's name, its heading, and how it is written. */
const COLUMNS: readonly (readonly [string, string, (x: number) => string])[] = [
  ['satisfied', 'satisfy the reward', percent],
  ['value', 'reward', (x) => x.toPrecision(3)],
  ['findings', 'findings an answer', (x) => x.toFixed(2)],
  ['medianWords', 'words', String],
  ['unfinished', 'cut off', percent],
  ['distinct2', 'distinct-2', (x) => x.toFixed(2)],
  ['logprobPerToken', 'log p a token (base)', (x) => x.toFixed(2)],
];

const show = (measured: Measured | undefined, write: (x: number) => string): string => {
  if (measured === undefined) return '-';
  return typeof measured === 'number' ? write(measured) : withInterval(measured, write);
};

/** The table of one or more runs from the same beginning: a line before, and a line after each. */
export function renderAlignment(results: readonly Aligned[]): string {
  const first = results[0]!;
  const there = COLUMNS.filter(([name]) => name in first.before);
  const line = (name: string, measured: Aligned['before']): string[] => [
    name,
    ...there.map(([key, , write]) => show(measured[key], write)),
  ];
  return [
    '',
    table([
      [`${first.heldOut} held-out prompts`, ...there.map(([, heading]) => heading)],
      ['', ...there.map(([name]) => directionOf(measurementOf(name)) ?? '')],
      line('before', first.before),
      ...results.map(({ method, after }) => line(method, after)),
    ]),
    '',
    'in brackets: 95 % intervals',
    ...results.flatMap(({ alarms, wentBack }) => [...alarms.map(describeAlarm), ...(wentBack ? [describeReturn(wentBack)] : [])]),
    `time ${first.seconds.toFixed(0)} s, peak memory ${megabytes(first.peakRssMb)}`,
    `report:  ${first.run}/report.html`,
    `talk to it:  npx heed chat --adapter ${shellWord(first.run)} --compare`,
  ].join('\n');
}
