/** The run folder: one run, one folder, everything in it. */
import { mkdir, readFile, readdir, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { parse } from 'yaml';

import { UserError } from '../errors.js';
import { atomicWrite, fileError } from './files.js';
import { takeLock } from './lock.js';
import { openLog, readLog } from './metrics.js';
import type { Log, LogRow, StepMetrics } from './metrics.js';
import { setAside, settle } from './set-aside.js';

/** How to open a run folder. */
export interface OpenRunOptions {
  /** The resolved recipe as YAML (`loadRecipe`'s `text`). */
  readonly recipe: string;
  /** Go on with the run in the folder; starts from the beginning when there is none. */
  readonly resume: boolean;
  /**
   * Replace the run in the folder by a new one. The earlier run is removed once the new one has results of its own; where it has none,
   * `close` puts the earlier run back.
   */
  readonly overwrite?: boolean;
  /**
   * Keys of the recipe that may differ when the run goes on, besides `run` and `device`; so may the keys below them. Default: none.
   */
  readonly free?: readonly string[];
  /** Names of files that the job writes into the folder besides `RUN_FILES`. Default: none. */
  readonly files?: readonly string[];
}

/** An open run folder; this process holds its lock until `close`. */
export interface RunFolder {
  /** Absolute. */
  readonly dir: string;
  /** Whether an earlier run goes on. The caller truncates the logs to the checkpoint it starts from. */
  readonly resuming: boolean;
  /** Whether that run had already ended: it has a `summary.json`. */
  readonly finished: boolean;
  /** PEFT adapter. */
  readonly adapterDir: string;
  readonly checkpointsDir: string;
  readonly metrics: Log<StepMetrics>;
  readonly samples: Log<LogRow>;
  /** A path inside the folder. */
  path(...parts: string[]): string;
  /** Writes `summary.json`, which also says that the run ended. */
  writeSummary(summary: object): Promise<void>;
  /** Closes the logs and gives the lock back. May be called twice. */
  close(): Promise<void>;
}

/** Names inside the folder of every run. `work` holds what a loop keeps between its rounds. */
export const RUN_FILES = [
  'recipe.yaml', 'date.json', 'device.json', 'metrics.jsonl', 'samples.jsonl', 'rollouts.jsonl', 'cluster.jsonl', 'summary.json',
  'report.html', 'checkpoints', 'adapter', 'work',
] as const;

/** A section, or a list of sections, whose keys are their places. */
const hasKeys = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && Object.keys(value).length > 0 && (!Array.isArray(value) || value.every(hasKeys));

/**
 * What differs between two recipes, `key: old → new`. Keys that are `free` to differ, those below them, `run` and `device` are left out.
 * A `*` in a free key is any one name.
 */
export function recipeChanges(before: unknown, after: unknown, free: readonly string[] = []): string[] {
  const paths = ['run', 'device', ...free].map((one) => one.split('.'));
  const isFree = (key: string): boolean => {
    const names = key.split('.');
    return paths.some((path) => path.every((name, i) => name === names[i] || (name === '*' && i < names.length)));
  };
  const flatten = (value: unknown, prefix: string, into: Map<string, string>): Map<string, string> => {
    if (hasKeys(value)) {
      for (const [key, inner] of Object.entries(value)) flatten(inner, prefix ? `${prefix}.${key}` : key, into);
    } else into.set(prefix, JSON.stringify(value) ?? 'nothing');
    return into;
  };
  const old = flatten(before, '', new Map());
  const now = flatten(after, '', new Map());
  return [...new Set([...old.keys(), ...now.keys()])]
    .filter((key) => !isFree(key) && old.get(key) !== now.get(key))
    .map((key) => `${key}: ${old.get(key) ?? 'not set'} → ${now.get(key) ?? 'not set'}`);
}

async function oldRecipe(path: string): Promise<unknown> {
  try {
    return parse(await readFile(path, 'utf8'), { maxAliasCount: 0 }) as unknown;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError(`${path} cannot be read: ${reason}`, ['Start again with --overwrite.']);
  }
}

interface Contents {
  /** Whether a run got as far as a result: a step, a sample, a checkpoint. */
  readonly begun: boolean;
  readonly finished: boolean;
  readonly steps: number;
}

const EMPTY: Contents = { begun: false, finished: false, steps: 0 };

/** What an earlier run left in the folder. */
async function contents(dir: string): Promise<Contents> {
  const names = new Set(await readdir(dir));
  const steps = (await readLog(join(dir, 'metrics.jsonl'))).at(-1)?.step ?? 0;
  const samples = names.has('samples.jsonl') ? (await readLog(join(dir, 'samples.jsonl'))).length : 0;
  const finished = names.has('summary.json');
  // Which model a run began with is no result of it.
  const worked = names.has('work') && (await readdir(join(dir, 'work'))).some((name) => name !== 'model.json');
  const stored = worked || ['checkpoints', 'adapter'].some((name) => names.has(name));
  return { begun: finished || stored || steps > 0 || samples > 0, finished, steps };
}

/** Whether a folder holds a run that got as far as a result: a step, a sample, a checkpoint. A run that cannot be read counts as one. */
export const hasBegun = (dir: string): Promise<boolean> =>
  contents(dir).then(({ begun }) => begun, (error: unknown) => (error as NodeJS.ErrnoException).code !== 'ENOENT');

async function makeFolder(dir: string): Promise<void> {
  try {
    await mkdir(dir, { recursive: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw fileError(error, dir);
    throw new UserError(`${dir} is a file, not a folder`, ['Choose another with run.dir=FOLDER.']);
  }
}

function alreadyThere(dir: string, { finished, steps }: Contents): UserError {
  return new UserError(`${dir} already holds a run (${finished ? 'finished' : 'unfinished'}, ${steps} steps)`, [
    ...(finished ? [] : ['Go on with it: --resume.']),
    'Keep it and run elsewhere: run.dir=FOLDER.',
    'Remove it and start again: --overwrite.',
  ]);
}

/**
 * Files and folders of names that a run uses, where no run wrote them: they are somebody's. A run has its recipe, and beside it its
 * log, checkpoints or summary; one that was killed on the way there left empty files at most.
 */
async function foreign(dir: string, names: readonly string[]): Promise<readonly string[]> {
  const there = new Set(await readdir(dir));
  if (there.has('recipe.yaml') && ['metrics.jsonl', 'checkpoints', 'summary.json'].some((name) => there.has(name))) return [];
  const found: string[] = [];
  for (const name of names) {
    if (!there.has(name)) continue;
    const file = await stat(join(dir, name));
    if (file.isDirectory() || file.size > 0) found.push(name);
  }
  return found;
}

function notARun(dir: string, names: readonly string[]): UserError {
  return new UserError(`${dir} holds ${names.join(', ')}, and is not the folder of a run: a run there would replace what is yours.`, [
    'Choose a folder of its own: run.dir=FOLDER.',
    'Or move these files away.',
  ]);
}

function recipeDiffers(file: string, changes: readonly string[]): UserError {
  return new UserError(`The recipe is not the one that this run was started with:\n${changes.map((line) => `  ${line}`).join('\n')}`, [
    `Resume with the recipe as it was: ${file}.`,
    'Or run the new recipe elsewhere: run.dir=FOLDER.',
  ]);
}

/**
 * Opens and locks a run folder, making it as needed, and writes the recipe into it.
 *
 * A run that stopped before its first step left nothing to lose: its folder counts as empty.
 *
 * @throws UserError when another process uses the folder; when files of somebody's are where a run's would be; when it holds a run and
 * neither `resume` nor `overwrite` is given; when `resume` meets a recipe that differs in more than the `free` keys.
 */
export async function openRun(directory: string, options: OpenRunOptions): Promise<RunFolder> {
  const { recipe, resume, overwrite = false, free = [], files = [] } = options;
  if (resume && overwrite) throw new UserError('--resume and --overwrite contradict each other');
  const dir = resolve(directory);
  const path = (...parts: string[]): string => join(dir, ...parts);
  await makeFolder(dir);
  const unlock = await takeLock(path('run.lock'));
  const begun = (): Promise<boolean> => hasBegun(dir);
  try {
    await settle(dir, begun);
    const strangers = await foreign(dir, [...RUN_FILES, ...files]);
    if (strangers.length > 0) throw notARun(dir, strangers);
    let found = await contents(dir).catch((error: unknown) => {
      if (overwrite) return { ...EMPTY, begun: true }; // unreadable, and about to go
      throw error;
    });
    if (found.begun && !resume && !overwrite) throw alreadyThere(dir, found);
    if (found.begun && resume) {
      const changes = recipeChanges((await oldRecipe(path('recipe.yaml'))) ?? {}, parse(recipe) as unknown, free);
      if (changes.length > 0) throw recipeDiffers(path('recipe.yaml'), changes);
    } else {
      if (found.begun) await setAside(dir, [...RUN_FILES, ...files]);
      // The recipe and the log, by which a run is known, go last and come first.
      const known = ['recipe.yaml', 'metrics.jsonl'];
      for (const name of [...RUN_FILES.filter((one) => !known.includes(one)), ...known])
        await rm(path(name), { recursive: true, force: true });
      found = EMPTY;
    }
    const metrics = openLog<StepMetrics>(path('metrics.jsonl'));
    const samples = openLog<LogRow>(path('samples.jsonl'));
    await atomicWrite(path('recipe.yaml'), recipe);
    let closed = false;
    return {
      dir,
      resuming: found.begun,
      finished: found.finished,
      adapterDir: path('adapter'),
      checkpointsDir: path('checkpoints'),
      metrics,
      samples,
      path,
      writeSummary: (summary) => atomicWrite(path('summary.json'), `${JSON.stringify(summary, null, 2)}\n`),
      async close() {
        if (closed) return;
        closed = true;
        metrics.close();
        samples.close();
        await settle(dir, begun);
        await unlock();
      },
    };
  } catch (error) {
    await unlock();
    throw error;
  }
}
