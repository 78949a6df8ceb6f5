/** What a run's `summary.json` says, for the page. */
import { named, words } from '../run/report/format.js';
import { isInterval, isSection, measurementOf } from '../run/report/measurements.js';
import { measuredOf, verdict } from '../run/report/summary.js';
import type { Measurement, Value } from './api.js';

export type SummaryFile = Readonly<Record<string, unknown>>;

function valueOf(given: unknown): Value | undefined {
  if (isInterval(given)) return { mean: given.mean, low: given.low, high: given.high, ...(given.n !== undefined && { n: given.n }) };
  return typeof given === 'number' ? { mean: given } : undefined;
}

/** The measurements on held-out rows, in the order of the summary: a job names its chief one first. */
export function measurementsOf(summary: SummaryFile): Measurement[] {
  return measuredOf(summary).map((measured) => {
    const { name, title, better } = measured;
    const [before, after, change] = [measured.before, measured.after, measured.change].map(valueOf);
    const { share } = measurementOf(name);
    return {
      name, title, ...(better && { better }), ...(share && { share }), ...(before && { before }), ...(after && { after }),
      ...(change && { change }), ...(before && after && { says: verdict(measured) }),
    };
  }).filter(({ before, after }) => before !== undefined || after !== undefined);
}

/** The measurement that a run is about: the first that was made before and after. */
export const chiefOf = (all: readonly Measurement[]): Measurement | undefined =>
  all.find(({ before, after }) => before !== undefined && after !== undefined);

const ELSEWHERE = ['metric', 'before', 'after', 'change', 'rounds', 'compared', 'job', 'method', 'model'];

/** The other entries of a summary, in words. */
export function factsOf(summary: SummaryFile): { name: string; text: string }[] {
  return Object.entries(summary)
    .filter(([key, value]) => value !== null && value !== undefined && !ELSEWHERE.includes(key))
    .map(([key, value]) => (isSection(value) ? { name: words(key), text: named('', value).text } : named(key, value)));
}
