import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Engine, startEngine, view } from '@heed/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withKl } from '../../src/method/rollout.js';
import { type Model, loadModel } from '../../src/model/load.js';
import { loadAdapter } from '../../src/model/peft.js';
import { createScorer } from '../../src/model/scorer.js';
import { heed } from '../cli/support.js';
import { promptLines } from '../support/rows.js';
import { scratchFolder } from '../support/scratch.js';
import { tinyTalker } from './talkative.js';

// Bandits on a tiny random model, through `heed align`, whose best policy is known.
const { folder, write } = scratchFolder();
let engine: Engine;
let model: Model;
let recipe: string;
let rewards: string;
let best: readonly number[];
beforeAll(async () => {
  engine = await startEngine({ threads: 1 });
  const path = await tinyTalker(folder, { context: 512, sharpness: 50 });
  model = await loadModel(path);
  const all = Array.from({ length: model.architecture.vocabulary }, (_, id) => id).filter((id) => !model.template.stopIds.includes(id));
  // The fifth likeliest: neither what the model says anyway, nor what it never tries.
  const likely = async (begun: readonly number[]): Promise<number> => {
    const chances = await chancesOf(all.map((id) => [...begun, id]));
    return all.map((id, i) => ({ id, chance: chances[i]! })).sort((a, b) => b.chance - a.chance)[4]!.id;
  };
  const first = await likely([]);
  best = [first, await likely([first])];
  rewards = write('rewards.ts', `
type Given = { completionIds: readonly (readonly number[])[] };
export const both = ({ completionIds }: Given): number[] =>
  completionIds.map(([a, b]) => (Number(a === ${best[0]}) + Number(b === ${best[1]})) / 2);
export const arm = ({ completionIds }: Given): number[] => completionIds.map(([a]) => Number(a === ${best[0]}));
`);
  recipe = write('recipe.yaml', `
model: ${path}
data: ${write('train.jsonl', promptLines(2, 'Why'))}
reward: '${rewards}#both'
generate: {maxNewTokens: 2, prompts: 2, samples: 48}
evaluate: {prompts: ${write('held.jsonl', promptLines(2, 'How'))}, maxNewTokens: 2, temperature: 1}
adapter: {rank: 8, alpha: 16}
train: {schedule: constant, batch: 2, learningRate: 1e-2}
run: {dir: unused}
`);
});
afterAll(() => engine.close());

/** What the policy of a run, or the model without an adapter, gives to answers of a prompt of its training. */
async function chancesOf(answers: readonly (readonly number[])[], run?: string): Promise<number[]> {
  const adapter = run === undefined ? undefined : await loadAdapter(join(run, 'adapter'), model.checkpoint);
  const placed = adapter && await engine.upload(adapter.parameters);
  const scorer = await createScorer(engine, model, adapter && { plan: adapter.plan, parameters: view(placed!) });
  const prompt = model.template.prompt([{ role: 'user', content: 'Why 0?' }]);
  const scored = await scorer.logProbs(answers.map((response) => ({ prompt, response: [...response] })));
  await scorer.release();
  if (placed !== undefined) await engine.free(placed);
  return scored.map((own) => Math.exp(own.reduce<number>((sum, x) => sum + x!, 0)));
}

/** Runs the recipe; its folder, and the metrics of its steps. */
async function align(name: string, ...more: string[]): Promise<{ dir: string; steps: Record<string, number>[] }> {
  const dir = join(folder, name.replace(/\W+/g, '-'));
  const ran = await heed(['align', recipe, `run.dir=${dir}`, ...more, '--json']);
  expect(ran.code, ran.err).toBe(0);
  const lines = readFileSync(join(dir, 'metrics.jsonl'), 'utf8').trim().split('\n');
  return { dir, steps: lines.map((line) => JSON.parse(line) as Record<string, number>) };
}

const METHODS = [
  '{name: reinforce, beta: 0}', '{name: reinforce, beta: 0, baseline: value}', '{name: rloo, beta: 0}', '{name: ppo, beta: 0}',
  ...['grpo', 'dr-grpo', 'dapo', 'bnpo'].map((lossType) => `{name: grpo, lossType: ${lossType}}`),
];

describe('a bandit over strings of two tokens', () => {
  it.each(METHODS)('with %s ends at the best string, which has 0.0009 at the beginning and more than 0.95 then', async (method) => {
    const { dir } = await align(method, `method=${method}`, 'loop.iterations=14');
    const [before] = await chancesOf([best]);
    expect(before).toBeLessThan(1e-3);
    const [after] = await chancesOf([best], dir);
    expect(after).toBeGreaterThan(0.95); // seen: 0.997 to 0.999
  });
});

