import { startEngine } from '@heed/tensor';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { criticAlarm, describeCriticAlarm } from '../../src/loop/adversary.js';
import type { AlignSummary } from '../../src/loop/align-job.js';
import { accuracyOf, chanceOf, pairLoss } from '../../src/loop/critic.js';
import { loadModel } from '../../src/model/load.js';
import { loadAdapter } from '../../src/model/peft.js';
import { createRewardScorer } from '../../src/model/reward-scorer.js';
import { withCritic } from '../../src/loop/round-rating.js';
import { heed } from '../cli/support.js';
import { scratchFolder } from '../support/scratch.js';
import { writeAdversarial } from './adversarial.js';

const { folder, write } = scratchFolder();
const dirOf = (name: string): string => join(folder, name);
let recipe: string;
let rewards: string;
let model: string;

beforeAll(async () => {
  ({ recipe, rewards, model } = await writeAdversarial(folder, write));
});

const align = async (name: string, ...more: string[]) => heed(['align', recipe, `run.dir=${dirOf(name)}`, '--json', ...more]);
const lines = (name: string, file: string): Record<string, number>[] =>
  readFileSync(join(dirOf(name), file), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Record<string, number>);

describe('heed align against a critic', () => {
  it('brings held-out answers closer to the demonstrations, by the critic alone', async () => {
    const ran = await align('whole', 'loop.iterations=8', 'adversary.above=0.75');
    expect(ran.code, ran.err).toBe(0);
    expect(ran.json<AlignSummary>().change['value']!.low, ran.err).toBeGreaterThan(0.2);
    const steps = lines('whole', 'metrics.jsonl');
    // Its head is zero, so it is right by chance, and its loss is ln 2 whatever the smoothing.
    expect(steps[0]).toMatchObject({ 'critic/accuracy': 0.5, 'critic/confidence': 0.5, 'critic/steps': 8 });
    expect(steps[0]!['critic/loss']).toBeCloseTo(Math.LN2, 12);
    expect(steps[1]!['critic/accuracy']).toBeGreaterThan(0.7);
    const asSure = (step: Record<string, number>): boolean => step['critic/accuracy']! > 0.75 && step['critic/confidence']! > 0.75;
    expect(steps.some(asSure)).toBe(true);
    for (const step of steps.slice(1)) expect(step['critic/steps']).toBe(asSure(step) ? 0 : 2);
    for (const { reward, rewards } of lines('whole', 'rollouts.jsonl')) expect(rewards).toEqual({ adversary: reward });
  });

  it('keeps a critic that rates as rewardModel does, and holds another out', async () => {
    const ran = await align('held', 'loop.iterations=2', 'adversary.held=true');
    expect(ran.code, ran.err).toBe(0);
    expect(ran.json<AlignSummary>().rounds[1]).toHaveProperty('critic/held_accuracy');
    const { checkpoint, architecture, template } = await loadModel(model);
    const engine = await startEngine();
    const critic = await loadAdapter(join(dirOf('held'), 'critic'), checkpoint);
    const scorer = await createRewardScorer(engine, { checkpoint, architecture }, critic);
    const answers = lines('held', 'work/round-2/answers.jsonl') as unknown as { row: number; sample: number; ids: number[] }[];
    const ordered = answers.sort((a, b) => a.row - b.row || a.sample - b.sample);
    const { chances } = JSON.parse(readFileSync(join(dirOf('held'), 'work', 'round-2', 'critic.json'), 'utf8')) as { chances: number[] };
    const written = lines('held', 'rollouts.jsonl').slice(32) as unknown as { row: string; prompt: string }[];
    const demos = lines('.', 'demos.jsonl') as unknown as Record<string, string>[];
    for (const i of [0, 9, 31]) {
      const prompt = template.prompt([{ role: 'user', content: written[i]!.prompt }]);
      const demo = demos.find((one) => one['prompt'] === written[i]!.prompt)!['completion']!;
      const [own, real] = await scorer.rewards([
        { prompt, response: ordered[i]!.ids }, { prompt, response: template.response(demo).slice(0, 12) },
      ]);
      expect(chances[i]).toBeCloseTo(1 / (1 + Math.exp(real! - own!)), 5);
    }
    await engine.close();
  });

  it('adds the critic to another reward', async () => {
    const ran = await align('beside', 'loop.iterations=1', `reward=${rewards}#short`, 'adversary.weight=2');
    expect(ran.code, ran.err).toBe(0);
    for (const { reward, rewards: parts, completion } of lines('beside', 'rollouts.jsonl')) {
      const { adversary, reward: short } = parts as unknown as Record<string, number>;
      expect(short).toBe(-String(completion).length / 100);
      expect(reward).toBeCloseTo(2 * adversary! + short!, 12);
    }
  });

  it.each<[string, string[], RegExp]>([
    ['a method that learns from pairs', ['method={name: dpo, beta: 1}'], /adversary: .*method: dpo is not one.*Take rloo/s],
    ['rows', ['rows={make: pairs}'], /rows.* the critic rates the answers themselves/],
    ['a reward of its name', ['rewards={adversary: {fn: ./any.ts#one}}'], /rewards\.adversary.*give this reward another name/],
    ['a smoothing that says nothing', ['adversary.smoothing=0.5'], /adversary\.smoothing/],
    ['prompts without a demonstration', ['data=HELD'], /held\.jsonl/],
  ])('refuses %s', async (_, overrides, words) => {
    const ran = await align('refused', ...overrides.map((one) => one.replace('HELD', join(folder, 'held.jsonl'))));
    expect(ran.err).toMatch(words);
    expect(ran.code).toBe(2);
    expect(ran.err).not.toContain('answering');
  });
});

