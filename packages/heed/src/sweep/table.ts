/** The table of a sweep, for people and as CSV. */
import { csv } from '../run/csv.js';
import { measurementOf, writerOf } from '../run/report/measurements.js';
import { type Axis, SEED, titlesOf } from './grid.js';
import type { OverSeeds, Setting } from './outcomes.js';
import { measurementsIn } from './outcomes.js';

/** A number with its interval where it has one. Seeds that all give the same number have none to show. */
export function shown(value: OverSeeds | undefined, write: (x: number) => string): string {
  if (value === undefined) return '–';
  const { mean, low, high } = value;
  return low === undefined || high === undefined || low === high ? write(mean) : `${write(mean)} [${write(low)}, ${write(high)}]`;
}

/** Of one measurement: a line for each setting, under a head. The first columns are the values that vary. */
export function tableOf(settings: readonly Setting[], axes: readonly Pick<Axis, 'key'>[], name: string): string[][] {
  const varied = titlesOf(axes).filter((_, i) => axes[i]!.key !== SEED);
  const write = writerOf(measurementOf(name));
  const hasBefore = settings.some(({ outcomes }) => outcomes[name]?.before !== undefined);
  const head = [...varied, 'runs', ...(hasBefore ? ['before', 'after', 'change'] : [measurementOf(name).title])];
  const lines = settings.map(({ values, outcomes, finished, runs }) => {
    const { before, after, change } = outcomes[name] ?? {};
    const value = shown(after, write.value);
    const cells = hasBefore ? [shown(before, write.value), value, shown(change, write.difference)] : [value];
    return [...Object.values(values), finished === runs.length ? String(finished) : `${finished} of ${runs.length}`, ...cells];
  });
  return [head, ...lines];
}

/** Of several measurements as they were after training: a line for each setting, a column for each measurement. */
export function overview(settings: readonly Setting[], axes: readonly Pick<Axis, 'key'>[], names: readonly string[]): string[][] {
  const varied = titlesOf(axes).filter((_, i) => axes[i]!.key !== SEED);
  const cells = ({ outcomes }: Setting): string[] => names.map((name) => shown(outcomes[name]?.after, writerOf(measurementOf(name)).value));
  return [
    [...varied, ...names.map((name) => measurementOf(name).title)],
    ...settings.map((setting) => [...Object.values(setting.values), ...cells(setting)]),
  ];
}

/**
 * All measurements as a table for other programs (RFC 4180): a line for each setting and measurement. Columns: the keys that vary, the
 * measurement, the number of runs that have it, and of before, after and change the mean and the ends of the interval.
 */
export function sweepCsv(settings: readonly Setting[], axes: readonly Pick<Axis, 'key'>[]): string {
  const keys = axes.map(({ key }) => key).filter((key) => key !== SEED);
  const parts = ['before', 'after', 'change'] as const;
  const head = [...keys, 'measurement', 'runs', ...parts.flatMap((part) => [part, `${part} low`, `${part} high`])];
  const lines = settings.flatMap(({ values, outcomes }) => measurementsIn(settings).flatMap((name) => {
    const outcome = outcomes[name];
    if (outcome === undefined) return [];
    const numbers = parts.flatMap((part) => [outcome[part]?.mean, outcome[part]?.low, outcome[part]?.high]);
    return [[...keys.map((key) => values[key]), name, outcome.after.values.length, ...numbers]];
  }));
  return csv([head, ...lines]);
}
