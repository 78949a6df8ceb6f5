import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { runAlignment } from '../../src/loop/align-job.js';
import { AlignRecipe } from '../../src/loop/align-recipe.js';
import { openRun } from '../../src/run/folder.js';
import { silentProgress } from '../../src/run/progress.js';
import { loadRecipe } from '../../src/run/recipe.js';
import { heed } from '../cli/support.js';
import { promptLines } from '../support/rows.js';
import { scratchFolder } from '../support/scratch.js';
import { tinyTalker } from './talkative.js';
import { type Stop, adapterBytes, bytes, heedStopped, log } from '../train/interrupted.js';

// An alignment run that is killed while it answers and again while it trains ends where one that was never killed ends.
const { folder, write } = scratchFolder();
let recipe: string;
const dirOf = (name: string): string => join(folder, name);
const args = (name: string, ...more: string[]): string[] => ['align', recipe, `run.dir=${dirOf(name)}`, ...more];
let whole: { before: object; after: object; rounds: object };

beforeAll(async () => {
  const model = await tinyTalker(folder, { context: 512 });
  // More than one batch of answers, so that a kill can leave one behind.
  const train = write('train.jsonl', promptLines(104, 'Why'));
  const held = write('held.jsonl', promptLines(4, 'How'));
  const rules = write('tiny.rules.yaml', `
name: tiny
rules:
  - {id: letters, kind: forbidden-pattern, pattern: '[a-m]', message: 'It has {quotes}.'}
`);
  recipe = write('recipe.yaml', `
model: ${model}
data: ${train}
judge: rules:${rules}
generate: {maxNewTokens: 8}
loop: {iterations: 2}
evaluate: {prompts: ${held}, maxNewTokens: 6}
method: {name: cut, ratio: null}
adapter: {rank: 2, alpha: 4, targets: [q_proj, down_proj], dropout: 0.1}
train: {steps: 3, batch: 8, learningRate: 1e-2, schedule: constant, checkpointEvery: 2}
run: {dir: unused}
`);
  const ran = await heed(args('whole', '--json'));
  expect(ran.code, ran.err).toBe(0);
  whole = ran.json();
  expect(ran.json<{ rounds: { trainedOn: number }[] }>().rounds.map(({ trainedOn }) => trainedOn > 8), ran.out).toEqual([true, true]);
});

/** The answers of a round; a kill changes the order in which they were finished and nothing else. */
const answers = (dir: string, k: number): string[] => bytes(dir, 'work', `round-${k}`, 'answers.jsonl').toString().split('\n').sort();

function expectAsWhole(dir: string): void {
  const was = dirOf('whole');
  expect(log(dir)).toEqual(log(was));
  expect(log(dir)).toHaveLength(7);
  for (const k of [1, 2]) expect(answers(dir, k)).toEqual(answers(was, k));
  expect(log(dir, 'samples.jsonl')).toEqual(log(was, 'samples.jsonl'));
  expect(adapterBytes(dir).equals(adapterBytes(was))).toBe(true);
}

const kill = async (argv: readonly string[], stop: Omit<Stop, 'how'>): Promise<void> => {
  const killed = await heedStopped(argv, { how: 'SIGKILL', ...stop });
  expect(killed.signal, killed.err).toBe('SIGKILL');
};

