import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { UserError } from '../../src/errors.js';
import { LABEL_FREE } from '../../src/label/recipe.js';
import { ALIGN_FREE } from '../../src/loop/align-recipe.js';
import { atomicWrite } from '../../src/run/files.js';
import { openRun, recipeChanges } from '../../src/run/folder.js';
import type { OpenRunOptions, RunFolder } from '../../src/run/folder.js';
import { openLog, readLog } from '../../src/run/metrics.js';

const RECIPE = 'model: m\ntrain:\n  steps: 3\nrun:\n  dir: x\n';
const row = (step: number, loss = 1) => ({ step, loss, lr: 0.1, tokens: 10, seconds: 0.5 });

let root = '';
let dir = '';
const opened: RunFolder[] = [];
const open = async (options: Partial<OpenRunOptions> = {}): Promise<RunFolder> => {
  const run = await openRun(dir, { recipe: RECIPE, resume: false, ...options });
  opened.push(run);
  return run;
};
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'heed-run-'));
  dir = join(root, 'a', 'run');
});
afterEach(async () => {
  for (const run of opened.splice(0)) await run.close();
  await rm(root, { recursive: true, force: true });
});

describe('openRun', () => {
  it('makes the folder with the recipe and gives the lock back', async () => {
    const run = await open();
    expect(run).toMatchObject({ resuming: false, finished: false });
    expect(await readFile(run.path('recipe.yaml'), 'utf8')).toBe(RECIPE);
    expect(await readdir(dir)).toContain('run.lock');
    await run.close();
    await run.close();
    expect((await readdir(dir)).sort()).toEqual(['metrics.jsonl', 'recipe.yaml', 'samples.jsonl']);
  });

  it('touches nothing of a folder that somebody else keeps files in, whatever it is asked', async () => {
    await mkdir(join(dir, 'work'), { recursive: true });
    const mine = { 'recipe.yaml': 'mine: 1\n', 'report.html': 'my report', 'work/notes.txt': 'my notes', 'other.txt': 'x' };
    for (const [name, text] of Object.entries(mine)) await writeFile(join(dir, name), text);
    for (const options of [{}, { resume: true }, { overwrite: true }]) {
      await expect(open(options)).rejects.toThrow(`${dir} holds recipe.yaml, report.html, work, and is not the folder of a run`);
    }
    await writeFile(join(dir, 'rows.jsonl'), '{}\n');
    await expect(open({ files: ['rows.jsonl'] })).rejects.toThrow('work, rows.jsonl, and is not the folder of a run');
    for (const [name, text] of Object.entries(mine)) expect(await readFile(join(dir, name), 'utf8')).toBe(text);
  });

  it('takes a folder with files of other names, and leaves them there', async () => {
    await mkdir(dir, { recursive: true });
    await writeFile(join(dir, 'mine.txt'), 'mine');
    await (await open()).close();
    await (await open({ overwrite: true })).close();
    expect(await readFile(join(dir, 'mine.txt'), 'utf8')).toBe('mine');
  });

  it('refuses a second run, naming the process', async () => {
    await open();
    await expect(open()).rejects.toThrow(`in use by process ${process.pid}`);
    expect(await readFile(join(dir, 'run.lock'), 'utf8')).toContain(`"pid":${process.pid}`);
  });

  it('takes over at once from a killed process', async () => {
    const run = await open();
    run.metrics.append(row(1));
    await run.close();
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const lock = JSON.stringify({ pid: child.pid, host: hostname(), started: '', since: 'then' });
    await writeFile(join(dir, 'run.lock'), lock);
    await expect(open({ resume: true })).rejects.toThrow(`in use by process ${child.pid}`);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect((await open({ resume: true })).resuming).toBe(true);
  });

  it('is not fooled by a process that was given the dead one\'s id', async () => {
    await (await open()).close();
    await writeFile(join(dir, 'run.lock'), JSON.stringify({ pid: process.pid, host: hostname(), started: 'boot/1', since: 'then' }));
    if (process.platform === 'linux') await open();
    else await expect(open()).rejects.toThrow('in use'); // no start times to read here: the careful answer
  });

  it('takes a cut lock, and leaves the lock of another machine', async () => {
    await (await open()).close();
    await writeFile(join(dir, 'run.lock'), '{"pi');
    await (await open()).close();
    await writeFile(join(dir, 'run.lock'), JSON.stringify({ pid: 1, host: 'elsewhere', started: '', since: 'then' }));
    await expect(open()).rejects.toThrow('process 1 on elsewhere');
  });

  it('lets only one of many take a dead lock', async () => {
    await (await open()).close();
    await writeFile(join(dir, 'run.lock'), JSON.stringify({ pid: 2 ** 30, host: hostname(), started: '', since: 'then' }));
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => open()));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('asks what to do with a run that is there', async () => {
    const run = await open();
    run.metrics.append(row(1));
    await run.close();
    const error = await open().catch((e: unknown) => e);
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).message).toContain('already holds a run (unfinished, 1 steps)');
    expect((error as UserError).hints.join()).toContain('--resume');
    await expect(open({ resume: true, overwrite: true })).rejects.toThrow('contradict');

    const again = await open({ resume: true });
    expect(again).toMatchObject({ resuming: true, finished: false });
    await again.writeSummary({ metric: 'x' });
    await again.close();
    await expect(open()).rejects.toThrow('(finished, 1 steps)');

    await writeFile(join(dir, 'notes.txt'), 'mine');
    const fresh = await open({ overwrite: true });
    expect(fresh.resuming).toBe(false);
    expect(await fresh.metrics.rows()).toEqual([]);
    expect(await readdir(dir)).toContain('notes.txt');
    expect(await readdir(dir)).not.toContain('summary.json');
  });

  it('keeps the run to be overwritten until the new one has something of its own', async () => {
    const good = await open();
    good.metrics.append(row(1, 0.5));
    await good.writeSummary({ good: true });
    await mkdir(good.adapterDir);
    await writeFile(join(good.adapterDir, 'weights'), 'w');
    await good.close();

    // Ended before its first step: its data were not there, say. Everything is as it was.
    const failing = await open({ overwrite: true, recipe: RECIPE.replace('3', '4') });
    expect(failing).toMatchObject({ resuming: false, finished: false });
    expect(await failing.metrics.rows()).toEqual([]);
    await failing.close();
    await failing.close();
    expect((await readdir(dir)).sort()).toEqual(['adapter', 'metrics.jsonl', 'recipe.yaml', 'samples.jsonl', 'summary.json']);
    expect(await readFile(join(dir, 'recipe.yaml'), 'utf8')).toBe(RECIPE);
    expect(await readLog(join(dir, 'metrics.jsonl'))).toMatchObject([{ loss: 0.5 }]);
    expect(await readFile(join(dir, 'adapter', 'weights'), 'utf8')).toBe('w');

    const better = await open({ overwrite: true });
    better.metrics.append(row(1, 0.25));
    await better.close();
    expect((await readdir(dir)).sort()).toEqual(['metrics.jsonl', 'recipe.yaml', 'samples.jsonl']);
    expect(await readLog(join(dir, 'metrics.jsonl'))).toMatchObject([{ loss: 0.25 }]);
  });

  it.each([
    // How far a killed process got: with moving the old run away, with putting it back, with its own first step.
    { left: ['.replaced.moving/summary.json', 'recipe.yaml'], back: ['recipe.yaml', 'summary.json'] },
    { left: ['.replaced/summary.json', '.replaced/recipe.yaml', 'recipe.yaml'], back: ['recipe.yaml', 'summary.json'] },
    { left: ['.replaced/summary.json', 'recipe.yaml', 'checkpoints/x'], back: ['checkpoints', 'recipe.yaml'] },
  ])('puts in order what a process killed while overwriting left: $left', async ({ left, back }) => {
    for (const name of left) await atomicWrite(join(dir, name), RECIPE);
    await (await open({ resume: true })).close();
    expect((await readdir(dir)).filter((name) => !name.endsWith('.jsonl')).sort()).toEqual(back);
  });

  it('starts over where a run stopped before its first step', async () => {
    await (await open()).close();
    // Which model it began with is written down before the first step.
    await atomicWrite(join(dir, 'work', 'model.json'), '{}');
    const other = await open({ recipe: 'model: other\n' });
    expect(other.resuming).toBe(false);
    expect(await readdir(dir)).not.toContain('work');
  });

  it('resumes only the same recipe; run.* may differ', async () => {
    const run = await open();
    run.metrics.append(row(1));
    await run.close();
    const changed = RECIPE.replace('steps: 3', 'steps: 4\n  seed: 1');
    await expect(open({ resume: true, recipe: changed })).rejects.toThrow(/train\.steps: 3 → 4\n {2}train\.seed: not set → 1/);
    await (await open({ resume: true, recipe: RECIPE.replace('dir: x', 'dir: y') })).close();
    expect(await readFile(join(dir, 'recipe.yaml'), 'utf8')).toContain('dir: y');
    expect(recipeChanges({ a: [1, 2] }, { a: [1, 3] })).toEqual(['a: [1,2] → [1,3]']);
  });

  it('may go on with more patience, but not with another judge', () => {
    const of = (allowedFailures: number, endpoint: object) =>
      ({ allowedFailures, judge: { endpoint }, answers: { by: { endpoint }, seed: 0 } });
    const before = of(0.05, { url: 'u', model: 'm', concurrency: 8, samples: 8, timeout: 120 });
    const patient = {
      url: 'u', model: 'm', concurrency: 1, samples: 8, timeout: 600, retries: 9, backoff: 1, keyFrom: 'KEY',
      rate: { requests: 1, seconds: 60 }, budget: { tokens: 9 }, prices: { prompt: 1, completion: 1 },
    };
    expect(recipeChanges(before, of(0.5, patient), LABEL_FREE)).toEqual([]);
    expect(recipeChanges(before, of(0.05, { ...patient, samples: 4, extra: { top_k: 1 } }), LABEL_FREE)).toEqual([
      'judge.endpoint.samples: 8 → 4', 'answers.by.endpoint.samples: 8 → 4',
      'judge.endpoint.extra.top_k: not set → 1', 'answers.by.endpoint.extra.top_k: not set → 1',
    ]);
    const people = (budget: number, human: object) => ({ budget, judge: { human: { questions: 'q', ...human } } });
    expect(recipeChanges(people(1, {}), people(2, { answers: ['a'] }), LABEL_FREE)).toEqual(['budget: 1 → 2']);
    expect(recipeChanges(people(1, {}), people(1, { answers: ['a'] }))).toEqual(['judge.human.answers: not set → ["a"]']);
    const rewards = (kind: string, endpoint: object) => ({ reward: { [kind]: { judge: { endpoint } } } });
    for (const kind of ['judgments', 'scores']) {
      expect(recipeChanges(rewards(kind, { timeout: 1 }), rewards(kind, { timeout: 2 }), ALIGN_FREE)).toEqual([]);
      expect(recipeChanges(rewards(kind, { samples: 1 }), rewards(kind, { samples: 2 }), ALIGN_FREE)).toEqual([
        `reward.${kind}.judge.endpoint.samples: 1 → 2`,
      ]);
      const several = (endpoint: object, weight = 1) => ({ rewards: { mine: { [kind]: { judge: { endpoint } }, weight } } });
      expect(recipeChanges(several({ timeout: 1 }), several({ timeout: 2 }), ALIGN_FREE)).toEqual([]);
      expect(recipeChanges(several({}), several({}, 2), ALIGN_FREE)).toEqual(['rewards.mine.weight: 1 → 2']);
    }
  });

  it('of a panel may differ in how patient each judge is, and not in what it is asked', () => {
    const panel = (endpoint: object) => ({ reward: { panel: { judges: [{ local: {} }, { endpoint }] } } });
    expect(recipeChanges(panel({ retries: 1 }), panel({ retries: 9 }), ALIGN_FREE)).toEqual([]);
    expect(recipeChanges(panel({ model: 'a' }), panel({ model: 'b' }), ALIGN_FREE)).not.toEqual([]);
  });

  it('may differ in the keys that the job names, and in no others', async () => {
    const recipe = (patience: number, seed: number) => `model: m\nserver:\n  patience: ${patience}\nseed: ${seed}\nserverless: ${seed}\n`;
    const run = await open({ recipe: recipe(1, 0), free: ['server'] });
    run.metrics.append(row(1));
    await run.close();
    await (await open({ recipe: recipe(2, 0), free: ['server'], resume: true })).close();
    await expect(open({ recipe: recipe(2, 0), free: [], resume: true })).resolves.toMatchObject({ resuming: true });
    await opened.pop()!.close();
    await expect(open({ recipe: recipe(3, 0), free: [], resume: true })).rejects.toThrow('server.patience: 2 → 3');
    await expect(open({ recipe: recipe(2, 1), free: ['server'], resume: true })).rejects.toThrow(/seed: 0 → 1\n {2}serverless: 0 → 1/);
  });

  it('replaces the files that the job names together with the run', async () => {
    const run = await open({ files: ['mine.jsonl'] });
    run.metrics.append(row(1));
    await writeFile(run.path('mine.jsonl'), 'm');
    await writeFile(run.path('yours.jsonl'), 'y');
    await run.close();
    const fresh = await open({ files: ['mine.jsonl'], overwrite: true });
    fresh.metrics.append(row(1));
    await fresh.close();
    expect((await readdir(dir)).sort()).toEqual(['metrics.jsonl', 'recipe.yaml', 'samples.jsonl', 'yours.jsonl']);
  });

  it('refuses a path that is a file', async () => {
    await writeFile(join(root, 'a'), '');
    await expect(open()).rejects.toBeInstanceOf(UserError);
    dir = join(root, 'a');
    await expect(open()).rejects.toThrow('is a file');
  });
});

