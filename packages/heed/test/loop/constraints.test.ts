import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConstraintOptions, layered, openConstraints, stepMultiplier, withCosts } from '../../src/loop/constraints.js';
import { AlignRecipe } from '../../src/loop/align-recipe.js';
import { createFunctionReward } from '../../src/reward/function.js';
import { openReward } from '../../src/reward/open.js';
import type { Rated, RewardItem } from '../../src/reward/reward.js';
import { scratchFolder } from '../support/scratch.js';

const { folder } = scratchFolder();
const run = (name: string) => ({ path: (...parts: string[]): string => join(folder, name, ...parts) });
const options = (given: object): ConstraintOptions => ConstraintOptions.parse({ name: 'length', cost: './c.ts#c', limit: 0, ...given });

describe('a Lagrange multiplier', () => {
  // Numbers of a float64 script after Safe RLHF's code: λ = 1, η = .1, d = 0.
  it('moves in log space, and mixes advantages as the paper does', () => {
    const rule = options({ max: 5, window: 1 });
    let state = { lambda: 1, costs: [] as readonly number[] };
    expect(withCosts(1, [0.5], [1])).toBeCloseTo(0.25, 12);
    for (const { cost, lambda, mixed } of [
      { cost: 0.5, lambda: 1.051271096376, mixed: 0.231253905274 },
      { cost: 0.2, lambda: 1.073608518719, mixed: 0.223376657869 },
      { cost: -0.4, lambda: 1.028479071336, mixed: 0.23947028648 },
    ]) {
      state = stepMultiplier(state, [cost], rule);
      expect(state.lambda).toBeCloseTo(lambda, 11);
      expect(withCosts(1, [0.5], [state.lambda])).toBeCloseTo(mixed, 11);
    }
    expect(stepMultiplier({ lambda: 4.9, costs: [] }, [3], rule).lambda).toBe(5);
  });

  it('reads the mean of the newest answers', () => {
    const { lambda, costs } = stepMultiplier({ lambda: 1, costs: [9, 1, 0] }, [2, 3], options({ window: 3, limit: 0.5, max: 9 }));
    expect(costs).toEqual([0, 2, 3]);
    expect(lambda).toBeCloseTo(Math.exp(0.1 * (5 / 3 - 0.5)), 12);
  });

  // Three arms with rewards and costs, the exact gradient of the softmax policy: the best policy within the limit mixes two arms.
  it.each([0.3, 0.6])('ends a bandit at the limit %d of its mean cost', (limit) => {
    const [rewards, costs] = [[1, 0.4, 0], [1, 0.3, 0]];
    const rule = options({ limit, max: 50, window: 1 });
    let logits = [0, 0, 0];
    let state = { lambda: 1, costs: [] as readonly number[] };
    const means: number[] = [];
    for (let step = 0; step < 6000; step++) {
      const total = logits.reduce((sum, z) => sum + Math.exp(z), 0);
      const policy = logits.map((z) => Math.exp(z) / total);
      const mean = policy.reduce((sum, p, a) => sum + p * costs[a]!, 0);
      state = stepMultiplier(state, [mean], rule);
      const mixed = rewards.map((r, a) => withCosts(r, [costs[a]!], [state.lambda]));
      const expected = policy.reduce((sum, p, a) => sum + p * mixed[a]!, 0);
      logits = logits.map((z, a) => z + 0.5 * policy[a]! * (mixed[a]! - expected));
      means.push(mean);
    }
    const late = means.slice(-2000);
    expect(late.reduce((sum, x) => sum + x, 0) / late.length).toBeCloseTo(limit, 1);
  });

  it('adds layers of penalty', () => {
    const layers = [{ above: 0.2, weight: 1 }, { above: 0.5, weight: 3 }];
    expect([0.1, 0.4, 0.7].map((cost) => layered(cost, layers))).toEqual([0, 0.2, 0.5 + 3 * 0.19999999999999996]);
    expect(layered(0.7, undefined)).toBe(0.7);
  });
});

