/** Several runs beside each other: their measurements, their recipes and their answers to the same prompts. */
import { join } from 'node:path';

import { recipeChanges } from '../run/folder.js';
import { change, standing } from '../run/report/answers.js';
import type { AnswerSample } from '../run/report/data.js';
import { isSection, measurementOf, nameOf } from '../run/report/measurements.js';
import { pairedDifference } from '../run/statistics.js';
import { badRequest } from '../serve/api-error.js';
import type { AnswerPair, ComparedAnswer, ComparedAnswers, ComparedMeasurement, ComparedShow, Comparison, Side, Value } from './api.js';
import type { StudioContext } from './context.js';
import { type SummaryFile, measurementsOf } from './measured.js';
import { runLine, sectionIn } from './run-line.js';
import { answeredOf, partOf, samplesOf } from './samples.js';

/** A side with what its run folder holds of it. */
interface Opened {
  readonly side: Side;
  readonly dir: string;
  readonly when: 'before' | 'after';
  readonly summary: SummaryFile;
  readonly recipe: SummaryFile;
  /** By prompt, as `keyOf` writes it. */
  readonly answers: ReadonlyMap<string, AnswerSample>;
}

const BEFORE = 'before:';
/** Sides that are compared at a time. */
const MOST = 8;

/** Answers belong to the same prompt where its id and its text are the same. */
const keyOf = ({ id, prompt }: AnswerSample): string => JSON.stringify([id, prompt]);

async function open({ project, samples }: StudioContext, side: Side): Promise<Opened> {
  const when = side.startsWith(BEFORE) ? 'before' : 'after';
  const dir = await project.runFolder(when === 'before' ? side.slice(BEFORE.length) : side);
  const [summary = {}, recipe = {}, { answers }] = await Promise.all([
    sectionIn(join(dir, 'summary.json')), sectionIn(join(dir, 'recipe.yaml')), samplesOf(samples, dir),
  ]);
  const own = answers.filter((answer) => answer.when === when);
  return { side, dir, when, summary, recipe, answers: new Map(own.map((answer) => [keyOf(answer), answer])) };
}

async function openAll(context: StudioContext, sides: readonly Side[]): Promise<Opened[]> {
  if (sides.length === 0 || sides.length > MOST) throw badRequest(`A comparison has 1 to ${MOST} sides, not ${sides.length}.`, 'side');
  return Promise.all(sides.map((side) => open(context, side)));
}

/** A verdict as a number: a reward, or 1 for a good answer and 0 for a bad one; undefined where it says neither. */
function scoreOf({ verdict }: AnswerSample): number | undefined {
  if (typeof verdict === 'number') return verdict;
  const stands = standing(verdict);
  return stands === 'open' ? undefined : Number(stands === 'good');
}

/** The paired difference of the scores; undefined where no prompt has one on both sides. */
function difference(baseline: Opened, other: Opened): { readonly name: string; readonly value: Value } | undefined {
  const pairs = [...baseline.answers].flatMap(([key, answer]) => {
    const [was, is] = [answer, other.answers.get(key)].map((one) => one && scoreOf(one));
    return was === undefined || is === undefined ? [] : [[was, is] as const];
  });
  if (pairs.length === 0) return undefined;
  const value = pairedDifference(pairs.map(([was]) => was), pairs.map(([, is]) => is), { seed: 0 });
  const reward = [...other.answers.values()].some(({ verdict }) => typeof verdict === 'number');
  return { name: reward ? 'value' : 'satisfied', value };
}

/** Compares sides; the first is the baseline. */
export async function compare(context: StudioContext, given: readonly Side[]): Promise<Comparison> {
  const sides = await openAll(context, given);
  const [baseline] = sides as [Opened];
  const lines = await Promise.all(sides.map(({ dir }) => runLine(context, dir)));
  const measured = sides.map(({ summary, when }) => new Map(measurementsOf(summary).map((one) => [one.name, one[when]])));
  const against = sides.map((side) => (side === baseline ? undefined : difference(baseline, side)));
  const names = new Set([...measured.flatMap((one) => [...one.keys()]), ...against.flatMap((one) => one?.name ?? [])]);
  const rows = [...names].map((name): ComparedMeasurement => {
    const { title, better, share } = measurementOf(name);
    const cells = sides.map((_, i) => {
      const [value, by] = [measured[i]!.get(name), against[i]?.name === name ? against[i].value : undefined];
      return { ...(value && { value }), ...(by && { against: by }) };
    });
    return { name, title, ...(better && { better }), ...(share && { share }), cells };
  }).filter(({ cells }) => cells.some(({ value, against: by }) => value ?? by));
  return {
    sides: sides.map(({ side, summary: { metric } }, i) => ({ side, line: lines[i]!, ...(typeof metric === 'string' && { metric }) })),
    rows, recipe: recipeRows(sides), prompts: sharedKeys(sides).length, notes: notesOf(sides),
  };
}

