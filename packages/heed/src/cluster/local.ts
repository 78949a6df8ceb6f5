import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../errors.js';
import { workerFolder, workerPython } from './environment.js';
import { openLink } from './link.js';
import { type Running, lastLines } from './running.js';

/** Bytes of stderr that are kept. */
const KEPT = 8_000;

/**
 * Starts a Ray of its own on this machine, with workers that share the cores. It ends with this process, however that ends.
 *
 * @throws UserError where Python or Ray cannot be started
 */
export async function startLocal(workers: number): Promise<Running> {
  const token = randomBytes(24).toString('hex');
  const threads = Math.max(1, Math.floor(availableParallelism() / workers));
  const folder = workerFolder();
  // The paths of Ray's sockets must be short.
  const files = mkdtempSync(join(tmpdir(), 'heed-ray-'));
  const args = ['-m', 'heed_worker', '--local', String(workers), '--folder', files, '--threads', String(threads)];
  const child = spawn(workerPython(), args, {
    cwd: folder,
    // A process group of its own: Ctrl-C is for Heed, which ends the workers itself.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env, HEED_TOKEN: token, PYTHONPATH: folder, PYTHONUNBUFFERED: '1', PYTHONDONTWRITEBYTECODE: '1',
      RAY_AUTH_MODE: 'token', RAY_AUTH_TOKEN: randomBytes(32).toString('hex'),
      RAY_USAGE_STATS_ENABLED: '0', RAY_DEDUP_LOGS: '0', RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO: '0',
    },
  });
  // The gateway removes the files, too, unless it is killed; Heed may be.
  const close = async (signal?: NodeJS.Signals): Promise<void> => {
    await end(child, signal);
    rmSync(files, { recursive: true, force: true });
  };
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => { errors = (errors + chunk.toString()).slice(-KEPT); });
  try {
    const port = await portOf(child, () => errors);
    return { link: await openLink('127.0.0.1', port, token), errors: () => Promise.resolve(errors), close };
  } catch (error) {
    await close('SIGTERM');
    throw error;
  }
}

/** Waits for the line in which the gateway says where it listens. */
function portOf(child: ChildProcess, errors: () => string): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (what: string): void => {
      reject(new UserError([`Workers on this machine could not be started: ${what}`, ...lastLines(errors())].join('\n'), [
        'Without them: cluster=null.',
      ]));
    };
    let said = '';
    child.on('error', (error) => failed(error.message));
    child.on('close', (code, signal) => failed(`Python ended with ${signal ?? `exit code ${code}`}.`));
    child.stdout!.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      const found = /^heed gateway \S+ (\d+)$/m.exec(said);
      if (found !== null) resolve(Number(found[1]));
    });
  });
}

/** Milliseconds that the workers may take to end. */
const PATIENCE = 20_000;

/** Waits until the gateway has ended, which it does when its client has gone; ends one that does not. Its Ray ends with it. */
function end(child: ChildProcess, signal?: NodeJS.Signals): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) {
      resolve();
      return;
    }
    const late = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
    child.on('exit', () => {
      clearTimeout(late);
      resolve();
    });
    if (signal !== undefined) child.kill(signal);
  });
}
