/**
 * Runs that the studio starts: `heed train …` as a process of its own, with its output in a file. It goes on when the studio ends, and a
 * studio that is started later finds it again, by the lock in its run folder.
 */
import { spawn } from 'node:child_process';
import { mkdir, open, readFile, readdir, stat } from 'node:fs/promises';
import { basename, isAbsolute, join, normalize, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

import { z } from 'zod';

import { atomicWrite } from '../run/files.js';
import { hideKeys } from '../run/keys.js';
import { holderOf } from '../run/lock.js';
import { ApiError } from '../serve/api-error.js';
import type { StartedJob } from './api.js';
import { parsedJson } from './parsed-json.js';
import type { Project } from './project.js';

/** Where the studio keeps the recipes and the output of what it started, in the project folder. */
export const JOBS = '.heed-jobs';
const LOG_TAIL = 8 * 1024;

/** A process that is to be started. */
export interface Command {
  /** The arguments of `heed`. */
  readonly argv: readonly string[];
  /** The run's folder, absolute. */
  readonly dir: string;
  /** Where it is started: what relative paths of the recipe begin at. */
  readonly cwd: string;
}

/** The runs that were started from a studio of this project. */
export interface Jobs {
  /** @throws ApiError 409 while another one runs */
  start(command: Command): Promise<StartedJob>;
  /** The newest first. */
  list(): Promise<readonly StartedJob[]>;
  /** Why the newest job of a run failed; undefined where there is none, or it did not fail. */
  failureOf(dir: string): Promise<string | undefined>;
}

const Job = z.object({
  id: z.string(), argv: z.array(z.string()), run: z.string(), started: z.string(), pid: z.number(), code: z.number().nullish(),
});
type Job = z.infer<typeof Job>;

const HEED = fileURLToPath(new URL('../../bin/heed.js', import.meta.url));

/** @param heed the command line of `heed`. Default: this one. */
export function createJobs(project: Project, heed: readonly string[] = [process.execPath, HEED]): Jobs {
  const home = join(project.folder, JOBS);
  const file = (id: string, name: string): string => join(home, id, name);
  const [program, ...first] = heed;
  let starting: Promise<unknown> = Promise.resolve();

  async function read(id: string): Promise<Job | undefined> {
    const text = await readFile(file(id, 'job.json'), 'utf8').catch(() => undefined);
    const read = text === undefined ? undefined : Job.safeParse(parsedJson(text));
    return read?.data;
  }

  async function all(): Promise<Job[]> {
    const ids = (await readdir(home).catch(() => [])).sort().reverse();
    return (await Promise.all(ids.map(read))).filter((job) => job !== undefined);
  }

  const write = (job: Job): Promise<void> => atomicWrite(file(job.id, 'job.json'), `${JSON.stringify(job)}\n`);

  async function statusOf(job: Job): Promise<StartedJob['status']> {
    if (running.has(job.id)) return 'running';
    const dir = join(project.folder, job.run);
    if (job.code === undefined && (await holderOf(join(dir, 'run.lock')))?.pid === job.pid) return 'running';
    if (job.code === 0) return 'ended';
    // The code of a process that outlived its studio is not known; its last words are.
    if (failureIn(await tail(file(job.id, 'log.txt'))) !== undefined) return 'failed';
    if (job.code === undefined) return (await stat(join(dir, 'summary.json')).catch(() => undefined)) ? 'ended' : 'stopped';
    return job.code === 130 ? 'stopped' : 'failed';
  }

  /** Jobs of this studio whose process has not ended. */
  const running = new Set<string>();

  async function start({ argv, dir, cwd }: Command): Promise<StartedJob> {
    for (const job of await all()) {
      if ((await statusOf(job)) === 'running')
        throw new ApiError(409, `${job.run} is being trained: one run at a time, since each takes all cores.`, { code: 'busy' });
    }
    const started = new Date().toISOString();
    const id = `${started.replaceAll(/[:.]/g, '-')}-${basename(dir)}`;
    await mkdir(join(home, id), { recursive: true });
    const log = await open(file(id, 'log.txt'), 'a');
    try {
      const child = spawn(program!, [...first, ...argv], { cwd, detached: true, stdio: ['ignore', log.fd, log.fd] });
      await new Promise<void>((settle, fail) => child.once('spawn', settle).once('error', fail));
      const job: Job = { id, argv: [...argv], run: project.named(dir), started, pid: child.pid! };
      running.add(id);
      await write(job);
      child.once('exit', (code, signal) => {
        running.delete(id);
        void write({ ...job, code: code ?? (signal === null ? 1 : 128) }).catch(() => undefined);
      });
      child.unref();
      return await shown(job);
    } finally {
      await log.close();
    }
  }

  const shown = async (job: Job): Promise<StartedJob> => ({
    id: job.id, command: `heed ${job.argv.join(' ')}`, run: job.run, started: job.started, status: await statusOf(job),
    log: await tail(file(job.id, 'log.txt')),
  });

  return {
    start(command) {
      // Two clicks at once start one run.
      const mine = starting.then(() => start(command));
      starting = mine.catch(() => undefined);
      return mine;
    },
    list: async () => Promise.all((await all()).map(shown)),
    async failureOf(dir) {
      const run = project.named(dir);
      const job = (await all()).find((one) => one.run === run);
      if (job === undefined || (await statusOf(job)) !== 'failed') return undefined;
      return failureIn(await tail(file(job.id, 'log.txt'))) ?? `heed ended with code ${job.code}`;
    },
  };
}

/** What the last line of an output that begins with `error:` or `failed:` says. */
const failureIn = (log: string): string | undefined => [...log.matchAll(/^(?:error|failed): (.*)$/gm)].at(-1)?.[1];

async function tail(path: string): Promise<string> {
  const file = await open(path, 'r').catch(() => undefined);
  if (file === undefined) return '';
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read(Buffer.alloc(LOG_TAIL), 0, LOG_TAIL, Math.max(0, size - LOG_TAIL));
    return hideKeys(buffer.subarray(0, bytesRead).toString('utf8'));
  } finally {
    await file.close();
  }
}

/**
 * The folder where a run was started: its own, less the `run.dir` of its recipe, at which the recipe's relative paths begin too. Undefined
 * where the run lies elsewhere than its recipe says, or the recipe names it from the root.
 */
export function startedIn(dir: string, runDir: unknown): string | undefined {
  if (typeof runDir !== 'string' || runDir === '') return undefined;
  const parts = normalize(runDir).split(sep).filter((part) => part !== '' && part !== '.');
  if (isAbsolute(runDir) || parts.length === 0 || parts[0] === '..') return undefined;
  const cwd = resolve(dir, ...parts.map(() => '..'));
  return join(cwd, ...parts) === dir ? cwd : undefined;
}
