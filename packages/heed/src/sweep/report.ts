/** What a sweep leaves beside its runs: a table as `sweep.csv` and a page as `sweep.html`. */
import { basename, join, resolve } from 'node:path';

import { UserError, nearest } from '../errors.js';
import { atomicWrite } from '../run/files.js';
import { type Setting, chiefOf, measurementsIn, settingsOf } from './outcomes.js';
import { sweepPage } from './page.js';
import type { SweepPlan } from './plan.js';
import { type SweptRun, summaryOf } from './run.js';
import { sweepCsv } from './table.js';

/** A sweep in numbers. */
export interface SweepReport {
  readonly settings: readonly Setting[];
  /** The measurements that are shown first. */
  readonly chosen: readonly string[];
  /** A line for each measurement that was asked for and that no run has. */
  readonly missing: readonly string[];
  /** The same in words, and what is to be known of a loss that each setting measures in its own way. */
  readonly notes: readonly string[];
  /** Absolute. */
  readonly csv: string;
  readonly page: string;
}

/** Measurements that no run has, once there is a run that has any. */
function missingIn(settings: readonly Setting[], wanted: readonly string[]): string[] {
  const all = measurementsIn(settings);
  return all.length === 0 ? [] : wanted.filter((name) => !all.includes(name));
}

function describeMissing(name: string, all: readonly string[]): string {
  const near = nearest(name, all);
  return `No run has a measurement "${name}"${near === undefined ? '.' : `; did you mean "${near}"?`} There are ${all.join(', ')}.`;
}

/**
 * Refuses measurements that no run will have, as far as that is known before anything runs: what a setting measures is known once one of
 * its runs has finished.
 *
 * @throws UserError that names the nearest
 */
export async function requireMeasurements({ grid: { axes }, runs }: SweepPlan, wanted: readonly string[]): Promise<void> {
  const swept = await Promise.all(runs.map(async ({ point: { name, values }, dir }): Promise<SweptRun> => (
    { name, values, dir, state: 'waiting', summary: await summaryOf(dir) }
  )));
  const settings = settingsOf(swept, axes);
  if (settings.some(({ finished }) => finished === 0)) return;
  const [name] = missingIn(settings, wanted);
  if (name !== undefined) throw new UserError(`--metric: ${describeMissing(name, measurementsIn(settings))}`);
}

/** @param wanted Measurements by name. Default: the one that the sweep is about. */
export async function writeSweepReport(
  { dir, grid: { axes } }: SweepPlan, runs: readonly SweptRun[], wanted: readonly string[],
): Promise<SweepReport> {
  const settings = settingsOf(runs, axes);
  const all = measurementsIn(settings);
  const known = wanted.filter((name) => all.includes(name));
  const missing = missingIn(settings, wanted);
  const chief = chiefOf(settings);
  const chosen = known.length > 0 || chief === undefined ? known : [chief];
  const notes = missing.map((name) => describeMissing(name, all));
  const ofLoss = axes.filter(({ key }) => /^method\b/.test(key)).map(({ key }) => key);
  if (chosen.includes('loss') && ofLoss.length > 0)
    notes.push(`The loss itself follows from ${ofLoss.join(' and ')}: compare settings by another measurement, with --metric.`);
  const [csv, page] = [resolve(join(dir, 'sweep.csv')), resolve(join(dir, 'sweep.html'))];
  await atomicWrite(csv, sweepCsv(settings, axes));
  await atomicWrite(page, sweepPage({
    name: basename(resolve(dir)), axes, settings, chosen, notes, others: all.filter((name) => !chosen.includes(name)),
  }));
  return { settings, chosen, missing, notes, csv, page };
}
