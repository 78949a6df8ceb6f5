/** What the runs of a sweep came to: for each setting and measurement a mean over the seeds, with its interval. */
import { measurementOf, middle } from '../run/report/measurements.js';
import { measuredOf } from '../run/report/summary.js';
import { meanOfFew } from '../run/student.js';
import { type Axis, SEED, titlesOf } from './grid.js';
import type { SweptRun } from './run.js';

/** A number over the seeds of a setting. */
export interface OverSeeds {
  readonly mean: number;
  /** The 95 % interval; absent where one seed alone has the number. */
  readonly low?: number;
  readonly high?: number;
  /** One value for each seed, in the order of the runs. */
  readonly values: readonly number[];
}

/** A measurement of a setting. */
export interface SettingOutcome {
  /** On held-out rows before training; absent where nothing was held out, and of what is known of a whole run alone, such as its time. */
  readonly before?: OverSeeds;
  readonly after: OverSeeds;
  /** The paired change from each run's summary; where a summary has none, after minus before. */
  readonly change?: OverSeeds;
}

/** A combination of values, over its seeds. */
export interface Setting {
  /** The names of the values by key, without the seed. */
  readonly values: Readonly<Record<string, string>>;
  /** The same for people: `lambda=1.2`; of a sweep over seeds alone `all runs`. */
  readonly name: string;
  readonly runs: readonly SweptRun[];
  /** Runs that have finished. */
  readonly finished: number;
  /** By the measurement's name, in the order of the summaries: a job names its chief one first. */
  readonly outcomes: Readonly<Record<string, SettingOutcome>>;
}

/** The settings in the order of their runs. */
export function settingsOf(runs: readonly SweptRun[], axes: readonly Pick<Axis, 'key'>[]): Setting[] {
  const varied = axes.filter(({ key }) => key !== SEED);
  const titles = titlesOf(axes).filter((_, i) => axes[i]!.key !== SEED);
  const groups = new Map<string, SweptRun[]>();
  for (const run of runs) {
    const key = JSON.stringify(varied.map((axis) => run.values[axis.key]));
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  return [...groups.values()].map((group): Setting => {
    const values = Object.fromEntries(varied.map(({ key }) => [key, group[0]!.values[key]!]));
    const finished = group.filter(({ summary }) => summary !== undefined);
    return {
      values, runs: group, finished: finished.length,
      name: varied.map(({ key }, i) => `${titles[i]!}=${values[key]!}`).join(', ') || 'all runs',
      outcomes: outcomesOf(finished.map(({ summary }) => ({ ...summary! }))),
    };
  });
}

interface Numbers { readonly before?: number | undefined; readonly after: number; readonly change?: number | undefined }

/** The measurements of one run: on held-out rows, then the plain numbers of its summary. */
function numbersOf(summary: Readonly<Record<string, unknown>>): Map<string, Numbers> {
  const found = new Map<string, Numbers>();
  for (const { name, before, after, change } of measuredOf(summary)) {
    const [was, is] = [middle(before), middle(after)];
    if (is === undefined) continue;
    found.set(name, { before: was, after: is, change: middle(change) ?? (was === undefined ? undefined : is - was) });
  }
  for (const [name, value] of Object.entries(summary)) {
    if (typeof value === 'number' && Number.isFinite(value) && !found.has(name)) found.set(name, { after: value });
  }
  return found;
}

function outcomesOf(summaries: readonly Readonly<Record<string, unknown>>[]): Record<string, SettingOutcome> {
  const all = summaries.map(numbersOf);
  const names = new Set(all.flatMap((one) => [...one.keys()]));
  return Object.fromEntries([...names].map((name) => {
    const runs = all.flatMap((one) => one.get(name) ?? []);
    const isShare = measurementOf(name).share === true;
    const over = (of: (one: Numbers) => number | undefined, least: number): OverSeeds | undefined =>
      overSeeds(runs.flatMap((one) => of(one) ?? []), isShare ? [least, 1] : [-Infinity, Infinity]);
    return [name, {
      before: over(({ before }) => before, 0), after: over(({ after }) => after, 0)!, change: over(({ change }) => change, -1),
    }];
  }));
}

/** @param bounds The least and the greatest value there can be: the interval of few shares could reach beyond. */
function overSeeds(values: readonly number[], bounds: readonly [number, number]): OverSeeds | undefined {
  if (values.length === 0) return undefined;
  if (values.length === 1) return { mean: values[0]!, values };
  const { mean, low, high } = meanOfFew(values, bounds);
  return { mean, low, high, values };
}

/**
 * The measurement that a sweep is about: the first one before and after in any setting; where nothing was held out, the loss of the last
 * step.
 */
export function chiefOf(settings: readonly Setting[]): string | undefined {
  const names = settings.flatMap(({ outcomes }) => Object.entries(outcomes));
  return (names.find(([, { before }]) => before !== undefined) ?? names.find(([name]) => name === 'loss') ?? names[0])?.[0];
}

/** The names of all measurements, in the order of the summaries. */
export const measurementsIn = (settings: readonly Setting[]): string[] =>
  [...new Set(settings.flatMap(({ outcomes }) => Object.keys(outcomes)))];

/** A measurement in words: "accuracy (higher is better)". */
export function describeMeasurement(name: string): string {
  const { title, better } = measurementOf(name);
  const words = title === name ? name : `${title} (${name})`;
  return better === undefined ? words : `${words}, ${better} is better`;
}
