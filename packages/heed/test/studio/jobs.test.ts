import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';

import type { RunDetail, StartedJob } from '../../src/studio/api.js';
import { createStudio } from '../../src/studio/app.js';
import { type StudioContext, openContext } from '../../src/studio/context.js';
import { startedIn } from '../../src/studio/jobs.js';
import { scratchFolder } from '../support/scratch.js';

const { folder, write } = scratchFolder();

/**
 * In the place of `heed`: says what it was given, holds the lock of the run as a real run does, and ends when it is told to. `fail` in the
 * recipe has it fail as `heed` fails.
 */
const HEED = write('heed.mjs', `
import { readFileSync, writeFileSync, mkdirSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
const [verb, file, flag = ''] = process.argv.slice(2);
const recipe = readFileSync(file, 'utf8');
if (recipe.includes('fail')) { console.error('error: recipe.yaml:1: fail is no key sk-abcdefghijklmnop'); process.exit(2); }
const dir = /dir: (\\S+)/.exec(recipe)[1];
mkdirSync(dir, { recursive: true });
writeFileSync(dir + '/recipe.yaml', recipe);
writeFileSync(dir + '/metrics.jsonl', '{"step":1,"loss":1}\\n');
writeFileSync(dir + '/run.lock', JSON.stringify({ pid: process.pid, host: hostname(), started: '', since: new Date().toISOString() }));
console.log([verb, file, flag, process.cwd()].join(' '));
const end = (code) => { rmSync(dir + '/run.lock'); process.exit(code); };
process.on('SIGINT', () => end(130));
setInterval(() => undefined, 1000);
`);

const until = vi.waitUntil;
let projects = 0;
const pids: number[] = [];
afterEach(() => {
  for (const pid of pids.splice(0)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // it has ended
    }
  }
});

interface Client {
  readonly project: string;
  readonly context: StudioContext;
  get<T>(path: string): Promise<T>;
  post(path: string, body: object): Promise<{ status: number; body: StartedJob & { error?: { message: string } } }>;
}

