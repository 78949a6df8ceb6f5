import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BenchmarkRecipe } from '../src/evaluate/benchmark-recipe.js';
import { TASKS } from '../src/evaluate/tasks/index.js';
import { AlignRecipe } from '../src/loop/align-recipe.js';
import { METHOD_NAMES } from '../src/method/index.js';
import { loadRecipe } from '../src/run/recipe.js';
import { TrainRecipe } from '../src/loop/train-recipe.js';
import { heed } from './cli/support.js';
import { chatText, faultyServer } from './judge/faulty-server.js';
import { tinyTalker } from './loop/talkative.js';
import { scratchFolder } from './support/scratch.js';

// Every recipe must run as it stands, on the data in this repository; here on a tiny random model and with few tokens.
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
// Those that label are in label/recipes.test.ts.
const all = readdirSync(join(ROOT, 'recipes'))
  .filter((name) => name.endsWith('.yaml') && !name.startsWith('label-'))
  .map((name) => `recipes/${name}`);
const benchmarks = all.filter((file) => file.startsWith('recipes/eval-'));
const files = all.filter((file) => !benchmarks.includes(file));
const withSection = (section: string): string[] =>
  files.filter((file) => new RegExp(`^${section}:`, 'm').test(readFileSync(join(ROOT, file), 'utf8')));
const controllers = withSection('actions');
const online = withSection('evaluate').filter((file) => !controllers.includes(file));
const offline = files.filter((file) => !online.includes(file) && !controllers.includes(file));

const { folder } = scratchFolder();
const cwd = process.cwd();
let model: string;
beforeAll(async () => {
  process.chdir(ROOT); // the paths in recipes are relative to the checkout
  model = await tinyTalker(folder, { context: 2048 });
});
afterAll(() => process.chdir(cwd));

const dirOf = (file: string): string => join(folder, file.replace(/\W/g, '-'));

/** The adapter of a reward model on the tiny model, trained for one step. */
async function rewardModel(file: string, ...more: string[]): Promise<string> {
  const dir = join(folder, `for-a-loop-${file.replace(/\W/g, '-')}`);
  if (!existsSync(dir)) {
    const ran = await heed(['train', file, `model=${model}`, `run.dir=${dir}`, 'train.steps=1', 'train.batch=2', ...more]);
    expect(ran.code, ran.err).toBe(0);
  }
  return join(dir, 'adapter');
}

/** In place of the models that a recipe's reward has: tiny ones. */
async function tinyReward(reward: AlignRecipe['reward']): Promise<string[]> {
  if (typeof reward !== 'object') return [];
  if (reward.scores !== undefined) return [`reward.scores.judge={ local: { model: ${model} } }`, `store=${join(folder, 'scores.db')}`];
  if (reward.inferred !== undefined) {
    const file = join(folder, 'values.json');
    expect((await heed(['infer', 'examples/values.jsonl', '-o', file])).code).toBe(0);
    return [`reward.inferred.file=${file}`];
  }
  const { principles } = reward.rewardModel ?? {};
  if (reward.rewardModel === undefined) return [];
  const teacher = await rewardModel(principles === undefined ? 'recipes/reward-model.yaml' : 'recipes/principle-reward-model.yaml');
  return [`reward.rewardModel.model=${model}`, `reward.rewardModel.adapter=${teacher}`];
}

/** In place of the classifiers among several rewards: a tiny one with the same labels. */
async function tinyDetectors(rewards: AlignRecipe['rewards'] = {}): Promise<string[]> {
  const all = await Promise.all(Object.entries(rewards).map(async ([name, one]) => {
    if (typeof one === 'string' || one.detector?.labels === undefined) return [];
    const labels = `method.labels=[${one.detector.labels.join()}]`;
    const adapter = await rewardModel('recipes/classifier.yaml', 'data=examples/pushy.jsonl', labels);
    return [`rewards.${name}.detector.adapter=${adapter}`, `rewards.${name}.detector.model=${model}`];
  }));
  return all.flat();
}

