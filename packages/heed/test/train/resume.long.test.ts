import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { openRun } from '../../src/run/folder.js';
import { silentProgress } from '../../src/run/progress.js';
import { loadRecipe } from '../../src/run/recipe.js';
import { Interrupted } from '../../src/run/signals.js';
import { TrainRecipe } from '../../src/loop/train-recipe.js';
import { runTraining } from '../../src/loop/train-job.js';
import { heed, tinyChat } from '../cli/support.js';
import { scratchFolder } from '../support/scratch.js';
import { withWholeBlocks } from '../support/whole-blocks.js';
import { adapterBytes, heedStopped, log } from './interrupted.js';

// Stopped anywhere, by asking or by SIGKILL, a run goes on to the same numbers as one that was never stopped: bit for bit.
const { folder, write } = scratchFolder();
const ROWS = Array.from({ length: 10 }, (_, i) => ({
  prompt: `Question ${i % 4}?`,
  completion: `The answer is ${'very '.repeat(i % 3)}${i * 7}.`,
  judgment: i % 3 === 2 ? null : `"${i * 7}" is wrong.`,
}));
const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
let recipe: string;
let data: string;
const whole: Record<string, string> = {};
const dirOf = (name: string): string => join(folder, name);
const args = (name: string, dropout: number, ...more: string[]): string[] =>
  ['train', recipe, `run.dir=${dirOf(name)}`, `adapter.dropout=${dropout}`, ...more];

beforeAll(async () => {
  const { model } = await tinyChat(folder, { context: 512 });
  data = write('rows.jsonl', lines(ROWS));
  recipe = write('recipe.yaml', `
model: ${model}
data: ${data}
method: {name: cut, ratio: null}
adapter: {rank: 2, alpha: 4, targets: [q_proj, down_proj]}
train: {steps: 6, batch: 4, learningRate: 1e-2, warmup: 1, weightDecay: 0.01, checkpointEvery: 2, seed: 5}
run: {dir: unused}
`);
  for (const dropout of [0, 0.1]) {
    const name = `whole-${dropout}`;
    const ran = await heed(args(name, dropout));
    expect(ran.code, ran.err).toBe(0);
    whole[dropout] = dirOf(name);
  }
});

function expectAsWhole(dir: string, dropout: number): void {
  expect(log(dir)).toEqual(log(whole[dropout]!));
  expect(log(dir)).toHaveLength(7);
  expect(log(dir, 'samples.jsonl')).toEqual(log(whole[dropout]!, 'samples.jsonl'));
  expect(adapterBytes(dir).equals(adapterBytes(whole[dropout]!))).toBe(true);
}

afterEach(() => vi.unstubAllEnvs());