describe('a log', () => {
  it('drops a half-written last line, then goes on', async () => {
    const path = join(root, 'm.jsonl');
    await writeFile(path, `${JSON.stringify(row(1))}\n${JSON.stringify(row(2))}\n{"step":3,"lo`);
    expect(await readLog(path)).toHaveLength(2);
    const log = openLog(path);
    log.append(row(3));
    log.append({ step: 4, loss: NaN });
    expect(await log.rows()).toEqual([row(1), row(2), row(3), { step: 4, loss: null }]);
    log.close();
    expect(() => log.append(row(5))).toThrow('closed');
  });

  it('is cut back to a checkpoint', async () => {
    const path = join(root, 'm.jsonl');
    const log = openLog(path);
    log.append({ note: 'before the first step' });
    for (const step of [1, 2, 3, 4]) log.append(row(step));
    await log.truncateAfter(2);
    log.append(row(3, 7));
    expect(await log.rows()).toEqual([{ note: 'before the first step' }, row(1), row(2), row(3, 7)]);
    log.close();
    expect(await readdir(root)).toEqual(['m.jsonl']);
  });

  it('finds the last whole line of a long file', async () => {
    const path = join(root, 'm.jsonl');
    await writeFile(path, `${JSON.stringify(row(1))}\n${'x'.repeat(200_000)}`);
    openLog(path).close();
    expect(await readFile(path, 'utf8')).toBe(`${JSON.stringify(row(1))}\n`);
  });

  it('names a line that something else broke', async () => {
    const path = join(root, 'm.jsonl');
    await writeFile(path, '{"step":1}\n');
    await appendFile(path, 'oops\n{"step":2}\n');
    await expect(readLog(path)).rejects.toThrow('m.jsonl:2: not a JSON object: oops');
    expect(await readLog(join(root, 'none'))).toEqual([]);
  });
});

describe('atomicWrite', () => {
  it('replaces whole files, also piece by piece, and leaves nothing behind', async () => {
    const path = join(root, 'deep', 'f');
    await atomicWrite(path, 'one');
    await atomicWrite(path, [Buffer.from('tw'), Buffer.from('o')]);
    expect(await readFile(path, 'utf8')).toBe('two');
    const failing = function* (): Generator<Uint8Array> {
      yield Buffer.from('half');
      throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
    };
    await expect(atomicWrite(path, failing())).rejects.toThrow(`Disk full while writing ${path}`);
    expect(await readFile(path, 'utf8')).toBe('two');
    expect(await readdir(join(root, 'deep'))).toEqual(['f']);
  });

  it('reports a real full disk', async () => {
    if (process.platform !== 'linux') return;
    const log = openLog('/dev/full');
    expect(() => log.append({ step: 1 })).toThrow('Disk full while writing /dev/full');
    log.close();
  });
});