describe('constraints', () => {
  const items: RewardItem[] = ['ab', 'abcd'].map((response) => ({ prompt: [{ role: 'user', content: 'Hi?' }], response }));
  const length = createFunctionReward('length', ({ completions }) => completions.map((text) => text.length));

  it('take costs off rewards, draw the line at limits, and go on from the round before', async () => {
    const at = run('goes-on');
    const constraints = openConstraints([{ options: options({ limit: 2, learningRate: 0.01 }), rated: length }], 0, at, {});
    const rated = items.map(() => ({ value: 1, reason: null, satisfied: true }));
    const first = await constraints.apply(1, items, rated);
    const lambda = Math.exp(0.01 * (3 - 2));
    expect(first.metrics['lambda/length']).toBeCloseTo(lambda, 12);
    expect(first.metrics['costs/length/mean']).toBe(3);
    const values = first.results.map((one) => ('value' in one ? one.value : NaN));
    expect(values).toEqual([2, 4].map((cost) => (1 - lambda * cost) / (1 + lambda)));
    expect(first.results).toMatchObject([{ satisfied: true }, { satisfied: false, reason: 'The cost length is 4, above 2.' }]);
    const second = await constraints.apply(2, items, rated);
    expect(second.metrics['lambda/length']).toBeCloseTo(lambda * Math.exp(0.01 * lambda), 12);
    expect(existsSync(at.path('work', 'round-2', 'multipliers.json'))).toBe(true);
    // A resume makes a round again from what is on disk.
    expect(await openConstraints([{ options: options({ limit: 2, learningRate: 0.01 }), rated: length }], 0, at, {}).apply(2, items, rated))
      .toEqual(second);
  });

  it('say once that a limit cannot be met', async () => {
    const said: string[] = [];
    const hooks = { say: (line: string) => void said.push(line) };
    const constraints = openConstraints([{ options: options({ learningRate: 9, max: 2 }), rated: length }], 0, run('bound'), hooks);
    for (const k of [1, 2, 3]) await constraints.apply(k, items, items.map(() => ({ value: 1, reason: null })));
    expect(said).toHaveLength(1);
    expect(said[0]).toContain('round 1: the multiplier of length is at its bound 2');
  });
});

it('a multiplier that costs in the hundreds put to sleep is said', async () => {
  const said: string[] = [];
  const forty = createFunctionReward('forty', ({ completions }) => completions.map((text) => 40 * text.length));
  const constraints = openConstraints(
    [{ options: options({ limit: 300 }), rated: forty }], 0, run('asleep'), { say: (line) => void said.push(line) },
  );
  const round = async (k: number, response: string): Promise<number> => {
    const item: RewardItem = { prompt: [{ role: 'user', content: 'Hi?' }], response };
    return (await constraints.apply(k, [item], [{ value: 1, reason: null }])).metrics['lambda/length']!;
  };
  // A cost of 80, 220 below the limit: log λ falls by 0.1 · 1 · 220.
  expect(await round(1, 'ab') / Math.exp(-22)).toBeCloseTo(1, 9);
  expect(said).toEqual([expect.stringContaining('round 1: the multiplier of length fell from 1.0 to 2.8e-10 in one round.')]);
  // And far above it, it does not come back: log λ rises by 0.1 · λ · 19 740.
  expect(await round(2, 'a'.repeat(1000))).toBeLessThan(3e-10);
  expect(said).toHaveLength(1);
});

