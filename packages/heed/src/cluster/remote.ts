import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { UserError } from '../errors.js';
import type { Cluster } from '../run/cluster.js';
import { workerFolder } from './environment.js';
import { type Jobs, openJobs, workerPackage } from './jobs.js';
import { openLink } from './link.js';
import { type Running, lastLines } from './running.js';

/** How often a job is looked at, in milliseconds. */
const LOOK = 500;

/**
 * Submits the workers' program as a job of a Ray cluster, through its Jobs API, and connects to the gateway that it starts. The job ends
 * with the connection.
 *
 * @param say Takes a line for people.
 * @throws UserError where the cluster cannot be reached, or the job does not come up
 */
export async function startRemote({ host, port }: Extract<Cluster, { kind: 'ray' }>, say?: (line: string) => void): Promise<Running> {
  const token = randomBytes(24).toString('hex');
  const jobs = openJobs(host, port);
  const { name, bytes } = workerPackage(workerFolder());
  const id = await jobs.submit({
    entrypoint: `python -m heed_worker --host ${isLoopback(host) ? '127.0.0.1' : 'node'}`,
    runtimeEnv: { working_dir: await jobs.upload(name, bytes), pip: packages(), env_vars: { HEED_TOKEN: token } },
    metadata: { name: 'heed' },
  });
  // It may wait long: another job has the cores, or packages are being installed.
  say?.(`Ray's job ${id} starts the workers. They begin when each machine has all of its cores free for them.`);
  const errors = async (): Promise<string> => jobs.logs(id).catch(() => '');
  try {
    const gateway = await gatewayOf(jobs, id);
    const link = await openLink(isLoopback(host) ? '127.0.0.1' : host, gateway, token).catch((error: Error) => {
      throw new UserError(`${host}:${gateway}: ${error.message}`, [
        `The system chooses that port anew for each run: see that no firewall keeps Heed from the ports of ${host}.`,
        'Without the cluster: cluster=null.',
      ], { cause: error });
    });
    return { link, errors, close: () => ended(jobs, id) };
  } catch (error) {
    await jobs.stop(id).catch(() => undefined);
    throw error;
  }
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || host.startsWith('127.');

/** What workers need beside Ray, which the cluster has. */
const packages = (): string[] =>
  readFileSync(join(workerFolder(), 'requirements.txt'), 'utf8').split('\n').filter((line) => /^\w/.test(line) && !line.startsWith('ray='));

/** Waits until the job's gateway says its port. */
async function gatewayOf(jobs: Jobs, id: string): Promise<number> {
  for (;;) {
    const { status, message } = await jobs.status(id);
    const said = status === 'PENDING' ? '' : await jobs.logs(id);
    const port = /^heed gateway \S+ (\d+)$/m.exec(said)?.[1];
    if (port !== undefined) return Number(port);
    if (status !== 'PENDING' && status !== 'RUNNING') {
      throw new UserError(`Ray's job ${id} ended before its workers ran: ${[message, ...lastLines(said)].join('\n')}`, [
        'See that the cluster has a free core, the same Python version on every machine, and reaches a package index.',
      ]);
    }
    await pause(LOOK);
  }
}

/** Waits until a job has ended that has nothing to do any more; stops one that goes on. */
async function ended(jobs: Jobs, id: string): Promise<void> {
  try {
    for (let looks = 0; looks < 60; looks++) {
      const { status } = await jobs.status(id);
      if (status !== 'PENDING' && status !== 'RUNNING') return;
      if (looks === 20) await jobs.stop(id);
      await pause(LOOK);
    }
  } catch (error) {
    // The head is gone, and the job with it.
    if (!(error instanceof UserError)) throw error;
  }
}
