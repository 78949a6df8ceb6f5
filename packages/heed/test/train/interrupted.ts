import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const BIN = fileURLToPath(new URL('../../bin/heed.js', import.meta.url));
const STOP_AT = pathToFileURL(join(import.meta.dirname, 'stop-at.js')).href;

export interface Stop {
  readonly how: 'SIGINT' | 'SIGTERM' | 'SIGKILL';
  /** A log line that matches (a kill leaves half of it), or a file that is about to be put in place. */
  readonly on: 'line' | 'rename';
  /** A regular expression. */
  readonly matching: string;
}

/**
 * Kills at the n-th event of a run, from 0: a log line (half of which is written), a file put in place, a file or folder removed, a
 * server's reply that has come and is not kept yet.
 */
export interface StopAtEvent {
  readonly how: 'SIGKILL';
  readonly nth: number;
}

/** Stops nothing; writes the list of a whole run's events to a file. */
export interface ListEvents {
  readonly list: string;
}

/** Runs `heed` in a process of its own, which is stopped at an exact moment. */
export function heedStopped(
  argv: readonly string[],
  stop: Stop | StopAtEvent | ListEvents,
): Promise<{ readonly code: number | null; readonly signal: string | null; readonly err: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', STOP_AT, BIN, ...argv], {
      env: { ...process.env, HEED_TEST_STOP: JSON.stringify(stop) },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let err = '';
    child.stderr.on('data', (text: Buffer) => { err += text.toString(); });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, err }));
  });
}

/** A log without the one field that a resume may change. */
export const log = (dir: string, name = 'metrics.jsonl'): string[] =>
  readFileSync(join(dir, name), 'utf8').split('\n').map((line) => line.replace(/,"seconds":[\d.e-]+/, ''));

export const bytes = (dir: string, ...path: string[]): Buffer => readFileSync(join(dir, ...path));
export const adapterBytes = (dir: string): Buffer => bytes(dir, 'adapter', 'adapter_model.safetensors');
