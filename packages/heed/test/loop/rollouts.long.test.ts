import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AlignSummary } from '../../src/loop/align-job.js';
import { minibatches } from '../../src/loop/rollout-order.js';
import { promptsOf } from '../../src/loop/prompt-order.js';
import { heed } from '../cli/support.js';
import { promptLines } from '../support/rows.js';
import { scratchFolder } from '../support/scratch.js';
import { tinyTalker } from './talkative.js';

// Policy gradient on a tiny random model whose tokens are bytes: it is paid for printable ASCII.
const { folder, write } = scratchFolder();
let recipe: string;
let rewards: string;

beforeAll(async () => {
  const model = await tinyTalker(folder, { context: 512, leaning: 2 });
  rewards = write('rewards.ts', `
type Given = { completions: readonly string[] };
const printable = (text: string): number => [...text].filter((c) => c >= ' ' && c <= '~').length;
export const share = ({ completions }: Given): number[] => completions.map((text) => printable(text) / Math.max(1, [...text].length));
export const brief = ({ completions }: Given): number[] => completions.map((text) => -text.length);
export const equal = ({ completions }: Given): number[] => completions.map(() => 1);
export const tenth = ({ completions }: Given): number[] => completions.map((_, i) => (i % 2 ? 0.1 : 0.3 - 0.2));
export const some = ({ completions }: Given): (number | null)[] => completions.map((_, i) => (i % 3 === 0 ? null : i % 2));
export const odd = ({ prompts, completions }: Given & { prompts: readonly { content: string }[][] }): number[] =>
  completions.map((text, i) => (/[02468][?]$/.test(prompts[i]!.at(-1)!.content) ? 1 : printable(text)));
export const none = ({ completions }: Given): null[] => completions.map(() => null);
export const broken = ({ completions }: Given): number[] => completions.map(() => NaN);
`);
  recipe = write('recipe.yaml', `
model: ${model}
data: ${write('train.jsonl', promptLines(16, 'Why'))}
reward: '${rewards}#share'
generate: {maxNewTokens: 12, prompts: 8, samples: 4}
evaluate: {prompts: ${write('held.jsonl', promptLines(32, 'How'))}, maxNewTokens: 12, temperature: 1}
adapter: {rank: 8, alpha: 16}
train: {schedule: constant, batch: 8, learningRate: 3e-3}
run: {dir: unused}
`);
});

const align = (dir: string, ...more: string[]) => heed(['align', recipe, `run.dir=${join(folder, dir)}`, ...more, '--json']);
const lines = (dir: string, file: string): Record<string, number>[] =>
  readFileSync(join(folder, dir, file), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Record<string, number>);

