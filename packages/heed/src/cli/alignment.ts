/** One alignment run from a recipe file, as `heed align` and `heed quickstart` do it. */
import type { Estimate } from '../run/statistics.js';
import type { AnswerReport, Fluency } from '../evaluate/answers.js';
import { describeJudge } from '../judge/open.js';
import { type Aligned, alignOnline, finishAlignment } from '../loop/online.js';
import { AlignRecipe } from '../loop/recipe.js';
import { openRun } from '../run/folder.js';
import { percent, withInterval } from '../run/numbers.js';
import { createProgress } from '../run/progress.js';
import { megabytes } from '../run/report/format.js';
import { loadRecipe } from '../run/recipe.js';
import { onInterrupt } from '../run/signals.js';
import type { Output } from './output.js';
import { table } from './output.js';

/** What `summary.json` of an alignment run holds; the method's own name stands for the model after it. */
export interface AlignmentSummary {
  readonly run: string;
  readonly report: string;
  readonly method: string;
  /** What the model is called before: `base`, or `before` where it goes on from an adapter. */
  readonly first: 'base' | 'before';
  readonly metric: string;
  readonly base: Estimate;
  readonly after: Estimate;
  readonly findings: { readonly base: Estimate; readonly after: Estimate };
  readonly fluency: { readonly base: Fluency; readonly after: Fluency };
  readonly iterations: Aligned['iterations'];
  readonly seconds: number;
  /** MiB. */
  readonly peakRssMb: number;
  readonly resumedFrom?: number;
}

export interface AlignmentJob {
  readonly file: string;
  readonly overrides: readonly string[];
  readonly resume: boolean;
  readonly overwrite: boolean;
  readonly out: Output;
}

export async function runAlignment({ file, overrides, resume, overwrite, out }: AlignmentJob): Promise<AlignmentSummary> {
  const started = performance.now();
  const { recipe, text } = await loadRecipe(file, overrides, AlignRecipe);
  const run = await openRun(recipe.run.dir, { recipe: text, resume, overwrite });
  const interrupt = onInterrupt();
  try {
    const { before, after, iterations, peakRssMb, resumedFrom } = await alignOnline(recipe, run, { progress: createProgress(), interrupt, say: (line) => out.note(line) });
    const method = recipe.method.name as string;
    const first = 'from' in recipe.adapter ? 'before' : 'base';
    const summary = {
      metric: `share of held-out answers that satisfy ${describeJudge(recipe.evaluate.judge ?? recipe.judge)}`,
      [first]: before.satisfied!, [method]: after.satisfied!,
      findings: { [first]: findingsOf(before), [method]: findingsOf(after) },
      fluency: { [first]: before.fluency, [method]: after.fluency },
      iterations, seconds: Math.round((performance.now() - started) / 100) / 10, peakRssMb,
      ...(resumedFrom === undefined ? {} : { resumedFrom }),
    };
    const report = await finishAlignment(run, summary);
    return {
      run: run.dir, report, method, first, metric: summary.metric, base: before.satisfied!, after: after.satisfied!,
      findings: { base: findingsOf(before), after: findingsOf(after) }, fluency: { base: before.fluency, after: after.fluency },
      iterations, seconds: summary.seconds, peakRssMb, ...(resumedFrom === undefined ? {} : { resumedFrom }),
    };
  } finally {
    interrupt.dispose();
    await run.close();
  }
}

/** A reward that names no places finds nothing. */
const findingsOf = ({ findings, value }: AnswerReport): Estimate => findings ?? { mean: 0, low: 0, high: 0, n: value.n };

/** The before/after table of one or more runs from the same base. */
export function renderAlignment(results: readonly AlignmentSummary[]): string {
  const first = results[0]!;
  const row = (name: string, satisfied: Estimate, findings: Estimate, fluency: Fluency): string[] => [
    name, withInterval(satisfied, percent), withInterval(findings, (x) => x.toFixed(2)), String(fluency.medianWords), percent(fluency.unfinished), fluency.distinct2.toFixed(2), fluency.logprobPerToken.toFixed(2),
  ];
  return [
    '',
    table([
      [`${first.base.n} held-out prompts`, 'satisfy the judge', 'findings an answer', 'words', 'cut off', 'distinct-2', 'log p a token (base)'],
      row(first.first, first.base, first.findings.base, first.fluency.base),
      ...results.map((r) => row(r.method, r.after, r.findings.after, r.fluency.after)),
    ]),
    '',
    'in brackets: 95 % intervals',
    `time ${first.seconds.toFixed(0)} s, peak memory ${megabytes(first.peakRssMb)}`,
    `report:  ${first.report}`,
    `talk to it:  npx heed chat --adapter ${first.run}/adapter --compare`,
  ].join('\n');
}