async function open(project = join(folder, `project-${projects++}`)): Promise<Client> {
  mkdirSync(project, { recursive: true });
  const context = await openContext(project, { signal: new AbortController().signal, heed: [process.execPath, HEED] });
  const app = createStudio(context);
  const headers = { host: '127.0.0.1', 'content-type': 'application/json' };
  return {
    project, context,
    get: async <T>(path: string) => (await (await app.request(`http://127.0.0.1/api/${path}`, { headers })).json()) as T,
    async post(path, body) {
      const answer = await app.request(`http://127.0.0.1/api/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
      return { status: answer.status, body: (await answer.json()) as StartedJob & { error?: { message: string } } };
    },
  };
}

const recipeOf = (dir: string, more = ''): string => `model: m\nmethod: sft\nrun:\n  dir: ${dir}\n${more}`;
const statusOf = async ({ get }: Client, run: string): Promise<string> => (await get<RunDetail>(`run?run=${run}`)).line.status;

/** Starts a run and waits until it holds its lock. */
async function begin(client: Client, run: string): Promise<void> {
  expect((await client.post('jobs', { recipe: recipeOf(run) })).status).toBe(200);
  await until(() => existsSync(join(client.project, run, 'run.lock')), { timeout: 10_000 });
  pids.push((JSON.parse(readFileSync(join(client.project, run, 'run.lock'), 'utf8')) as { pid: number }).pid);
}

describe('a run that the studio starts', () => {
  it('runs in the project folder, one at a time, stops where it is asked to, and goes on', async () => {
    const client = await open();
    await begin(client, 'runs/a');
    expect(await statusOf(client, 'runs/a')).toBe('running');
    const second = await client.post('jobs', { recipe: recipeOf('runs/b') });
    expect(second.status).toBe(409);
    expect(second.body.error!.message).toBe('runs/a is being trained: one run at a time, since each takes all cores.');
    expect((await client.post('run/delete', { run: 'runs/a' })).status).toBe(409);

    expect((await client.post('run/stop', { run: 'runs/a' })).status).toBe(200);
    await until(async () => (await statusOf(client, 'runs/a')) === 'stopped', { timeout: 10_000 });
    expect((await client.post('run/stop', { run: 'runs/a' })).status).toBe(409);

    await until(async () => (await client.get<StartedJob[]>('jobs'))[0]!.status === 'stopped', { timeout: 10_000 });
    const { status, body } = await client.post('run/resume', { run: 'runs/a' });
    expect([status, body.command]).toEqual([200, 'heed train runs/a/recipe.yaml --resume']);
    await until(() => existsSync(join(client.project, 'runs/a/run.lock')), { timeout: 10_000 });
    pids.push((JSON.parse(readFileSync(join(client.project, 'runs/a/run.lock'), 'utf8')) as { pid: number }).pid);
    const [newest, oldest] = await client.get<StartedJob[]>('jobs');
    expect(newest!.log).toBe(`train runs/a/recipe.yaml --resume ${client.context.project.folder}\n`);
    expect(oldest!.log).toBe(`train .heed-jobs/recipes/runs-a.yaml  ${client.context.project.folder}\n`);
  });

  it('outlives the studio, and the next one knows it', async () => {
    const client = await open();
    await begin(client, 'runs/a');
    const next = await open(client.project);
    expect(await statusOf(next, 'runs/a')).toBe('running');
    expect((await next.get<StartedJob[]>('jobs'))[0]!.status).toBe('running');
    expect((await next.post('jobs', { recipe: recipeOf('runs/b') })).status).toBe(409);
    await next.post('run/stop', { run: 'runs/a' });
    await until(async () => (await statusOf(next, 'runs/a')) === 'stopped', { timeout: 10_000 });
  });

  it('is asked to stop once: a second signal would end it before it saved', async () => {
    const client = await open();
    const dir = join(client.project, 'runs/slow');
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, 'recipe.yaml'), recipeOf('runs/slow'));
    writeFileSync(join(dir, 'metrics.jsonl'), '');
    const slow = 'process.on("SIGINT", () => console.log("asked")); console.log("up"); setInterval(() => 0, 1e3)';
    const child: ChildProcess = spawn(process.execPath, ['-e', slow]);
    pids.push(child.pid!);
    await once(child.stdout!, 'data');
    writeFileSync(join(dir, 'run.lock'), JSON.stringify({ pid: child.pid, host: '', started: '', since: '2026-01-01T00:00:00Z' }));
    const asked = once(child.stdout!, 'data');
    expect((await client.post('run/stop', { run: 'runs/slow' })).status).toBe(200);
    expect(String((await asked)[0])).toBe('asked\n');
    expect(await statusOf(client, 'runs/slow')).toBe('stopping');
    const again = await client.post('run/stop', { run: 'runs/slow' });
    expect(again.status).toBe(409);
    expect(again.body.error!.message).toBe('The run was asked to stop: it saves after the step that is under way.');
  });

  it('that fails says why, without a key, also to a later studio', async () => {
    const client = await open();
    mkdirSync(join(client.project, 'runs/bad'), { recursive: true });
    writeFileSync(join(client.project, 'runs/bad/recipe.yaml'), 'model: m\n');
    writeFileSync(join(client.project, 'runs/bad/metrics.jsonl'), '');
    await client.post('jobs', { recipe: recipeOf('runs/bad', '# fail\n') });
    await until(async () => (await client.get<StartedJob[]>('jobs'))[0]!.status === 'failed', { timeout: 10_000 });
    const { line } = await (await open(client.project)).get<RunDetail>('run?run=runs/bad');
    expect(line).toMatchObject({ status: 'failed', reason: 'recipe.yaml:1: fail is no key [key]' });
  });

  it.each([
    ['not: [yaml', 'The recipe is not YAML'], ['just words', 'The recipe names nothing'], ['model: m', 'The recipe has no run.dir'],
  ])('is refused where its recipe is %j', async (recipe, says) => {
    const { status, body } = await (await open()).post('jobs', { recipe });
    expect([status, body.error!.message.startsWith(says)]).toEqual([400, true]);
  });
});

describe('the folder that a run was started in', () => {
  it.each([
    ['/p/runs/cut', 'runs/cut', '/p'], ['/p/runs/cut', './runs/cut/', '/p'], ['/p/cut', 'runs/cut', undefined],
    ['/p/runs/cut', '../runs/cut', undefined], ['/p/runs/cut', '/p/runs/cut', undefined], ['/p/runs/cut', undefined, undefined],
  ])('of %s with run.dir %s is %s', (dir, runDir, expected) => expect(startedIn(dir, runDir)).toBe(expected));
});

describe('the bin', () => {
  it('keeps what was deleted, and puts nothing over what came since', async () => {
    const client = await open();
    const dir = join(client.project, 'runs/a');
    const make = (text: string): void => {
      mkdirSync(dir, { recursive: true });
      writeFileSync(join(dir, 'recipe.yaml'), text);
      writeFileSync(join(dir, 'metrics.jsonl'), '');
    };
    make('model: first\n');
    const { body: { id } } = await client.post('run/delete', { run: 'runs/a' });
    expect(existsSync(dir)).toBe(false);
    make('model: second\n');
    expect((await client.post('bin/restore', { id })).status).toBe(409);
    expect(readFileSync(join(dir, 'recipe.yaml'), 'utf8')).toBe('model: second\n');
    await client.post('run/delete', { run: 'runs/a' });
    expect((await client.post('bin/restore', { id })).status).toBe(200);
    expect(readFileSync(join(dir, 'recipe.yaml'), 'utf8')).toBe('model: first\n');
    expect(await client.get<unknown[]>('bin')).toHaveLength(1);
    expect((await client.post('bin/restore', { id: '../../outside' })).status).toBe(404);
  });
});
