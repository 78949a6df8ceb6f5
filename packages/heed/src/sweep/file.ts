/** `sweep.json`: what a sweep runs, and how far it is. */
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

import { UserError } from '../errors.js';
import { digestOfFile } from '../run/digest.js';
import { atomicWrite } from '../run/files.js';
import { hasBegun } from '../run/folder.js';
import { readJsonAs } from '../run/json-file.js';
import { type SweepPlan, commonChanges } from './plan.js';

const State = z.enum(['waiting', 'running', 'finished', 'stopped', 'failed']);
/** How far a run is. A run that is `running` although no process works on its sweep was killed, and goes on. */
export type RunState = z.infer<typeof State>;

export const SweepFile = z.object({
  format: z.literal(1),
  /** The recipe's file. */
  recipe: z.string(),
  /** The first run's recipe with everything written out: what is not varied is the same in all runs. */
  common: z.record(z.string(), z.unknown()),
  /** SHA-256 of the files that the recipes name, by path. */
  files: z.record(z.string(), z.string()),
  /** The keys that vary, and their values as they were written. */
  grid: z.array(z.object({ key: z.string(), values: z.array(z.string()) })),
  runs: z.array(z.object({ name: z.string(), state: State, error: z.string().optional() })),
});
export type SweepFile = z.infer<typeof SweepFile>;

/** Where a sweep in `dir` says what it runs. */
export const fileOf = (dir: string): string => join(dir, 'sweep.json');

/** Writes how far the sweep is. */
export const writeSweep = (dir: string, file: SweepFile): Promise<void> =>
  atomicWrite(fileOf(dir), `${JSON.stringify(file, null, 2)}\n`);

/** How far a sweep's runs were when it was last worked on, by name; none where it was not begun. */
export async function statesIn(dir: string): Promise<ReadonlyMap<string, RunState>> {
  if (!existsSync(fileOf(dir))) return new Map();
  const { runs } = await readJsonAs(fileOf(dir), SweepFile, 'heed sweep');
  return new Map(runs.map(({ name, state }) => [name, state]));
}

/**
 * The sweep file of a plan, without states. Where the folder holds a sweep that has begun, the plan may add values to it and change nothing
 * else.
 *
 * @throws UserError that names everything that differs
 */
export async function holdSweep(plan: SweepPlan): Promise<SweepFile> {
  const { file: recipe, dir, grid, runs } = plan;
  const now: SweepFile = {
    format: 1, recipe,
    common: JSON.parse(JSON.stringify({ ...runs[0]!.recipe, run: undefined })) as Record<string, unknown>,
    files: await filesIn(runs.map((run) => run.recipe)),
    grid: grid.axes.map(({ key, values }) => ({ key, values: values.map(({ text }) => text) })),
    runs: runs.map(({ point: { name } }) => ({ name, state: 'waiting' as const })),
  };
  if (!existsSync(fileOf(dir))) return now;
  const before = await readJsonAs(fileOf(dir), SweepFile, 'heed sweep');
  const begun = await Promise.all(before.runs.map(({ name }) => hasBegun(join(dir, name))));
  if (!begun.includes(true)) return now;
  const changes = [
    ...gridChanges(before, now), ...commonChanges(before.common, now.common, grid, runs[0]!.free), ...fileChanges(before, now),
  ];
  if (changes.length === 0) return now;
  throw new UserError(`This is not the sweep that ${dir} was begun with:\n${changes.map((line) => `  ${line}`).join('\n')}`, [
    'Values may be added to a sweep. Anything else is another one: give it a folder of its own with run.dir=FOLDER.',
  ]);
}

/** Keys and values that are not there any more, and keys that are new: with those every run would have another name. */
function gridChanges({ grid: before, runs: old }: SweepFile, { grid: now, runs }: SweepFile): string[] {
  const keys = (grid: SweepFile['grid']): string => grid.map(({ key }) => key).join(', ');
  if (keys(before) !== keys(now)) return [`what varies: ${keys(before)} → ${keys(now)}`];
  const names = new Set(runs.map(({ name }) => name));
  const gone = old.filter(({ name }) => !names.has(name));
  return gone.length === 0 ? [] : [`runs that are not among its values now: ${gone.map(({ name }) => name).join('; ')}`];
}

const fileChanges = ({ files: before }: SweepFile, { files: now }: SweepFile): string[] =>
  Object.entries(before).flatMap(([path, digest]) => (now[path] === digest ? [] : [`the file ${path} has another content`]));

/** Keys under which no file of the user's is: weights go by their own fingerprint, and runs write the others. */
const NOT_READ = new Set(['model', 'run', 'store']);

/** The files that recipes name, with their digests. */
async function filesIn(recipes: readonly object[]): Promise<Record<string, string>> {
  const texts = new Set<string>();
  const walk = (value: unknown): void => {
    if (typeof value === 'string') texts.add(value.replace(/^rules:/, '').replace(/#[^#/]*$/, ''));
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(walk);
  };
  for (const recipe of recipes) Object.entries(recipe).forEach(([key, value]) => { if (!NOT_READ.has(key)) walk(value); });
  const found: [string, string][] = [];
  for (const path of [...texts].sort()) {
    const isFile = await stat(path).then((info) => info.isFile(), () => false);
    if (isFile) found.push([path, await digestOfFile(path)]);
  }
  return Object.fromEntries(found);
}
