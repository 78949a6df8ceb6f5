/** Labels data with respondents that are there: data → questions → rows and a report, in a run folder. */
import { rm } from 'node:fs/promises';
import { basename, resolve } from 'node:path';

import { stringify } from 'yaml';

import { at } from '../data/source.js';
import { describeUnused } from '../data/unused.js';
import { UserError } from '../errors.js';
import { waitingFor } from '../judge/human.js';
import { atomicWrite } from '../run/files.js';
import type { RunFolder } from '../run/folder.js';
import { type ClusterSummary, describeCluster } from '../run/cluster-log.js';
import type { Summary } from '../run/job.js';
import { Interrupted } from '../run/signals.js';
import { wordsToJudge } from '../text/fence.js';
import { answerPairs, answerSingles } from './answers.js';
import { openLabeler } from './index.js';
import type { LabelFailure, OutputRow } from './labelled.js';
import { withLeastMass } from './least-mass.js';
import type { Materials } from './labeler.js';
import { type Pair, readPairs, readPrompts, readSingles, type Single } from './material.js';

import { labelPage } from './page.js';
import type { ShownRow } from './page-rows.js';
import { labelFiles, type LabelRecipe } from './recipe.js';
import { type LabelReport, reasons } from './report.js';
import { addTotals, type CachedRespondent } from './usage.js';

export interface LabelTools {
  /** Who judges, with the store of the recipe. */
  readonly judge: CachedRespondent;
  /** Who writes the responses where the recipe has `answers`, with the same store. */
  readonly writer?: CachedRespondent;
  /** Whether the user asked to stop. */
  readonly stopped?: () => boolean;
  /** What the workers of a cluster did. Default: there are none. */
  readonly cluster?: () => ClusterSummary | undefined;
  /** Takes lines for people. Default: silent. */
  say?(line: string): void;
}

/** What `summary.json` of a labelling run holds. The judge is its `model`. */
export type LabelSummary = Summary & LabelReport & { readonly job: 'label' };

/**
 * Labels and writes `rows.jsonl`, further files that the labeler makes, `failures.jsonl`, `label-report.json`, `report.html` and
 * `summary.json` into the run folder. Nothing is written before everything is labelled: until then the store keeps every reply.
 *
 * @throws Interrupted when the run was stopped. The same command goes on with it.
 */
export async function labelRows(recipe: LabelRecipe, run: RunFolder, tools: LabelTools): Promise<LabelSummary> {
  const { judge, writer, stopped = () => false } = tools;
  const started = performance.now();
  const { name, ...options } = recipe.label;
  const labeler = await openLabeler(name);
  const files = labelFiles(labeler);
  const own = [recipe.data.path].flat().find((file) => files.some((made) => resolve(file) === resolve(run.path(made))));
  if (own !== undefined) {
    const fault = `The data ${own} lie where this run writes its own ${basename(own)}, which would replace them.`;
    throw new UserError(fault, ['Name another run.dir.']);
  }
  // Rows of another recipe must not lie beside this one while it is under way.
  if (!run.resuming) for (const made of files) await rm(run.path(made), { force: true });

  const prepared = await labeler.prepare?.(options);
  const { given, rows, skipped, unused, unanswered } = await gather(labeler.material, recipe, writer);
  for (const line of describeUnused(unused)) tools.say?.(line);
  const asked = recipe.leastMass === undefined ? judge : withLeastMass(judge, recipe.leastMass);
  const { rows: labelled, more = {}, failures: failed, measures } = await labeler.label(given, asked, options, prepared);
  if (stopped()) throw new Interrupted('Stopped. What was labelled is in the store; the same command goes on with it.');

  const failures = [...unanswered, ...failed];
  await writeLines(run, 'rows', labelled);
  for (const [made, lines] of Object.entries(more)) {
    if (!files.includes(`${made}.jsonl`)) throw new Error(`The labeler ${name} makes a file "${made}" that its "files" do not name.`);
    await writeLines(run, made, lines);
  }
  await writeLines(run, 'failures', failures.map(({ source, files: _, ...failure }) => ({ source: at(source), ...failure })));
  const report: LabelReport = {
    labeler: name, measures, judge: judge.name, answers: writer?.name,
    rows, labelled: rows - failures.length, skipped,
    failed: {
      rows: failures.length, share: failures.length / Math.max(1, rows), allowed: recipe.allowedFailures, reasons: reasons(failures),
    },
    waiting: await waitingFor(failures),
    speakToJudge: given.filter(speaksToJudge).length,
    asking: writer === undefined || writer === judge ? judge.usage : addTotals(judge.usage, writer.usage),
    seconds: Math.round((performance.now() - started) / 10) / 100,
  };
  await atomicWrite(run.path('label-report.json'), `${JSON.stringify(report, null, 2)}\n`);
  const cluster = tools.cluster?.();
  const made = {
    rows: shown(given, labelled, failed), failures,
    ...(cluster && { cluster: describeCluster({ workers: cluster.workers, lost: cluster }) }),
  };
  await atomicWrite(run.path('report.html'), labelPage(report, labeler, stringify(recipe), made));
  const peakRssMb = Math.round(process.resourceUsage().maxRSS / 1024);
  const summary: LabelSummary = { job: 'label', model: judge.name, ...report, peakRssMb, cluster };
  await run.writeSummary(summary);
  return summary;
}

/** Each row with the data that it was made of. A labeler may leave out rows that did not fail, such as ties; then the data are unknown. */
function shown(given: readonly (Pair | Single)[], rows: readonly OutputRow[], failures: readonly LabelFailure[]): ShownRow[] {
  const broken = new Set(failures.map(({ source }) => at(source)));
  const kept = given.filter(({ source }) => !broken.has(at(source)));
  return rows.map((row, i) => ({ row, given: kept.length === rows.length ? kept[i] : undefined }));
}

const writeLines = (run: RunFolder, name: string, lines: readonly OutputRow[]): Promise<void> =>
  atomicWrite(run.path(`${name}.jsonl`), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));

interface Gathered {
  /** What can be labelled. */
  readonly given: readonly (Pair | Single)[];
  /** Rows of the data, those that got no response included. */
  readonly rows: number;
  readonly skipped: number;
  /** Columns that nothing read. */
  readonly unused: readonly string[];
  /** Prompts that got no response to label. */
  readonly unanswered: readonly LabelFailure[];
}

/** Reads what is to be labelled; where the recipe has `answers`, reads prompts and has them answered. */
async function gather(material: keyof Materials, { data, answers }: LabelRecipe, writer: CachedRespondent | undefined): Promise<Gathered> {
  if (answers === undefined) {
    const { rows: given, skipped, unused } = material === 'pairs' ? await readPairs(data) : await readSingles(data);
    return { given, rows: given.length, skipped, unused, unanswered: [] };
  }
  if (writer === undefined) throw new UserError('No respondent was opened to answer the prompts.');
  const { rows: prompts, skipped, unused } = await readPrompts(data);
  const answer = material === 'pairs' ? answerPairs : answerSingles;
  const { rows: given, failures } = await answer(prompts, writer, answers);
  return { given, rows: prompts.length, skipped, unused, unanswered: failures };
}

/** Whether a response carries instructions to the judge. */
const speaksToJudge = (given: Pair | Single): boolean =>
  ('responses' in given ? given.responses : [given.completion]).some((text) => wordsToJudge(text) !== undefined);