// "truth" is minus the sum of what its detectors object to: a limit on it as a cost would have paid for lies.
describe('a reward as a constraint', () => {
  const told = (response: string): RewardItem => ({
    prompt: [{ role: 'user', content: 'How high is the tower?' }], response,
    row: { source: { file: 'rows', line: 1 }, prompt: [], extra: { evidence: 'The tower is 40 metres high. It was built in 1911.' } },
  });
  const constraint = ConstraintOptions.parse({ name: 'truth', reward: { truth: {} }, atLeast: -0.1, window: 2 });

  it('weighs more where answers lie, less where they are true, and pays for the true ones', async () => {
    const rated = await openReward({ truth: {} });
    const said: string[] = [];
    const constraints = openConstraints(
      [{ options: { ...constraint, learningRate: 5, max: 3 }, rated }], 0, run('truth'), { say: (line) => void said.push(line) },
    );
    const round = async (k: number, responses: readonly string[]) => {
      const { results, metrics } = await constraints.apply(
        k, responses.map(told), responses.map(() => ({ value: 1, reason: null, satisfied: true })),
      );
      return { values: results.map((one) => ('value' in one ? one.value : NaN)), results, metrics, lambda: metrics['lambda/truth']! };
    };
    const lie = 'It is 70 metres high and was built in 1850.';
    const fact = 'The tower is 40 metres high.';
    const mixed = await round(1, [lie, fact]);
    expect(mixed.lambda).toBeGreaterThan(1);
    expect(mixed.values[1]).toBeGreaterThan(mixed.values[0]!);
    expect(mixed.values[1]).toBeCloseTo(1 / (1 + mixed.lambda), 12);
    const [liar] = mixed.results as Rated[];
    expect(liar!.satisfied).toBe(false);
    expect(liar!.reason).toMatch(/^The reward truth is -[\d.]+, below -0.1\.$/);
    expect(mixed.results[1]).toMatchObject({ satisfied: true });
    const lies = await round(2, [lie, lie]);
    expect(lies.lambda).toBe(3);
    expect(said).toEqual([expect.stringContaining('its reward is still below -0.1. Perhaps so much cannot be reached: lower atLeast')]);
    const facts = await round(3, [fact, fact]);
    // log λ falls by η λ · 0.1: the cost of facts is 0, the limit 0.1.
    expect(facts.lambda).toBeCloseTo(3 * Math.exp(-5 * 3 * 0.1), 12);
    expect(facts.metrics['costs/truth/mean']).toBeCloseTo(0, 12);
  });
});

describe('a constraint of a recipe', () => {
  const problemsOf = (given: object): string[] => {
    const parsed = AlignRecipe.safeParse({
      data: 'd.jsonl', reward: 'rules:r.yaml', method: { name: 'rloo' }, evaluate: { prompts: 'h.jsonl' }, run: { dir: 'runs/x' },
      constraints: [{ name: 'c', ...given }],
    });
    return (parsed.error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
  };
  const judge = './judge.ts#judge';

  it.each([
    { cost: './c.ts#c', limit: 1 },
    { cost: { rewardModel: { adapter: 'runs/cost/adapter' } }, limit: 1 },
    { cost: { detector: { want: 'toxic', file: 'toxic.json' } }, limit: 0.1 },
    { cost: { scores: { judge, preamble: 'Rate how toxic the response is, from 1 to 10.' } }, limit: 0 },
    { reward: { truth: {} }, atLeast: -0.1 },
    { reward: { detector: { avoid: 'toxic', file: 'toxic.json' } }, atLeast: 0.9 },
  ])('may be $cost $reward', (given) => {
    expect(problemsOf(given)).toEqual([]);
  });

  it.each([
    [{ cost: { truth: {} }, limit: 0.1 }, 'constraints.0.cost: of truth a higher value is better'],
    [{ cost: { detector: { avoid: 'toxic', file: 't.json' } }, limit: 0.1 }, 'constraints.0.cost: of detector a higher value is better'],
    [{ cost: 'rules:r.yaml', limit: 0.1 }, 'write reward: … and atLeast: the least mean, in place of cost and limit'],
    [{ cost: { scores: { judge, criterion: 'harmless' } }, limit: 0 }, 'constraints.0.cost: of scores a higher value is better'],
    [{ limit: 1 }, 'constraints.0.cost: is missing; write cost and limit'],
    [{ cost: './c.ts#c' }, 'constraints.0.limit: is missing'],
    [{ cost: './c.ts#c', atLeast: 1, limit: 1 }, 'constraints.0.atLeast: is that of a reward'],
    [{ cost: './c.ts#c', reward: { truth: {} }, limit: 1 }, 'constraints.0.reward: stands beside cost'],
    [{ reward: { truth: {} }, limit: 0.1, atLeast: 0 }, 'constraints.0.limit: is that of a cost'],
    [{ reward: { truth: {} } }, 'constraints.0.atLeast: is missing'],
    [{ reward: { truth: {} }, atLeast: 0, layers: [{ above: 0, weight: 1 }] }, 'constraints.0.layers: are those of a cost'],
  ])('is refused with the way out: %j', (given, words) => {
    expect(problemsOf(given)).toEqual([expect.stringContaining(words)]);
  });
});
