/** What is made of a log: rows to train on, rows to hold out, and the recipe that learns from them. */
import { join } from 'node:path';
import type { Source } from '../data/source.js';
import { UserError } from '../errors.js';
import { atomicWrite } from '../run/files.js';
import type { Inspection } from './inspect.js';
import { type Fit, fitsOf, type KindRows, type LoggedRow, type LogKind, rowsOf } from './kinds.js';
import { Leaving, type LeftOut, linesOf } from './left-out.js';
import { type Group, groupFor, HELD_OUT, type Parts, partsOf } from './parts.js';
import { recipeOf } from './recipe.js';

/** How a plan is made; everything has a default. */
export interface PlanOptions {
  /** The method; default: the first that fits. */
  readonly method?: string;
  /** What stays together; default: conversations, else users, else dates. */
  readonly group?: Group;
  /** Share of the rows that is held out. */
  readonly eval?: number;
  readonly model?: string;
  /** Where the files go. */
  readonly folder: string;
  /** Where the run goes. */
  readonly runDir: string;
}

/** A plan: nothing of it is written yet. */
export interface StartPlan {
  readonly fits: readonly Fit[];
  readonly taken: Fit;
  readonly parts: Parts;
  /** All that is in neither part, by reason; those of the inspection too. */
  readonly leftOut: readonly LeftOut[];
  /** Answers that are called both good and bad. */
  readonly disputed: readonly Source[];
  /** Columns that may say how good an answer is, where nothing does: all answers are imitated then. Else undefined. */
  readonly unjudged?: readonly string[];
  /** Words of good and of bad answers, medians; absent where there are none of one. */
  readonly words: { readonly good?: number; readonly bad?: number };
  readonly files: { readonly train: string; readonly heldOut?: string; readonly recipe: string };
  readonly recipe: string;
  readonly runDir: string;
}

const KINDS: readonly LogKind[] = ['judged', 'refined', 'preference', 'labelled', 'scored', 'negative', 'conversation'];

/**
 * Plans what is made of a log.
 *
 * @throws UserError where nothing in it teaches a method, or the method that is asked for does not fit
 */
export async function planStart(log: Inspection, options: PlanOptions): Promise<StartPlan> {
  const silent = !(['vote', 'score', 'comment', 'demonstration'] as const).some((role) => log.columns.has(role));
  const kinds = new Map(KINDS.map((kind): [LogKind, KindRows] => [kind, once(rowsOf(log.answers, kind, silent))]));
  const fits = fitsOf(kinds);
  const taken = takenOf(fits, kinds, options.method, log);
  const made = kinds.get(taken.kind)!;
  const leaving = new Leaving();
  for (const { reason, sources } of [...log.leftOut, ...made.leftOut]) leaving.add(reason, sources);
  const { rows } = made;
  const parts = partsOf(rows, options.group ?? groupFor(rows), options.eval ?? HELD_OUT);
  const files = {
    train: join(options.folder, 'train.jsonl'), recipe: join(options.folder, 'recipe.yaml'),
    ...(parts.heldOut.length === 0 ? {} : { heldOut: join(options.folder, 'heldout.jsonl') }),
  };
  const recipe = await recipeOf({
    method: taken.method, model: options.model, threshold: thresholdOf(log, rows), train: files.train, heldOut: files.heldOut,
    rows: parts.train.length, runDir: options.runDir,
    head: [
      `Made by heed start from ${log.file}: ${taken.why}.`,
      ...(fits.length > 1 ? [`These methods fit too: ${fits.filter((fit) => fit !== taken).map(({ method }) => method).join(', ')}.`] : []),
    ],
  });
  const labelled = kinds.get('labelled')!.rows;
  return {
    fits, taken, parts, leftOut: leaving.all(), disputed: disputedOf(labelled), words: wordsOf(labelled), files, recipe,
    runDir: options.runDir, ...(silent && taken.kind === 'conversation' && { unjudged: verdictsAmong(log) }),
  };
}

/** Unused columns of a few values each: one of them may be a vote by another name. */
const verdictsAmong = ({ shapes, unused }: Inspection): string[] => shapes
  .filter(({ name, form, distinct, filled }) => unused.includes(name) && ['word', 'number'].includes(form) && distinct > 1
    && distinct <= MOST_VERDICTS && filled >= 2 * distinct)
  .map(({ name }) => name);
const MOST_VERDICTS = 6;

/** Writes the two parts and the recipe. @throws UserError where a file cannot be written */
export async function writeStart({ parts, files, recipe }: StartPlan): Promise<void> {
  const lines = (rows: readonly LoggedRow[]): string => rows.map(({ fields }) => `${JSON.stringify(fields)}\n`).join('');
  await atomicWrite(files.train, lines(parts.train));
  if (files.heldOut !== undefined) await atomicWrite(files.heldOut, lines(parts.heldOut));
  await atomicWrite(files.recipe, recipe);
}

/** From which score on an answer counts as good: the scale's, else the median. */
function thresholdOf({ values: { scale } }: Inspection, rows: readonly LoggedRow[]): number | undefined {
  const scores = rows.flatMap(({ answer }) => answer.score ?? []).sort((a, b) => a - b);
  return scale?.good ?? scores[Math.floor(scores.length / 2)];
}

function takenOf(fits: readonly Fit[], kinds: ReadonlyMap<LogKind, KindRows>, method: string | undefined, log: Inspection): Fit {
  const taken = method === undefined ? fits[0] : fits.find((fit) => fit.method === method);
  if (taken !== undefined) return taken;
  const none = [...log.leftOut, ...(kinds.get('conversation')?.leftOut ?? [])];
  const reasons = none.map(({ reason, sources }) => `${sources.length} ${reason} (${linesOf(sources)}).`);
  if (fits.length === 0) throw new UserError(`${log.file}: nothing in it teaches a method`, reasons);
  throw new UserError(`--method ${method}: it does not fit this log, or heed start does not set it up`, [
    `These fit: ${fits.map((fit) => `${fit.method} (${fit.why})`).join('; ')}.`,
  ]);
}

/** Rows that repeat an earlier row in everything but the id are left out, so that what is counted is what is learned. */
function once({ kind, rows, leftOut }: KindRows): KindRows {
  const leaving = new Leaving();
  for (const { reason, sources } of leftOut) leaving.add(reason, sources);
  const seen = new Set<string>();
  const kept = rows.filter(({ answer, fields }) => {
    const key = JSON.stringify({ ...fields, id: undefined });
    if (seen.has(key)) leaving.add('rows that repeat an earlier row', [answer.source]);
    return seen.size < seen.add(key).size;
  });
  return { kind, rows: kept, leftOut: leaving.all() };
}

function disputedOf(rows: readonly LoggedRow[]): Source[] {
  const votes = new Map<string, Set<unknown>>();
  const key = ({ fields: { prompt, completion } }: LoggedRow): string => JSON.stringify([prompt, completion]);
  for (const row of rows) votes.set(key(row), (votes.get(key(row)) ?? new Set()).add(row.fields['label']));
  return rows.filter((row) => votes.get(key(row))!.size > 1).map(({ answer }) => answer.source);
}

function wordsOf(rows: readonly LoggedRow[]): StartPlan['words'] {
  const median = (label: boolean): number | undefined => {
    const words = rows.filter(({ fields }) => fields['label'] === label).map(({ answer }) => answer.completion!.trim().split(/\s+/).length);
    return words.sort((a, b) => a - b)[Math.floor(words.length / 2)];
  };
  const [good, bad] = [median(true), median(false)];
  return { good, bad };
}