describe('heed align by policy gradient', () => {
  it.each([
    { method: '{name: rloo, beta: 0}', more: [] },
    { method: '{name: grpo, lossType: dr-grpo, scaleRewards: none}', more: ['train.learningRate=1e-2'] },
    { method: '{name: grpo}', more: [] },
    { method: '{name: reinforce, beta: 0}', more: [] },
    { method: '{name: reinforce, baseline: value, beta: 0}', more: [] },
    { method: '{name: ppo, beta: 0}', more: ['train.epochs=2', 'train.batch=4'] },
    { method: '{name: rloo, beta: 0}', more: ['generate.temperature=1.3'] },
    { method: '{name: rloo, beta: 0.02}', more: ['generate.topK=40', 'generate.topP=0.97', 'generate.temperature=1.2'] },
    { method: '{name: grpo}', more: ['generate.minP=0.02', 'train.epochs=2'] },
  ])('with $method $more raises the reward of held-out answers', async ({ method, more }) => {
    const dir = (method + more.join()).replace(/\W+/g, '-');
    const ran = await align(dir, `method=${method}`, 'loop.iterations=12', ...more);
    expect(ran.code, ran.err).toBe(0);
    const { change, metric } = ran.json<AlignSummary>();
    expect(metric).toMatch(/^mean reward of held-out answers by .*#share$/);
    const report = readFileSync(join(folder, dir, 'report.html'), 'utf8');
    expect(report).not.toContain('could not be shown');
    expect(report).toMatch(/data-change="better"[^]*chip open">· reward \d/);
    expect(change['value']!.low, ran.err).toBeGreaterThan(0.1);
    const steps = lines(dir, 'metrics.jsonl');
    // Sampler and trainer compute one distribution, temperature and filters included, at the first step and at the last.
    for (const step of steps) expect(Math.abs(step['mismatch_kl']!)).toBeLessThan(2e-5);
    expect(steps.at(-1)!['reward']!).toBeGreaterThan(steps[0]!['reward']!);
    const rollouts = lines(dir, 'rollouts.jsonl');
    expect(rollouts).toHaveLength(12 * 32);
    // Of a leave-one-out group the advantages sum to zero.
    if (method.includes('rloo')) {
      const own = rollouts.filter(({ round, row }) => round === 1 && String(row) === String(rollouts[0]!['row']));
      expect(own.reduce((sum, { advantage }) => sum + advantage!, 0)).toBeCloseTo(0, 9);
    }
  });

  // 0.3 − 0.2 is 0.1 but for rounding, and so is the mean of three times 0.1; with β the policy and its reference are one model.
  it.each([['equal', '{name: rloo, beta: 0}'], ['tenth', '{name: rloo, beta: 0}'], ['tenth', '{name: grpo}'], ['tenth', '{name: rloo}']])(
    'skips rounds whose rewards are all equal, and says so: %s, %s', async (name, method) => {
      const dir = `${name}-${method.replace(/\W+/g, '-')}`;
      const ran = await align(dir, `reward=${rewards}#${name}`, `method=${method}`, 'loop.iterations=2', 'generate.samples=3');
      expect(ran.code, ran.err).toBe(0);
      expect(ran.err).toContain('groups of equal rewards, which teach nothing');
      expect(ran.err).toContain('No round taught anything: the adapter is as it began.');
      expect(ran.json<AlignSummary>().rounds.map(({ steps, trainedOn }) => [steps, trainedOn])).toEqual([[0, 0], [0, 0]]);
    },
  );

  it('skips the steps of a round whose groups all have equal rewards, counts them, and keeps the place of the others', async () => {
    const single = ['train.batch=1', 'train.schedule=cosine', 'train.warmup=0', 'loop.iterations=2', 'evaluate.limit=2'];
    const ran = await align('odd', `reward=${rewards}#odd`, 'method={name: grpo}', ...single);
    expect(ran.code, ran.err).toBe(0);
    const { rounds, steps: total } = ran.json<AlignSummary>();
    const steps = lines('odd', 'metrics.jsonl');
    // The groups of the prompts with an even number are equal by the reward; others are only by chance.
    for (const [i, { steps: taken, trainedOn, skippedSteps }] of rounds.entries()) {
      const zero = steps.find(({ round }) => round === i + 1)!['frac_reward_zero_std']!;
      expect(zero).toBeGreaterThan(0.1);
      expect([taken, trainedOn, skippedSteps]).toEqual([8 * (1 - zero), 8 * (1 - zero), 8 * zero]);
      expect(ran.err).toContain(`round ${i + 1}: ${8 * zero} of 8 steps are skipped`);
    }
    expect(total).toBe(steps.length);
    for (const { grad_norm: norm } of steps) expect(norm).toBeGreaterThan(0);
    // Half of the schedule is over when the second round begins, however many steps the first one took.
    expect(steps.find(({ round }) => round === 2)!['lr']).toBeCloseTo(1.5e-3, 9);
  });

  it('says where no answer got a reward', async () => {
    const all = ['allowedFailures=1', 'loop.iterations=1', 'evaluate.limit=2', `evaluate.reward=${rewards}#share`];
    const ran = await align('none', `reward=${rewards}#none`, 'method={name: grpo}', ...all);
    expect(ran.code, ran.err).toBe(0);
    expect(ran.err).toContain('round 1: no reward, 32 answers to 8 prompts');
    expect(ran.err).not.toContain('NaN');
  });

  it('goes on where nearly all answers have become empty, counts them and says what to do', async () => {
    const fast = ['method={name: rloo, beta: 0}', 'train.learningRate=5e-2', 'loop.iterations=8'];
    const ran = await align('empty', `reward=${rewards}#brief`, ...fast);
    expect(ran.code, ran.err).toBe(0);
    const { rounds, alarms } = ran.json<AlignSummary>();
    expect(rounds[0]!.empty).toBeLessThan(8);
    expect(rounds.at(-1)!.empty).toBeGreaterThan(24);
    expect(ran.err).toMatch(/round 8: of 32 answers \d+ empty; the model writes worse and worse: .*let the reward see it/);
    expect(alarms.map(({ sign }) => sign)).toContain('words');
    // An empty answer is rated like any other, and its group's advantages sum to zero.
    const last = lines('empty', 'rollouts.jsonl').slice(-32);
    for (const { completion, reward } of last) expect(reward).toBeCloseTo(-String(completion).length, 12);
    expect(last.reduce((sum, { advantage }) => sum + advantage!, 0)).toBeCloseTo(0, 9);
  });

  it('gives answers without a reward the advantage 0', async () => {
    const ran = await align('some', `reward=${rewards}#some`, 'method={name: rloo, beta: 0}', 'loop.iterations=1', 'allowedFailures=0.5');
    expect(ran.code, ran.err).toBe(0);
    const without = lines('some', 'rollouts.jsonl').filter(({ reward }) => reward === null);
    expect(without.length).toBe(11);
    for (const line of without) expect(line).toMatchObject({ advantage: 0, failure: 'not-applicable' });
  });

  it('says where a reward of a sum applies to none of the held-out answers, and where there is nothing to resume', async () => {
    const rewards2 = write('silent.ts', `
type Given = { prompts: readonly unknown[]; completions: readonly string[] };
export const training = ({ prompts, completions }: Given): (number | null)[] =>
  completions.map((text, i) => (JSON.stringify(prompts[i]).includes('Why') ? text.length : null));
`);
    const both = `rewards={ share: '${rewards}#share', training: '${rewards2}#training' }`;
    const ran = await align('silent', 'reward=null', both, 'method={name: rloo, beta: 0}', 'loop.iterations=1', '--resume');
    expect(ran.code, ran.err).toBe(0);
    expect(ran.err).toMatch(/before: the reward training applies to none of the held-out answers/);
    expect(ran.err).not.toMatch(/the reward share applies to none/);
    expect(ran.err).toMatch(/There is no run in .*silent to go on with: it begins\./);
  });

  // A reward may hold a connection or a timer, which would keep the process alive after the run.
  it('closes every reward that it opened, also where a run fails', async () => {
    const log = join(folder, 'closed.txt');
    const held = write('held.ts', `
import { appendFileSync } from 'node:fs';
import { defineReward } from '@heed/heed';
import { z } from 'zod';
export const held = defineReward({
  name: 'held', options: z.strictObject({ as: z.string(), fails: z.boolean().default(false) }), mayBeCost: () => true,
  open: async ({ as, fails }) => ({
    name: as, drawsLine: false,
    rate: async (items) => items.map(({ response }) => ({ value: fails ? NaN : response.length / 12, reason: null })),
    close: async () => appendFileSync('${log}', as + ' '),
  }),
});
`);
    const named = (as: string, fails = false): string => `{ fn: { module: '${held}#held', options: { as: ${as}, fails: ${fails} } } }`;
    const run = (name: string, fails: boolean) => align(
      name, `reward=${named('teaches', fails)}`, `evaluate.reward=${named('examines')}`, 'evaluate.limit=2', 'loop.iterations=1',
      `constraints=[{ name: long, cost: ${named('limits')}, limit: 0.5 }]`, 'method={name: grpo}',
    );
    const closed = (): string[] => readFileSync(log, 'utf8').trim().split(' ').sort();
    const whole = await run('closed', false);
    expect(whole.code, whole.err).toBe(0);
    expect(closed()).toEqual(['examines', 'limits', 'teaches']);
    expect((await run('closed-failed', true)).code).toBe(2);
    expect(closed()).toEqual(['examines', 'examines', 'limits', 'limits', 'teaches', 'teaches']);
  });

  it('stops at a reward that is NaN, and names the function', async () => {
    const ran = await align('broken', `reward=${rewards}#broken`, 'method={name: rloo}');
    expect(ran.code).not.toBe(0);
    expect(ran.err).toMatch(/broken.*NaN/s);
  });

  it.each([
    ['generate.temperature=0', /all answers to a prompt are equal/],
    ['train.steps=3', /Set loop\.iterations/],
    ['loop.fresh=true', /Leave loop\.fresh out/],
  ])('refuses %s before anything is generated', async (option, message) => {
    const ran = await align('refused', 'method={name: rloo}', option);
    expect(ran.code).not.toBe(0);
    expect(ran.err).toMatch(message);
    expect(ran.err).not.toContain('answering');
  });
});

describe('the prompts of a round', () => {
  it('come up equally often, in passes that are shuffled anew', () => {
    const all = ['a', 'b', 'c', 'd', 'e'];
    const rounds = Array.from({ length: 10 }, (_, i) => promptsOf(all, i + 1, 2, 7));
    for (const [from, to] of [[0, 5], [5, 10], [10, 15], [15, 20]]) expect(rounds.flat().slice(from, to).sort()).toEqual(all);
    expect(rounds.flat().slice(0, 5)).not.toEqual(rounds.flat().slice(5, 10));
    expect(promptsOf(all, 3, 2, 7)).toEqual(rounds[2]);
    expect(promptsOf(all, 4, 9, 7)).toEqual(all);
  });

  it('are all learnt from in each epoch', () => {
    expect(minibatches(5, { batch: 8, epochs: 2, seed: 1 })).toEqual([[0, 1, 2, 3, 4], [0, 1, 2, 3, 4]]);
    const steps = minibatches(5, { batch: 2, epochs: 2, seed: 1 });
    expect(steps.map((step) => step.length)).toEqual([2, 2, 1, 2, 2, 1]);
    expect(steps.slice(0, 3).flat().sort()).toEqual([0, 1, 2, 3, 4]);
  });
});