describe('a bandit over one token', () => {
  const one = ['generate.maxNewTokens=1', 'evaluate.maxNewTokens=1', 'evaluate.limit=1'];
  const slower = ['train.learningRate=5e-3', 'train.schedule=cosine'];
  const [beta, limit] = [0.2, 0.5];

  it('with a KL penalty ends at the policy that is best under it, π* ∝ π_ref exp(r / β)', async () => {
    const [p] = await chancesOf([best.slice(0, 1)]);
    const optimum = p! * Math.exp(1 / 0.5) / (p! * Math.exp(1 / 0.5) + 1 - p!);
    const { dir } = await align('kl', `reward=${rewards}#arm`, 'method={name: rloo, beta: 0.5}', ...slower, 'loop.iterations=30', ...one);
    const [after] = await chancesOf([best.slice(0, 1)], dir);
    expect(p).toBeLessThan(0.1);
    expect(optimum).toBeGreaterThan(0.25);
    expect(Math.abs(after! - optimum)).toBeLessThan(0.08); // seen: 0.304 for 0.310
  });

  // Alone, the reward and the penalty would have the arm at 0.9.
  it('under a constraint ends at its limit: the arm pays 1 and costs 1, and half of the answers may take it', async () => {
    const constraint = `{name: arm, cost: '${rewards}#arm', limit: ${limit}, window: 96, lambda: 0.5, learningRate: 0.5}`;
    const { dir, steps } = await align(
      'limit', `reward=${rewards}#arm`, `constraints=[${constraint}]`, `method={name: rloo, beta: ${beta}}`, 'loop.iterations=40',
      ...slower, ...one,
    );
    const [p] = await chancesOf([best.slice(0, 1)]);
    expect(p! * Math.exp(1 / beta) / (p! * Math.exp(1 / beta) + 1 - p!)).toBeGreaterThan(0.85);
    const late = steps.slice(-10);
    const cost = late.reduce((sum, step) => sum + step['costs/arm/mean']!, 0) / late.length;
    const [after] = await chancesOf([best.slice(0, 1)], dir);
    // Seen: 0.547 and 0.461, with λ at 0.337 for 0.280.
    expect(Math.abs(cost - limit)).toBeLessThan(0.1);
    expect(Math.abs(after! - limit)).toBeLessThan(0.1);
    // The arm's reward under λ is s = (1 − λ)/(1 + λ), and π* is at the limit where p exp(s / β) = 1 − p.
    const s = beta * Math.log((1 - p!) / p!);
    expect(Math.abs(late.at(-1)!['lambda/arm']! - (1 - s) / (1 + s))).toBeLessThan(0.15);
  });
});

describe('the best policy under a KL penalty', () => {
  // From a float64 script: π_ref = [.5, .3, .2], r = [0, .5, 1].
  it.each([
    { beta: 0.1, optimum: [0.000112351544, 0.010004668581, 0.989882979875] },
    { beta: 0.5, optimum: [0.179000020574, 0.291943501933, 0.529056477493] },
    { beta: 1, optimum: [0.325039887112, 0.321540105424, 0.353420007464] },
  ])('is where the rewards with β = $beta of the penalty leave nothing to gain', ({ beta, optimum }) => {
    const [reference, rewards] = [[0.5, 0.3, 0.2], [0, 0.5, 1]];
    const scoresAt = (policy: readonly number[]): number[] => policy.map((p, a) => withKl(
      { group: 0, reward: rewards[a]!, tokens: 1, logp: [Math.log(p)], reference: [Math.log(reference[a]!)] }, beta,
    )!);
    // Exact natural gradient of the softmax policy, of which every fixed point is an optimum.
    let logits = [0, 0, 0];
    const policyOf = (z: readonly number[]): number[] => {
      const all = z.map((x) => Math.exp(x - Math.max(...z)));
      return all.map((x) => x / all.reduce((sum, y) => sum + y, 0));
    };
    for (let step = 0; step < 60; step++) {
      const scores = scoresAt(policyOf(logits));
      logits = logits.map((z, a) => z + 0.5 / beta * scores[a]!);
    }
    policyOf(logits).forEach((p, a) => expect(p).toBeCloseTo(optimum[a]!, 10));
  });
});
