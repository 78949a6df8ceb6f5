import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { UserError } from '../errors.js';
import { cacheFolder } from '../model/checkpoint/cache.js';
import { runProgram } from '../run/program.js';
import { shipped } from '../run/shipped.js';

/** The Python program that runs on workers. */
export const workerFolder = (): string => resolve(shipped('workers/ray'));
const requirementsFile = (): string => join(workerFolder(), 'requirements.txt');

/** What a Python environment holds. Default: what workers need. */
export interface Requirements {
  /** How its folder in the cache begins. */
  readonly name: string;
  /** Files that list packages, as pip reads them. */
  readonly lists: readonly string[];
}

const forWorkers = (): Requirements => ({ name: 'ray', lists: [requirementsFile()] });

/** The folder of a Python environment: one for each list of requirements. */
export function environmentFolder({ name, lists }: Requirements = forWorkers()): string {
  const hash = createHash('sha256');
  for (const list of lists) hash.update(readFileSync(list));
  return join(cacheFolder(), `${name}-${hash.digest('hex').slice(0, 12)}`);
}

/** The Python of an environment. */
export const pythonIn = (folder: string): string =>
  (process.platform === 'win32' ? join(folder, 'Scripts', 'python.exe') : join(folder, 'bin', 'python'));

/** Written last: without it the environment is not whole. */
const WHOLE = 'heed-installed';

/**
 * The Python that workers on this machine run in: `$HEED_PYTHON`, else the environment that `heed cluster install` made.
 *
 * @throws UserError where neither is there
 */
export function workerPython(env: NodeJS.ProcessEnv = process.env): string {
  if (env['HEED_PYTHON']) return env['HEED_PYTHON'];
  const folder = environmentFolder();
  if (existsSync(join(folder, WHOLE))) return pythonIn(folder);
  throw new UserError(`Workers on this machine need Ray, and ${folder} does not hold it.`, [
    'Install it there: npx heed cluster install.',
    `Or say which Python has what ${requirementsFile()} lists: HEED_PYTHON=/path/to/python.`,
    'Or leave out `cluster`: cluster=null.',
  ]);
}

/**
 * Makes the Python environment with Ray in the cache, where it is not there yet.
 *
 * @param say Takes lines for people.
 * @throws UserError with what Python or pip said
 */
export async function installEnvironment(say: (line: string) => void, requirements: Requirements = forWorkers()): Promise<string> {
  const folder = environmentFolder(requirements);
  if (existsSync(join(folder, WHOLE))) return folder;
  await rm(folder, { recursive: true, force: true });
  await mkdir(cacheFolder(), { recursive: true });
  say(`Python environment: ${folder}`);
  await call('python3', ['-m', 'venv', folder], 'Install Python 3.10 or newer with its venv module.');
  say('pip install ray, onnxruntime and numpy');
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input'];
  await call(pythonIn(folder), [...pip, ...requirements.lists.flatMap((list) => ['-r', list])], 'See that pip reaches a package index.');
  const mark = join(folder, WHOLE);
  await writeFile(`${mark}~`, '');
  await rename(`${mark}~`, mark);
  return folder;
}

/** Runs a program to its end. @throws UserError with what it said */
async function call(program: string, args: readonly string[], hint: string): Promise<void> {
  const { ok, started, output } = await runProgram(program, args);
  if (!started) throw new UserError(`${program} could not be started: ${output}`, [hint]);
  if (!ok) throw new UserError(`${[program, ...args].join(' ')} failed:\n${output.trim().split('\n').slice(-6).join('\n')}`, [hint]);
}
