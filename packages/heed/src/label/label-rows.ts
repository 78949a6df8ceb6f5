/** Labels data with respondents that are there: data → questions → rows and a report, in a run folder. */
import { rm } from 'node:fs/promises';
import { basename, resolve } from 'node:path';

import { stringify } from 'yaml';

import { at } from '../data/source.js';
import { UserError } from '../errors.js';
import type { Respondent } from '../judge/respondent.js';
import { type Principle, readPrinciples } from '../judge/principle-file.js';
import { atomicWrite } from '../run/files.js';
import { LABEL_FILES, type RunFolder } from '../run/folder.js';
import type { Summary } from '../run/job.js';
import { Interrupted } from '../run/signals.js';
import { wordsToJudge } from '../text/fence.js';
import { answerPairs, answerSingles } from './answers.js';
import { labelJudgments } from './judgments.js';
import type { Labelled, LabelFailure, Written } from './labelled.js';
import { withLeastMass } from './least-mass.js';
import { type Material, type Pair, readPairs, readQuestions, readSingles, type Single } from './material.js';
import { labelPage } from './page.js';
import { labelPreferences } from './preferences.js';
import { labelPrinciples } from './principles.js';
import { comparesPairs, type LabelOptions, type LabelRecipe } from './recipe.js';
import { type LabelMeasures, type LabelReport, reasons } from './report.js';
import { labelRevisions } from './revisions.js';
import { labelScores } from './scores.js';
import { addTotals, type CachedRespondent } from './usage.js';

export interface LabelTools {
  /** Who judges, with the store of the recipe. */
  readonly judge: CachedRespondent;
  /** Who writes the responses where the recipe has `answers`, with the same store. */
  readonly writer?: CachedRespondent;
  /** Whether the user asked to stop. */
  readonly stopped?: () => boolean;
}

/** What `summary.json` of a labelling run holds. The judge is its `model`. */
export type LabelSummary = Summary & LabelReport & { readonly job: 'label' };

/**
 * Labels and writes `rows.jsonl`, further files that the labeler makes, `failures.jsonl`, `label-report.json`, `report.html` and `summary.json` into the
 * run folder. Nothing is written before everything is labelled: until then the store keeps every reply.
 *
 * @throws Interrupted when the run was stopped. The same command goes on with it.
 */