describe('heed train', () => {
  it('learns something else with dropout, or the comparisons below would mean little', () => {
    expect(log(whole[0]!)).not.toEqual(log(whole['0.1']!));
  });

  it.each([0, 0.1])('stopped after step 3 goes on to the same numbers, dropout %d', async (dropout) => {
    const dir = dirOf(`asked-${dropout}`);
    const loaded = await loadRecipe(recipe, [`run.dir=${dir}`, `adapter.dropout=${dropout}`], TrainRecipe);
    const interrupt = { requested: false };
    const run = await openRun(dir, { recipe: loaded.text, resume: false });
    const progress = { ...silentProgress, update: (step: number) => { interrupt.requested = step === 3; } };
    await expect(runTraining(loaded.recipe, run, { interrupt, progress })).rejects.toThrow(Interrupted);
    await run.close();
    expect(log(dir)).toHaveLength(4);
    const resumed = await heed(args(`asked-${dropout}`, dropout, '--resume', '--json'));
    expect(resumed.json()).toMatchObject({ resumedFrom: 3, steps: 6 });
    expectAsWhole(dir, dropout);
  });

  it.each([
    { when: 'in the middle of a log line, a step after a checkpoint', on: 'line', matching: '^\\{"step":5,', resumedFrom: 4 },
    { when: 'while a checkpoint is put in place', on: 'rename', matching: 'step-000004$', resumedFrom: 2 },
    { when: 'before any checkpoint', on: 'line', matching: '^\\{"step":2,', resumedFrom: undefined },
    { when: 'while the adapter is saved', on: 'rename', matching: 'adapter_model.safetensors$', resumedFrom: 6 },
  ] as const)('killed $when, goes on to the same numbers', async ({ on, matching, resumedFrom }) => {
    const name = `killed-${on}-${resumedFrom ?? 0}`;
    const killed = await heedStopped(args(name, 0.1), { how: 'SIGKILL', on, matching });
    expect(killed.signal, killed.err).toBe('SIGKILL');
    const resumed = await heed(args(name, 0.1, '--resume', '--json'));
    expect(resumed.code, resumed.err).toBe(0);
    expect(resumed.json()['resumedFrom']).toBe(resumedFrom);
    expectAsWhole(dirOf(name), 0.1);
    expect(readdirSync(join(dirOf(name), 'checkpoints'))).toEqual(['step-000004', 'step-000006']);
  });

  it('killed on a base in 4 bits, goes on to the same numbers', async () => {
    const { model } = await tinyChat(folder, { context: 500 });
    await withWholeBlocks(model);
    vi.stubEnv('HEED_CACHE', dirOf('cache'));
    const int4 = [`model=${model}`, 'precision=int4'];
    const [unstopped, killed] = ['rounded', 'rounded-killed'];
    const ran = await heed(args(unstopped, 0, ...int4));
    expect(ran.code, ran.err).toBe(0);
    expect(log(dirOf(unstopped))).not.toEqual(log(whole[0]!));
    const stopped = await heedStopped(args(killed, 0, ...int4), { how: 'SIGKILL', on: 'line', matching: '^\\{"step":5,' });
    expect(stopped.signal, stopped.err).toBe('SIGKILL');
    const resumed = await heed(args(killed, 0, ...int4, '--resume'));
    expect(resumed.code, resumed.err).toBe(0);
    expect(log(dirOf(killed))).toEqual(log(dirOf(unstopped)));
    expect(adapterBytes(dirOf(killed)).equals(adapterBytes(dirOf(unstopped)))).toBe(true);
  });

  const asked = [['SIGINT', 130], ['SIGTERM', 143]] as const;
  it.each(asked)('%s: stops with exit code %i, having saved its step, and goes on', async (how, code) => {
    const stopped = await heedStopped(args(how, 0), { how, on: 'line', matching: '^\\{"step":3,' });
    expect(stopped.code, stopped.err).toBe(code);
    expect(stopped.err).toMatch(/after step [34] of 6; go on with --resume/);
    const resumed = await heed(args(how, 0, '--resume', '--json'));
    expect(resumed.code, resumed.err).toBe(0);
    expectAsWhole(dirOf(how), 0);
  });

  it.each([
    ['before', 1],
    ['after', 2],
  ] as const)('stopped while held-out rows are scored, %s training, goes on to the same numbers', async (when, wanted) => {
    const dir = dirOf(`scoring-${when}`);
    const loaded = await loadRecipe(recipe, [`run.dir=${dir}`, 'data.eval=3', 'train.steps=2'], TrainRecipe);
    const go = async (resume: boolean, started?: (what: string) => void, interrupt = { requested: false }) => {
      const run = await openRun(resume || started !== undefined ? dir : dirOf(`unstopped-${when}`), { recipe: loaded.text, resume });
      try {
        return await runTraining(loaded.recipe, run, { interrupt, progress: { ...silentProgress, start: (what) => started?.(what) } });
      } finally {
        await run.close();
      }
    };
    const interrupt = { requested: false };
    let scored = 0;
    await expect(
      go(
        false,
        (what) => {
          interrupt.requested ||= what === 'scoring held-out rows' && ++scored === wanted;
        },
        interrupt,
      ),
    ).rejects.toThrow(/^Stopped while scoring held-out rows; go on with --resume/);
    expect(interrupt.requested && scored).toBe(wanted);
    const [resumed, unstopped] = [await go(true), await go(false)];
    expect(resumed.before).toBeDefined();
    expect([resumed.before, resumed.after, resumed.change]).toEqual([unstopped.before, unstopped.after, unstopped.change]);
    expect(adapterBytes(dir).equals(adapterBytes(dirOf(`unstopped-${when}`)))).toBe(true);
  });

  it('resumed after its end is as it was', async () => {
    const ran = await heed(args('whole-0', 0, '--resume', '--json'));
    expect(ran.code, ran.err).toBe(0);
    expect(log(whole[0]!)).toHaveLength(7);
  });
});

