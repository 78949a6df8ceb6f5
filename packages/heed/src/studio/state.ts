/** How a run is: whether a process works on it, and whether it ended. */
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

import { ApiError } from '../serve/api-error.js';
import { holderOf } from '../run/lock.js';
import type { RunStatus } from './api.js';
import type { Jobs } from './jobs.js';

/** Runs that were asked to stop: the process that works on them, so that a later one of the same run is not taken for it. */
export type Asked = Map<string, number>;

/** What a run is doing. */
export interface State {
  readonly status: RunStatus;
  /** Why it failed. */
  readonly reason?: string;
  /** When the process that works on it began. */
  readonly since?: string;
}

export async function stateOf(dir: string, jobs: Jobs, asked: Asked): Promise<State> {
  const holder = await holderOf(join(dir, 'run.lock'));
  if (holder !== undefined) return { status: asked.get(dir) === holder.pid ? 'stopping' : 'running', since: holder.since };
  if (existsSync(join(dir, 'summary.json'))) return { status: 'ended' };
  const reason = await jobs.failureOf(dir);
  return reason === undefined ? { status: 'stopped' } : { status: 'failed', reason };
}

/**
 * Asks the process that works on a run to stop after its step and save, as Ctrl-C does.
 *
 * @throws ApiError 409 where nobody works on the run, a process of another machine does, or it was asked already: a second signal would
 * end it before it saved
 */
export async function askToStop(dir: string, asked: Asked): Promise<void> {
  const holder = await holderOf(join(dir, 'run.lock'));
  const refuse = (message: string): never => { throw new ApiError(409, message, { code: 'not_stopped' }); };
  if (holder === undefined) return refuse('No process works on this run.');
  if (holder.host !== '' && holder.host !== hostname())
    return refuse(`Process ${holder.pid} of ${holder.host} works on this run: stop it there.`);
  if (asked.get(dir) === holder.pid) return refuse('The run was asked to stop: it saves after the step that is under way.');
  asked.set(dir, holder.pid);
  process.kill(holder.pid, 'SIGINT');
}