describe('recipes', () => {
  it('there is at least one for each method', async () => {
    const methods = [
      ...await Promise.all(offline.map(async (file) => (await loadRecipe(file, [], TrainRecipe)).recipe.method.name)),
      ...await Promise.all(online.map(async (file) => (await loadRecipe(file, [], AlignRecipe)).recipe.method.name)),
    ];
    expect([...new Set(methods)].sort()).toEqual([...METHOD_NAMES].sort());
  });

  it.each(offline)('%s trains', async (file) => {
    const { recipe } = await loadRecipe(file, [], TrainRecipe);
    const written = recipe.rows ? ['rows.maxNewTokens=16'] : [];
    const ran = await heed([
      'train',
      file,
      `model=${model}`,
      `run.dir=${dirOf(file)}`,
      'train.epochs=1',
      'train.steps=1',
      'train.batch=2',
      ...written,
      '--json',
    ]);
    if (recipe.data.junk === 'error') expect(ran.err).not.toMatch(/skipped/);
    expect(ran.code, ran.err).toBe(0);
    const result = ran.json<{ method: string; steps: number; loss: number; run: string }>();
    expect(result).toMatchObject({ method: recipe.method['name'], steps: 1 });
    expect(Number.isFinite(result.loss)).toBe(true); // gradient ascent's is negative
    expect(result.loss).not.toBe(0);
    expect(existsSync(join(result.run, 'adapter', 'adapter_model.safetensors'))).toBe(true);
    expect(existsSync(join(result.run, 'report.html'))).toBe(true);
  });

  it.each(online)('%s aligns', async (file) => {
    const { recipe } = await loadRecipe(file, [], AlignRecipe);
    // A judge that is asked is a model that was taught first; here a server that says one thing.
    const asked =
      recipe.label === undefined
        ? []
        : [
            `judge={ endpoint: { url: "${(await faultyServer(() => chatText('It is wrong.'))).url}", model: m } }`,
            `store=${join(folder, 'labels.db')}`,
          ];
    const small = [
      ...asked,
      ...await tinyReward(recipe.reward),
      ...await tinyDetectors(recipe.rewards),
      ...(recipe.rows && 'maxNewTokens' in recipe.rows ? ['rows.maxNewTokens=8'] : []),
      'data.limit=12',
      // A random model ends few of its answers, and some rows need several that ended.
      ...(recipe.rows ? ['generate.samples=16', 'generate.maxNewTokens=24'] : ['generate.maxNewTokens=8']),
      'loop.iterations=1',
      'evaluate.limit=3',
      'evaluate.maxNewTokens=5',
      'train.batch=2',
    ];
    const ran = await heed(['align', file, `model=${model}`, `run.dir=${dirOf(file)}`, ...small, '--json']);
    expect(ran.code, ran.err).toBe(0);
    const result = ran.json<{ run: string; before: { satisfied: { n: number } }; rounds: { answers: number }[] }>();
    expect(result.before.satisfied.n).toBe(3);
    expect(result.rounds).toHaveLength(1);
    expect(existsSync(join(result.run, 'adapter', 'adapter_model.safetensors'))).toBe(true);
  });

  it.each(controllers)('%s controls', async (file) => {
    const small = [
      'tasks.facts.data.limit=6', 'tasks.facts.heldOut.limit=2', 'tasks.stories.data.limit=6', 'tasks.stories.heldOut.limit=2',
      'tasks.style.data.limit=6', 'tasks.style.heldOut.limit=2',
      'generate={ maxNewTokens: 4, prompts: 4, samples: 2 }', 'grid.samples=2', 'learn.rounds=2', 'evaluate.samples=1',
    ];
    const ran = await heed(['control', file, `model=${model}`, `run.dir=${dirOf(file)}`, ...small, '--json']);
    expect(ran.code, ran.err).toBe(0);
    const result = ran.json<{ run: string; heldOut: number; rounds: { answers: number }[] }>();
    expect(result.heldOut).toBe(6);
    expect(result.rounds.map(({ answers }) => answers)).toEqual([8, 8]);
    expect(existsSync(join(result.run, 'controller', 'controller.json'))).toBe(true);
  });

  it.each(benchmarks)('%s evaluates', async (file) => {
    const ran = await heed(['evaluate', file, `model=${model}`, `run.dir=${dirOf(file)}`, '--json']);
    expect(ran.code, ran.err).toBe(0);
    const result = ran.json<{ run: string; tasks: Record<string, { task: string; rows: number }> }>();
    expect(Object.keys(result.tasks).length).toBeGreaterThan(3);
    expect(existsSync(join(result.run, 'report.html'))).toBe(true);
  });

  it('there is one for each benchmark', async () => {
    const recipes = await Promise.all(benchmarks.map(async (file) => (await loadRecipe(file, [], BenchmarkRecipe)).recipe));
    const named = recipes.flatMap(({ tasks }) => Object.values(tasks).map(({ task }) => task));
    expect([...new Set(named)].sort()).toEqual([...TASKS.keys()].sort());
  });
});