describe('heed train refuses', () => {
  const stopped = async (name: string): Promise<string> => {
    const dir = dirOf(name);
    const loaded = await loadRecipe(recipe, [`run.dir=${dir}`], TrainRecipe);
    const run = await openRun(dir, { recipe: loaded.text, resume: false });
    await expect(runTraining(loaded.recipe, run, { interrupt: { requested: true } })).rejects.toThrow(Interrupted);
    await run.close();
    return dir;
  };
  const withRows = async <T>(rows: readonly object[], f: () => Promise<T>): Promise<T> => {
    const before = readFileSync(data);
    writeFileSync(data, lines(rows));
    try {
      return await f();
    } finally {
      writeFileSync(data, before);
    }
  };

  it.each([
    ['a changed row', ROWS.map((row, i) => (i === 3 ? { ...row, completion: 'Something else.' } : row))],
    ['fewer rows', ROWS.slice(0, 5)],
    ['rows in another order', [...ROWS].reverse()],
  ])('to resume with %s', async (name, rows) => {
    const dir = await stopped(`changed ${name}`);
    const before = log(dir);
    const ran = await withRows(rows, () => heed(args(`changed ${name}`, 0, '--resume')));
    expect(ran.code).toBe(2);
    expect(ran.err).toMatch(/not those that this run began with[^]*--overwrite/);
    expect(log(dir)).toEqual(before);
    expect((await heed(args(`changed ${name}`, 0, '--resume'))).code).toBe(0);
    expectAsWhole(dir, 0);
  });

  it('to resume with so few rows that the run would have ended before', async () => {
    const dir = dirOf('shrunk');
    const oneEpoch = (...more: string[]): string[] => args('shrunk', 0, 'train.epochs=2', ...more);
    const killed = await heedStopped(oneEpoch(), { how: 'SIGKILL', on: 'line', matching: '^\\{"step":5,' });
    expect(killed.signal, killed.err).toBe('SIGKILL');
    const ran = await withRows(ROWS.slice(0, 4), () => heed(oneEpoch('--resume')));
    expect(ran.code).toBe(2);
    expect(ran.err).toMatch(/not those that this run began with/);
    expect(log(dir)).toHaveLength(5);
  });

  it('to resume with another recipe, naming what differs', async () => {
    const ran = await heed(args('asked-0', 0, '--resume', 'train.learningRate=1e-3'));
    expect(ran.code).toBe(2);
    expect(ran.err).toMatch(/train.learningRate: 0.01 → 0.001/);
  });

  it('a folder with a finished run, and leaves it as it was', async () => {
    const ran = await heed(args('whole-0', 0));
    expect(ran.code).toBe(2);
    expect(ran.err).toMatch(/already holds a run \(finished, 6 steps\)[^]*--overwrite/);
    expect(log(whole[0]!)).toHaveLength(7);
  });

  it('a folder that another run is using', async () => {
    const loaded = await loadRecipe(recipe, [`run.dir=${dirOf('busy')}`], TrainRecipe);
    const run = await openRun(dirOf('busy'), { recipe: loaded.text, resume: false });
    try {
      const ran = await heed(args('busy', 0, '--resume'));
      expect(ran.code).toBe(2);
      expect(ran.err).toContain(`in use by process ${process.pid}`);
    } finally {
      await run.close();
    }
  });
});