export async function labelRows(recipe: LabelRecipe, run: RunFolder, { judge, writer, stopped = () => false }: LabelTools): Promise<LabelSummary> {
  const started = performance.now();
  const own = [recipe.data.path].flat().find((file) => LABEL_FILES.some((name) => resolve(file) === resolve(run.path(name))));
  if (own !== undefined) throw new UserError(`The data ${own} lie where this run writes its own ${basename(own)}, which would replace them.`, ['Name another run.dir.']);
  // Rows of another recipe must not lie beside this one while it is under way.
  if (!run.resuming) for (const name of LABEL_FILES) await rm(run.path(name), { force: true });
  const { label } = recipe;
  const principles = 'principles' in label && label.principles !== undefined ? await readPrinciples(label.principles, label.only) : [];
  const asked = recipe.leastMass === undefined ? judge : withLeastMass(judge, recipe.leastMass);
  const { labelled, rows, skipped, flagged, early } = await (comparesPairs(label) ? withPairs(recipe, asked, writer, principles) : withSingles(recipe, asked, writer, principles));
  if (stopped()) throw new Interrupted(`Stopped. What was labelled is in the store; the same command goes on with it.`);
  const failures = [...early, ...labelled.result.failures];

  const files: Readonly<Record<string, readonly Written[]>> = { rows: labelled.result.rows, ...labelled.result.more, failures: failures.map(({ source, ...failure }) => ({ source: at(source), ...failure })) };
  for (const [name, lines] of Object.entries(files)) await atomicWrite(run.path(`${name}.jsonl`), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const report: LabelReport = {
    ...labelled.measured,
    judge: judge.name, ...(writer === undefined ? {} : { answers: writer.name }),
    rows, labelled: rows - failures.length, skipped,
    failed: { rows: failures.length, share: failures.length / Math.max(1, rows), allowed: recipe.allowedFailures, reasons: reasons(failures) },
    speakToJudge: flagged,
    asking: writer === undefined || writer === judge ? judge.usage : addTotals(judge.usage, writer.usage),
    seconds: Math.round((performance.now() - started) / 10) / 100,
  };
  await atomicWrite(run.path('label-report.json'), `${JSON.stringify(report, null, 2)}\n`);
  await atomicWrite(run.path('report.html'), labelPage(report, stringify(recipe)));
  const peakRssMb = Math.round(process.resourceUsage().maxRSS / 1024);
  const summary: LabelSummary = { job: 'label', model: judge.name, ...report, peakRssMb };
  await run.writeSummary(summary);
  return summary;
}

interface Done {
  readonly labelled: { readonly result: Labelled<unknown>; readonly measured: LabelMeasures };
  readonly rows: number;
  readonly skipped: number;
  readonly flagged: number;
  readonly early: readonly LabelFailure[];
}

async function withPairs({ data, label, answers }: LabelRecipe, judge: Respondent, writer: Respondent | undefined, principles: readonly Principle[]): Promise<Done> {
  const { material, rows, skipped, early } = await gather(answers === undefined ? readPairs(data) : undefined, data, async (asked) => answerPairs(asked, writerOf(writer), answers!));
  return { labelled: await labelPairs(material, judge, label, principles), rows, skipped, early, flagged: material.filter(({ responses }) => responses.some(speaks)).length };
}

async function withSingles({ data, label, answers }: LabelRecipe, judge: Respondent, writer: Respondent | undefined, principles: readonly Principle[]): Promise<Done> {
  const { material, rows, skipped, early } = await gather(answers === undefined ? readSingles(data) : undefined, data, async (asked) => answerSingles(asked, writerOf(writer), answers!));
  return { labelled: await labelSingles(material, judge, label, principles), rows, skipped, early, flagged: material.filter(({ completion }) => speaks(completion)).length };
}

async function gather<T extends Pair | Single>(
  given: Promise<Material<T>> | undefined, data: LabelRecipe['data'], make: (questions: Awaited<ReturnType<typeof readQuestions>>['rows']) => Promise<{ rows: readonly T[]; failures: readonly LabelFailure[] }>,
): Promise<{ material: readonly T[]; rows: number; skipped: number; early: readonly LabelFailure[] }> {
  if (given !== undefined) {
    const { rows, skipped } = await given;
    return { material: rows, rows: rows.length, skipped, early: [] };
  }
  const { rows: questions, skipped } = await readQuestions(data);
  const { rows, failures } = await make(questions);
  return { material: rows, rows: questions.length, skipped, early: failures };
}

async function labelPairs(pairs: readonly Pair[], judge: Respondent, label: LabelOptions, principles: readonly Principle[]): Promise<Done['labelled']> {
  if (label.name === 'principles') {
    const result = await labelPrinciples(pairs, judge, label, principles);
    return { result, measured: { labeler: 'principles', measures: result.measures } };
  }
  const result = await labelPreferences(pairs, judge, label as LabelOptions & { name: 'preferences' });
  return { result, measured: { labeler: 'preferences', measures: result.measures } };
}

async function labelSingles(singles: readonly Single[], judge: Respondent, label: LabelOptions, principles: readonly Principle[]): Promise<Done['labelled']> {
  if (label.name === 'scores') {
    const result = await labelScores(singles, judge, label);
    return { result, measured: { labeler: 'scores', measures: result.measures } };
  }
  if (label.name === 'judgments') {
    const result = await labelJudgments(singles, judge, label);
    return { result, measured: { labeler: 'judgments', measures: result.measures } };
  }
  const revisions = label as LabelOptions & { name: 'revisions' };
  const result = await labelRevisions(singles, judge, revisions, principles);
  return { result, measured: { labeler: 'revisions', measures: result.measures } };
}

const speaks = (text: string): boolean => wordsToJudge(text) !== undefined;

function writerOf(writer: Respondent | undefined): Respondent {
  if (writer === undefined) throw new UserError('Nobody was opened to answer the prompts.');
  return writer;
}
