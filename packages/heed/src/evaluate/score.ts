/** Numbers of items, made one number with its error. */
import {
  type Estimate, type McNemar, bootstrapInterval, mcnemar, pairedDifference, proportionInterval,
} from '../run/statistics.js';
import type { Measures } from './tasks/task.js';

/** A metric over items: its mean with a 95 % interval, and its standard error as lm-evaluation-harness gives it. */
export interface Score extends Estimate {
  /** sd / √n with n − 1 in the deviation; over subjects, where there are some, pooled. Null of a single item. */
  readonly stderr: number | null;
}

/** Metrics whose values are not shares between 0 and 1. */
const UNBOUNDED: readonly string[] = ['value', 'findings'];
const boundsOf = (metric: string): { readonly bounds?: readonly [number, number] } =>
  (UNBOUNDED.includes(metric) ? {} : { bounds: [0, 1] });

const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const isVerdict = (value: number): boolean => value === 0 || value === 1;

/** Σ (x − mean)², the squared deviations. */
function deviations(values: readonly number[]): number {
  const mean = meanOf(values);
  return values.reduce((sum, x) => sum + (x - mean) ** 2, 0);
}

/**
 * The standard error of a mean over parts that are weighted by their size: with n values in k parts,
 * s² = Σ_parts Σ (x − mean of the part)² / (n − k), and the error is s/√n. With one part it is sd/√n.
 *
 * Source: lm-evaluation-harness, `lm_eval/api/metrics.py` (`mean_stderr`, `pooled_sample_stderr`).
 *
 * @returns null where there are no more values than parts
 */
export function standardError(parts: readonly (readonly number[])[]): number | null {
  const n = parts.reduce((sum, { length }) => sum + length, 0);
  const squares = parts.reduce((sum, values) => sum + deviations(values), 0);
  return n <= parts.length ? null : Math.sqrt(squares / (n - parts.length) / n);
}

/** Values in parts, by the group of each. */
function inParts(values: readonly number[], groups: readonly (string | undefined)[]): number[][] {
  const parts = new Map<string | undefined, number[]>();
  values.forEach((value, i) => {
    const part = parts.get(groups[i]);
    if (part === undefined) parts.set(groups[i], [value]);
    else part.push(value);
  });
  return [...parts.values()];
}

/** A measured item; `measures` is absent where it has no number. */
export interface MeasuredItem {
  readonly group?: string | undefined;
  readonly measures?: Measures;
}

/** The metrics of some items, in the order in which they first occur. */
export const metricsOf = (items: readonly MeasuredItem[]): string[] =>
  [...new Set(items.flatMap(({ measures }) => Object.keys(measures ?? {})))];

/** Each metric over the items that have it. */
export function scoresOf(items: readonly MeasuredItem[]): Record<string, Score> {
  return Object.fromEntries(metricsOf(items).map((metric) => {
    const own = items.filter(({ measures }) => measures?.[metric] !== undefined);
    const values = own.map(({ measures }) => measures![metric]!);
    const interval = values.every(isVerdict)
      ? proportionInterval(values.filter((value) => value === 1).length, values.length)
      : bootstrapInterval(values, { seed: 0, ...boundsOf(metric) });
    return [metric, { ...interval, stderr: standardError(inParts(values, own.map(({ group }) => group))) }];
  }));
}

/** The mean of each metric in each group, with the group's size; none where there are no groups. */
export function groupsOf(
  items: readonly MeasuredItem[], nameOf: (group: string) => string | undefined = (group) => group,
): Record<string, { readonly rows: number } & Measures> {
  const groups = new Map<string, MeasuredItem[]>();
  for (const item of items) {
    const name = item.group === undefined ? undefined : nameOf(item.group);
    if (name !== undefined) groups.set(name, [...(groups.get(name) ?? []), item]);
  }
  return Object.fromEntries([...groups].map(([name, own]) => {
    const means = metricsOf(own).map((metric) => [metric, meanOf(own.flatMap(({ measures }) => measures?.[metric] ?? []))]);
    return [name, { rows: own.length, ...Object.fromEntries(means) as Measures }];
  }));
}

/** What an adapter changed of a metric, item by item. */
export interface Change extends Estimate {
  /** For metrics whose values are 1 or 0. */
  readonly mcnemar?: McNemar;
}

/** What changed of each metric, over the items that have it both times: the mean difference with its paired 95 % bootstrap interval. */
export function changesOf(before: readonly MeasuredItem[], after: readonly MeasuredItem[]): Record<string, Change> {
  return Object.fromEntries(metricsOf(before).flatMap((metric) => {
    const pairs = before.flatMap(({ measures }, i) => {
      const [was, is] = [measures?.[metric], after[i]!.measures?.[metric]];
      return was === undefined || is === undefined ? [] : [[was, is] as const];
    });
    if (pairs.length === 0) return [];
    const [was, is] = [pairs.map(([one]) => one), pairs.map(([, other]) => other)];
    const bounds = UNBOUNDED.includes(metric) ? {} : { bounds: [-1, 1] as const };
    const change = pairedDifference(was, is, { seed: 0, ...bounds });
    if (!pairs.flat().every(isVerdict)) return [[metric, change]];
    return [[metric, { ...change, mcnemar: mcnemar(was.map(Boolean), is.map(Boolean)) }]];
  }));
}
