/** What a sweep leaves beside its runs: a table as `sweep.csv` and a page as `sweep.html`. */
import { basename, join, resolve } from 'node:path';

import { nearest } from '../errors.js';
import { atomicWrite } from '../run/files.js';
import { type Setting, chiefOf, measurementsIn, settingsOf } from './outcomes.js';
import { sweepPage } from './page.js';
import type { SweepPlan } from './plan.js';
import type { SweptRun } from './run.js';
import { sweepCsv } from './table.js';

/** A sweep in numbers. */
export interface SweepReport {
  readonly settings: readonly Setting[];
  /** The measurements that are shown first. */
  readonly chosen: readonly string[];
  /** Said of measurements that were asked for and that no run has, and of a loss that each setting measures in its own way. */
  readonly notes: readonly string[];
  /** Absolute. */
  readonly csv: string;
  readonly page: string;
}

/** @param wanted Measurements by name. Default: the one that the sweep is about. */
export async function writeSweepReport(
  { dir, grid: { axes } }: SweepPlan, runs: readonly SweptRun[], wanted: readonly string[],
): Promise<SweepReport> {
  const settings = settingsOf(runs, axes);
  const all = measurementsIn(settings);
  const [known, unknown] = [wanted.filter((name) => all.includes(name)), wanted.filter((name) => !all.includes(name))];
  const chief = chiefOf(settings);
  const chosen = known.length > 0 || chief === undefined ? known : [chief];
  const notes = all.length === 0 ? [] : unknown.map((name) => {
    const near = nearest(name, all);
    return `No run has a measurement "${name}"${near === undefined ? '.' : `; did you mean "${near}"?`} There are ${all.join(', ')}.`;
  });
  const ofLoss = axes.filter(({ key }) => /^method\b/.test(key)).map(({ key }) => key);
  if (chosen.includes('loss') && ofLoss.length > 0)
    notes.push(`The loss itself follows from ${ofLoss.join(' and ')}: compare settings by another measurement, with --metric.`);
  const [csv, page] = [resolve(join(dir, 'sweep.csv')), resolve(join(dir, 'sweep.html'))];
  await atomicWrite(csv, sweepCsv(settings, axes));
  await atomicWrite(page, sweepPage({
    name: basename(resolve(dir)), axes, settings, chosen, notes, others: all.filter((name) => !chosen.includes(name)),
  }));
  return { settings, chosen, notes, csv, page };
}