describe('heed align', () => {
  it('killed while answering and while training, ends at the same numbers', async () => {
    // The second batch of answers, in the middle of a line: the first is kept.
    await kill(args('killed'), { on: 'line', matching: '^\\{"round":1,"row":101,' });
    await kill(args('killed', '--resume'), { on: 'line', matching: '^\\{"step":5,"round":2' });
    const resumed = await heed(args('killed', '--resume', '--json'));
    expect(resumed.code, resumed.err).toBe(0);
    expect(resumed.json()).toMatchObject({ before: whole.before, after: whole.after, rounds: whole.rounds });
    expectAsWhole(dirOf('killed'));
  });

  it('that had finished keeps its summary, with what the work cost, when it is measured again', async () => {
    const summary = (): Record<string, unknown> => JSON.parse(bytes(dirOf('whole'), 'summary.json').toString()) as Record<string, unknown>;
    const before = summary();
    const resumed = await heed(args('whole', '--resume', '--json'));
    expect(resumed.code, resumed.err).toBe(0);
    expect(summary()).toEqual({ ...before, resumedFrom: 6 });
    expect(resumed.json()).toMatchObject(summary());
  });

  it('killed between two iterations, ends at the same numbers', async () => {
    await kill(args('between'), { on: 'rename', matching: 'step-000003$' });
    await kill(args('between', '--resume'), { on: 'rename', matching: 'summary.json$' });
    const resumed = await heed(args('between', '--resume', '--json'));
    expect(resumed.json()).toMatchObject({ before: whole.before, after: whole.after, rounds: whole.rounds });
    expectAsWhole(dirOf('between'));
  });

  it('asked to stop while it answers held-out prompts, stops there, and goes on to the same numbers', async () => {
    const { recipe: parsed, text } = await loadRecipe(recipe, [`run.dir=${dirOf('stopped')}`], AlignRecipe);
    const run = await openRun(dirOf('stopped'), { recipe: text, resume: false });
    const interrupt = { requested: false };
    const progress = {
      ...silentProgress,
      start: (what: string) => {
        interrupt.requested = what === 'answering the held-out prompts, after training';
      },
    };
    await expect(runAlignment(parsed, run, { interrupt, progress })).rejects.toThrow(/Stopped while answering the held-out prompts/);
    await run.close();
    const resumed = await heed(args('stopped', '--resume', '--json'));
    expect(resumed.json()).toMatchObject({ before: whole.before, after: whole.after, rounds: whole.rounds });
    expectAsWhole(dirOf('stopped'));
  });

  it('resumed after its end is as it was', async () => {
    const samples = log(dirOf('whole'), 'samples.jsonl');
    const again = await heed(args('whole', '--resume', '--json'));
    expect(again.json()).toMatchObject({ before: whole.before, after: whole.after, rounds: whole.rounds });
    expect(log(dirOf('whole'), 'samples.jsonl')).toEqual(samples);
  });

  it.each([
    ['state.json', (whole: Buffer) => whole.subarray(0, 40), /step-000006.state\.json is not whole/],
    ['state.safetensors', (whole: Buffer) => Buffer.from(whole).fill(64, whole.length - 2), /step-000006.state\.safetensors is not as this run wrote it/],
  ])('refuses to go on from a %s that something else changed, and says how', async (name, change, message) => {
    const file = join(dirOf('whole'), 'checkpoints', 'step-000006', name);
    const before = readFileSync(file);
    writeFileSync(file, change(before));
    const ran = await heed(args('whole', '--resume'));
    writeFileSync(file, before);
    expect(ran.code).toBe(2);
    expect(ran.err).toMatch(message);
    expect(ran.err).toMatch(/Remove .*step-000006: --resume then goes on from the checkpoint before it/);
  });

  it.each(['state.json', 'state.safetensors'])('refuses to go on from a checkpoint without %s, and says how', async (name) => {
    const file = join(dirOf('whole'), 'checkpoints', 'step-000006', name);
    const before = readFileSync(file);
    rmSync(file);
    const ran = await heed(args('whole', '--resume'));
    writeFileSync(file, before);
    expect(ran.code).toBe(2);
    expect(ran.err).toContain(`${file} is missing: something other than this run removed it.`);
    expect(ran.err).toMatch(/Remove .*step-000006: --resume then goes on from the checkpoint before it/);
  });

  it('says which lines of its log were lost', async () => {
    const file = join(dirOf('whole'), 'metrics.jsonl');
    const before = readFileSync(file, 'utf8');
    writeFileSync(file, before.split('\n').slice(0, 4).map((line) => `${line}\n`).join(''));
    const ran = await heed(args('whole', '--resume'));
    writeFileSync(file, before);
    expect(ran.code, ran.err).toBe(0);
    expect(ran.err).toContain(`${file} ends at step 4, and the run goes on from step 6: lines between were lost.`);
  });

  it('says that samples were lost', async () => {
    const file = join(dirOf('whole'), 'samples.jsonl');
    const before = readFileSync(file, 'utf8');
    const heatmaps = before.split('\n').filter((line) => line.includes('"heatmap"')).length;
    writeFileSync(file, before.slice(before.indexOf('\n') + 1));
    const ran = await heed(args('whole', '--resume'));
    writeFileSync(file, before);
    expect(ran.code, ran.err).toBe(0);
    expect(heatmaps).toBeGreaterThan(0);
    expect(ran.err).toContain(`${file} has ${heatmaps - 1} of ${heatmaps} lines that were written by step 6: the others were lost.`);
  });

  it('refuses to go on with other prompts, another judge, another recipe or another model', async () => {
    const refused = async (file: string, change: (text: string) => string, message: RegExp): Promise<void> => {
      const path = join(folder, file);
      const before = readFileSync(path, 'utf8');
      writeFileSync(path, change(before));
      const ran = await heed(args('whole', '--resume'));
      writeFileSync(path, before);
      expect(ran.code).toBe(2);
      expect(ran.err).toMatch(message);
    };
    await refused('train.jsonl', (text) => text.replace('Why 3?', 'Why four?'), /The prompts are not those that this run began with, .*: the first that differs is .*train\.jsonl:4\./);
    await refused('held.jsonl', (text) => text.replace('How 3?', 'How four?'), /The prompts are not those/);
    await refused('tiny.rules.yaml', (text) => text.replace('It has', 'There is'), /The reward is not the one that this run began with/);
    await refused('recipe.yaml', (text) => text.replace('iterations: 2', 'iterations: 3'), /loop.iterations: 2 → 3/);
    await refused('tiny-512/tokenizer.json', (text) => `${text}\n`, /The model .* is not the one that this run began with/);
  });
});
