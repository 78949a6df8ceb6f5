/** `heed evaluate RECIPE`: the benchmarks of a recipe, and their table. */
import { BenchmarkRecipe } from '../evaluate/benchmark-recipe.js';
import { BENCHMARK_FILES, BENCHMARK_FREE, type BenchmarkSummary, type TaskSummary, runBenchmarks } from '../evaluate/benchmarks.js';
import type { Score } from '../evaluate/score.js';
import { type When, byWhom } from '../evaluate/when.js';
import { withModuleOptions } from '../reward/module-options.js';
import { openRun } from '../run/folder.js';
import { finePercent } from '../run/numbers.js';
import { createProgress } from '../run/progress.js';
import { loadRecipe } from '../run/recipe.js';
import { onInterrupt } from '../run/signals.js';
import { type Output, table } from './output.js';

/** Runs the recipe in its folder; one that was begun there goes on. */
export async function evaluateRecipe(
  file: string, overrides: readonly string[], { overwrite, out }: { readonly overwrite: boolean; readonly out: Output },
): Promise<void> {
  const { recipe, text } = await withModuleOptions(await loadRecipe(file, overrides, BenchmarkRecipe));
  const run = await openRun(recipe.run.dir, {
    recipe: text, resume: !overwrite, overwrite, free: BENCHMARK_FREE, files: BENCHMARK_FILES,
  });
  const interrupt = onInterrupt((line) => out.note(line.replace('after this step and saving', 'and keeping what was answered')));
  try {
    const summary = await runBenchmarks(recipe, run, { progress: createProgress(), interrupt, say: (line) => out.note(line) });
    const files = `items:   ${run.dir}/items.jsonl\nreport:  ${run.dir}/report.html`;
    out.result({ ...summary, run: run.dir }, `${renderBenchmarks(summary)}\n\n${files}`);
  } finally {
    interrupt.dispose();
    await run.close();
  }
}

const four = (x: number): string => x.toFixed(4);
const scored = (score: Score | undefined): string =>
  (score === undefined ? '–' : `${four(score.mean)} ± ${score.stderr === null ? '–' : four(score.stderr)}`);

/** A line for each metric of each task; parts of a task below it. */
export function renderBenchmarks({ tasks, after }: BenchmarkSummary): string {
  const both = after !== undefined;
  const lines = Object.entries(tasks).flatMap(([name, task]) => [...metricLines(name, task, both), ...fieldLines(task, both)]);
  return [
    table([['task', 'items', 'shots', 'metric', 'base', ...(both ? ['adapter', 'change, item by item'] : [])], ...lines]), '',
    `± is a standard error${both ? '; in brackets: 95 % intervals' : ''}`,
    ...Object.entries(tasks).flatMap(([name, task]) => remarks(name, task)),
  ].join('\n');
}

function metricLines(name: string, { rows, shots, before, after, change }: TaskSummary, both: boolean): string[][] {
  return Object.entries(before).map(([metric, base], i) => {
    const gain = change?.[metric];
    const signed = (x: number): string => (x > 0 ? `+${four(x)}` : four(x));
    const told = gain === undefined ? '–' : `${signed(gain.mean)}  [${signed(gain.low)}, ${signed(gain.high)}]`;
    const first = i === 0 ? [name, String(rows), String(shots)] : ['', '', ''];
    return [...first, metric, scored(base), ...(both ? [scored(after?.[metric]), told] : [])];
  });
}

function fieldLines({ fields }: TaskSummary, both: boolean): string[][] {
  return Object.entries(fields?.before ?? {}).flatMap(([field, { rows, ...means }]) =>
    Object.entries(means).map(([metric, mean]) => [
      `  ${field}`, String(rows), '', metric, four(mean), ...(both ? [four(fields?.after?.[field]?.[metric] ?? Number.NaN), ''] : []),
    ]));
}

/** What a reader must know of the numbers of a task. */
function remarks(name: string, { cut, rows, unfinished = {}, failures }: TaskSummary): string[] {
  return [
    ...(cut === 0 ? [] : [`${name}: the context of ${cut} of ${rows} items was cut at its head, to fit the model`]),
    ...Object.entries(unfinished).filter(([, share]) => share > 0)
      .map(([when, share]) => `${name}, ${byWhom(when as When)}: ${finePercent(share)} of the answers were cut off at maxNewTokens`),
    ...Object.entries(failures).flatMap(([when, counts]) => Object.entries(counts).map(([reason, n]) =>
      `${name}, ${byWhom(when as When)}: ${n} items without a number, ${reason}`)),
  ];
}