it('refuses held-out answers without a measure: a critic that learns is none', async () => {
  const without = write('without.yaml', readFileSync(recipe, 'utf8').replace(/, reward: '[^']*'/, ''));
  const ran = await heed(['align', without, `run.dir=${dirOf('without')}`]);
  expect(ran.err).toMatch(/evaluate\.reward.*name an independent one, such as rules:FILE/s);
  expect(ran.code).toBe(2);
});

describe('the critic', () => {
  // APO (Cheng et al. 2311.08045): the reward of a gold answer is 1.5, of four samples 0.9, 0.2, 1.7 and −0.3. From a float64 script.
  it('pays the ranking loss of a demonstration against each answer', () => {
    const losses = [0.9, 0.2, 1.7, -0.3].map((own) => pairLoss(own - 1.5, 0));
    [0.437487950486, 0.241008453833, 0.798138869382, 0.152977610526].forEach((loss, i) => expect(losses[i]).toBeCloseTo(loss, 11));
    // With smoothing the least loss is where P(the answer is real) = s.
    const [least, ...around] = [Math.log(0.1 / 0.9), -2, -2.5].map((margin) => pairLoss(margin, 0.1));
    for (const other of around) expect(other).toBeGreaterThan(least!);
    expect(least).toBeCloseTo(-0.9 * Math.log(0.9) - 0.1 * Math.log(0.1), 12);
  });

  it('counts equal scores half, and gives chances', () => {
    expect(accuracyOf([-1, -0.5, 0, 2])).toBe(2.5 / 4);
    expect([0, Math.log(3), -Math.log(3)].map(chanceOf)).toEqual([0.5, expect.closeTo(0.75, 12), expect.closeTo(0.25, 12)]);
  });

  it('stands beside another reward, alone where that does not apply, and not where that failed', () => {
    expect(withCritic(0.25, 2)).toEqual({ value: 0.5, reason: null, parts: { adversary: 0.25 } });
    const other = { value: 3, reason: 'so', satisfied: true, parts: { a: 1, b: 2 } };
    expect(withCritic(0.25, 2, other, true)).toEqual({ ...other, value: 3.5, parts: { adversary: 0.25, a: 1, b: 2 } });
    expect(withCritic(0.25, 2, other)).toEqual({ ...other, value: 3.5, parts: { adversary: 0.25, reward: 3 } });
    expect(withCritic(0.25, 1, { failure: 'not-applicable', detail: 'no' })).toMatchObject({ value: 0.25 });
    expect(withCritic(0.25, 1, { failure: 'timeout', detail: 'late' })).toEqual({ failure: 'timeout', detail: 'late' });
  });

  it('raises an alarm once where it won or lost three rounds in a row', () => {
    const alarms = (...rounds: (readonly [number, number])[]): (number | undefined)[] =>
      rounds.map((_, k) => criticAlarm(rounds.slice(0, k + 1).map(([accuracy, confidence]) => ({ accuracy, confidence })))?.round);
    expect(alarms([0.5, 0.5], [1, 0.9], [0.9, 0.9], [1, 0.95], [1, 0.95])).toEqual([undefined, undefined, undefined, 4, undefined]);
    expect(alarms([0.5, 0.5], [1, 0.6], [1, 0.6], [1, 0.6])).toEqual([undefined, undefined, undefined, undefined]);
    expect(alarms([0.1, 0.1], [0, 0.1], [0.1, 0.1])).toEqual([undefined, undefined, 3]);
    expect(alarms([0.5, 0.5], [0.5, 0.5], [0.5, 0.5], [0.5, 0.5])).toEqual([undefined, undefined, undefined, undefined]);
    const said = (of: number): string => describeCriticAlarm(criticAlarm([0, 1, 2].map(() => ({ accuracy: of, confidence: of })))!);
    expect(said(0.95)).toMatch(/^alarm in round 3: the critic was right and sure .* pays nearly the same for all answers; raise adversary\.smoothing/);
    expect(said(0.05)).toMatch(/^alarm in round 3: the critic took nearly every answer for the demonstration .* raise adversary\.steps/);
  });
});
