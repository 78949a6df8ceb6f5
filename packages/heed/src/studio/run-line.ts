/** A run as the list shows it. */
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';

import { sum } from 'simple-statistics';

import { nameOf, withoutRounding } from '../run/report/measurements.js';
import type { RunLine } from './api.js';
import type { StudioContext } from './context.js';
import type { Written } from './line-cache.js';
import { chiefOf, measurementsOf } from './measured.js';
import { jobOf, sectionIn } from './sections.js';
import type { Series } from './series.js';
import { stateOf } from './state.js';
import { thin } from './thin.js';

export { jobOf, sectionIn };

const SPARK_POINTS = 60;

const timeOf = async (file: string, which: 'mtimeMs' | 'birthtimeMs'): Promise<number | undefined> =>
  (await stat(file).catch(() => undefined))?.[which];

export async function runLine(context: StudioContext, dir: string): Promise<RunLine> {
  const path = (name: string): string => join(dir, name);
  const [{ summary, trained, ...written }, { status, reason, since }] = await Promise.all([
    writtenOf(context, dir), stateOf(dir, context.jobs, context.asked),
  ]);
  const last = (await timeOf(path('metrics.jsonl'), 'mtimeMs')) ?? (await timeOf(path('recipe.yaml'), 'mtimeMs')) ?? 0;
  // A copy is born later than its last line was written.
  let [start, end] = [Math.min((await timeOf(path('metrics.jsonl'), 'birthtimeMs')) ?? last, last - 1000 * trained), last];
  if (since !== undefined) [start, end] = [Date.parse(since), Date.now()];
  else if (typeof summary?.['seconds'] === 'number') {
    end = (await timeOf(path('summary.json'), 'mtimeMs')) ?? last;
    start = end - 1000 * summary['seconds'];
  }
  return {
    run: context.project.named(dir), ...written, status, ...(reason && { reason }),
    started: new Date(start).toISOString(), seconds: Math.max(0, Math.round((end - start) / 1000)),
  };
}

async function writtenOf({ series, lines }: StudioContext, dir: string): Promise<Written> {
  const path = (name: string): string => join(dir, name);
  const files = ['recipe.yaml', 'metrics.jsonl', 'summary.json', 'report.html'];
  const marks = await Promise.all(files.map(async (name) => {
    const info = await stat(path(name)).catch(() => undefined);
    return info === undefined ? '' : `${info.mtimeMs}/${info.size}/${info.ino}`;
  }));
  const key = marks.join(' ');
  const kept = lines.get(dir);
  if (kept?.key === key) return kept.written;
  const [recipe = {}, summary, logged] = await Promise.all([
    sectionIn(path('recipe.yaml')), sectionIn(path('summary.json')), series.of(path('metrics.jsonl')),
  ]);
  const [method, model] = [nameOf(recipe['method']) ?? nameOf(recipe['label']), nameOf(recipe['model'])];
  const heldOut = summary && chiefOf(measurementsOf(summary));
  const last = logged.columns.get('loss')?.value.findLast(Number.isFinite);
  const loss = typeof last === 'number' ? Number(withoutRounding(last, 1)) : undefined;
  const written: Written = {
    job: jobOf(recipe), ...(method && { method }), ...(model && { model }), steps: logged.steps, ...(loss !== undefined && { loss }),
    ...sparkOf(logged), ...(heldOut && { heldOut }), report: existsSync(path('report.html')), summary,
    trained: sum(logged.columns.get('seconds')?.value.filter(Number.isFinite) ?? []),
  };
  lines.set(dir, { key, written });
  return written;
}

function sparkOf({ columns }: Series): Pick<RunLine, 'spark' | 'sparkOf'> {
  const name = ['reward', 'loss'].find((one) => columns.get(one)?.value.some(Number.isFinite));
  if (name === undefined) return { spark: [] };
  const { y } = thin(columns.get(name)!, { points: SPARK_POINTS });
  return { spark: y.filter((value) => value !== null), sparkOf: name };
}
