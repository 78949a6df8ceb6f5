import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { UserError } from '../errors.js';
import { cacheFolder } from '../model/checkpoint/cache.js';
import { shipped } from '../run/shipped.js';

/** The Python program that runs on workers. */
export const workerFolder = (): string => resolve(shipped('workers/ray'));
const requirementsFile = (): string => join(workerFolder(), 'requirements.txt');

/** The Python environment that `heed cluster install` makes: one for each list of requirements. */
export function environmentFolder(): string {
  const digest = createHash('sha256').update(readFileSync(requirementsFile())).digest('hex').slice(0, 12);
  return join(cacheFolder(), `ray-${digest}`);
}

const pythonIn = (folder: string): string =>
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
export async function installEnvironment(say: (line: string) => void): Promise<string> {
  const folder = environmentFolder();
  if (existsSync(join(folder, WHOLE))) return folder;
  await rm(folder, { recursive: true, force: true });
  await mkdir(cacheFolder(), { recursive: true });
  say(`Python environment: ${folder}`);
  await call('python3', ['-m', 'venv', folder], 'Install Python 3.10 or newer with its venv module.');
  say('pip install ray, onnxruntime and numpy');
  await call(pythonIn(folder), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input', '-r', requirementsFile()],
    'See that pip reaches a package index.');
  const mark = join(folder, WHOLE);
  await writeFile(`${mark}~`, '');
  await rename(`${mark}~`, mark);
  return folder;
}

function call(program: string, args: readonly string[], hint: string): Promise<void> {
  return new Promise((done, fail) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (chunk: Buffer): void => { output = (output + chunk.toString()).slice(-4000); };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => fail(new UserError(`${program} could not be started: ${error.message}`, [hint])));
    child.on('close', (code) => {
      if (code === 0) done();
      else fail(new UserError(`${[program, ...args].join(' ')} failed:\n${output.trim().split('\n').slice(-6).join('\n')}`, [hint]));
    });
  });
}