/** Keys of the recipes that are not the same on every side. */
function recipeRows(sides: readonly Opened[]): Comparison['recipe'] {
  const [baseline] = sides as [Opened];
  const changed = sides.flatMap(({ recipe }) => recipeChanges(baseline.recipe, recipe));
  const keys = new Set(changed.map((line) => line.slice(0, line.indexOf(': '))));
  return [...keys].sort().map((key) => ({ key, values: sides.map(({ recipe }) => writtenAt(recipe, key)) }));
}

function writtenAt(recipe: unknown, key: string): string {
  let value = recipe;
  for (const part of key.split('.')) {
    value = isSection(value) || Array.isArray(value) ? (value as Record<string, unknown>)[part] : undefined;
  }
  if (value === undefined) return 'not set';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function sharedKeys([baseline, ...others]: readonly Opened[]): string[] {
  return [...baseline!.answers.keys()].filter((key) => others.every(({ answers }) => answers.has(key)));
}

function notesOf(sides: readonly Opened[]): string[] {
  const notes: string[] = [];
  const metrics = new Set(sides.flatMap(({ summary: { metric } }) => (typeof metric === 'string' ? [metric] : [])));
  if (metrics.size > 1) notes.push('Their answers were judged by different rewards, so that their numbers mean different things.');
  const models = new Set(sides.flatMap(({ recipe: { model } }) => (typeof model === 'string' ? [model] : [])));
  if (models.size > 1) notes.push(`They have different models: ${[...models].join(', ')}.`);
  const methods = new Set(sides.map(({ recipe: { method } }) => nameOf(method)));
  if (methods.size > 1) notes.push('They learn by different methods, whose losses measure different things.');
  const shared = sharedKeys(sides).length;
  const most = Math.max(...sides.map(({ answers }) => answers.size));
  if (sides.length > 1 && most > 0 && shared === 0) notes.push('No prompt was answered on every side, so that no difference is paired.');
  else if (shared < most) notes.push(`${shared} of ${most} prompts were answered on every side.`);
  return notes;
}

const outcomeOf = (before: AnswerSample, after: AnswerSample): AnswerPair['change'] => change({ id: '', prompt: '', before, after });

const FILTERS: Readonly<Record<ComparedShow, (one: ComparedAnswer) => boolean>> = {
  all: () => true,
  different: ({ answers }) => answers.some(({ text }) => text !== answers[0]!.text),
  wins: ({ answers }) => answers.some(({ outcome }) => outcome === 'better'),
  losses: ({ answers }) => answers.some(({ outcome }) => outcome === 'worse'),
};

/** What a reader looks for first. */
const ORDER: readonly ComparedShow[] = ['losses', 'wins', 'different', 'all'];

/** The answers to the prompts that every side answered: first where a side lost or won against the baseline, then where texts differ. */
export async function compareAnswers(
  context: StudioContext, given: readonly Side[], show: ComparedShow, page: { offset: number; limit: number },
): Promise<ComparedAnswers> {
  const sides = await openAll(context, given);
  const all = sharedKeys(sides).map((key): ComparedAnswer => {
    const samples = sides.map(({ answers }) => answers.get(key)!);
    const [first] = samples as [AnswerSample];
    return {
      id: first.id, prompt: first.prompt,
      answers: samples.map((one) => ({ ...answeredOf(one), outcome: one === first ? 'same' : outcomeOf(first, one) })),
    };
  });
  const rank = (one: ComparedAnswer): number => ORDER.findIndex((name) => FILTERS[name](one));
  const sorted = all.map((one) => ({ one, at: rank(one) })).sort((a, b) => a.at - b.at).map(({ one }) => one);
  const count = (name: ComparedShow): number => sorted.filter(FILTERS[name]).length;
  return {
    ...partOf(sorted.filter(FILTERS[show]), page),
    counts: { all: sorted.length, different: count('different'), wins: count('wins'), losses: count('losses') },
  };
}
