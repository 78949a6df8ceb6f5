/** What a run's `summary.json` says, for the page. */
import { named, words } from '../run/report/format.js';
import { isInterval, isSection, measurementOf } from '../run/report/measurements.js';
import { measuredOf, verdict } from '../run/report/summary.js';
import type { Fact, Measurement, Value } from './api.js';

export type SummaryFile = Readonly<Record<string, unknown>>;

function valueOf(given: unknown): Value | undefined {
  if (isInterval(given)) return { mean: given.mean, low: given.low, high: given.high, n: given.n };
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

/** Shown in places of their own; what a judge's labels measure is on the page Judges. */
const ELSEWHERE = ['metric', 'before', 'after', 'change', 'rounds', 'compared', 'job', 'method', 'model', 'measures', 'asking'];

/** The other entries of a summary, in words: a line, or one for each part. */
export function factsOf(summary: SummaryFile): Fact[] {
  return Object.entries(summary)
    .filter(([key, value]) => value !== null && value !== undefined && !ELSEWHERE.includes(key))
    .map(([key, value]) => {
      const { name, text } = named(key, value);
      const lines = linesOf(value);
      return { name, lines: lines.length === 0 ? [text] : lines };
    });
}

/** The parts of a list of objects or of an object; none of anything else. */
function linesOf(value: unknown): string[] {
  if (Array.isArray(value) && value.some(isSection)) return value.map(lineOf);
  if (!isSection(value) || isInterval(value)) return [];
  return Object.entries(value).map(([key, part]) => `${words(key)}: ${named('', part).text}`);
}

/** What was checked, and whether it holds, as the quickstart's summary says it. */
function lineOf(one: unknown): string {
  const { what, holds } = isSection(one) ? one : {};
  return typeof what === 'string' && typeof holds === 'boolean' ? `${holds ? '✓' : '✗'} ${what}` : named('', one).text;
}
