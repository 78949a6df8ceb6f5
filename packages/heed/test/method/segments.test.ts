import { describe, expect, it } from 'vitest';
import { groupRelative, leaveOneOut, rewardToGo } from '../../src/method/advantages.js';
import { grpo } from '../../src/method/grpo.js';
import { bind } from '../../src/method/bind.js';
import { normalised, redistribute, tokenWeights } from '../../src/loop/credit.js';
import { reinforce } from '../../src/method/reinforce.js';
import { rloo } from '../../src/method/rloo.js';
import type { Rollout } from '../../src/method/rollout.js';
import { bySegment, groupRelativeBySegment, segmentReturns } from '../../src/method/segments.js';

const near = (actual: readonly number[], expected: readonly number[]): void => {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((x, i) => expect(x).toBeCloseTo(expected[i]!, 10));
};
const advantagesOf = (rollouts: readonly Rollout[], options: object = {}): (readonly number[])[] =>
  bind(rloo, { beta: 0, ratio: 'token', ...options }).credit!(rollouts).map(({ advantages }) => advantages);

describe('advantages by segment', () => {
  it('are returns from the segment on, less those of the other answers', () => {
    // −1 at the end of the first sentence of the first answer; 1 at the end of both.
    const rollouts: Rollout[] = [
      { group: 0, tokens: 4, reward: 0, tokenRewards: [0, -1, 0, 1], segments: [0, 0, 1, 1] },
      { group: 0, tokens: 3, reward: 1, tokenRewards: [0, 0, 1], segments: [0, 1, 1] },
    ];
    // What came before is no merit of the second sentence, in which both earned 1.
    expect(advantagesOf(rollouts)).toEqual([[-1, -1, 0, 0], [1, 0, 0]]);
    expect(segmentReturns([0, -1, 0, 1], [0, 0, 1, 1])).toEqual([0, 1]);
  });

  it('are those of whole answers where an answer is one segment', () => {
    const rewards = [1, 0, null, 0.2];
    const groups = [0, 0, 0, 0];
    const returns = rewards.map((r) => (r === null ? null : [r]));
    near(bySegment(returns, (r) => leaveOneOut(r, groups)).flat(), leaveOneOut(rewards, groups));
    for (const scale of ['group', 'batch', 'none'] as const)
      near(groupRelativeBySegment(returns, groups, scale).flat(), groupRelative(rewards, groups, scale));
  });

  it('do not explode where equal totals came from other places', () => {
    const rollouts: Rollout[] = [
      { group: 0, tokens: 2, reward: 1, tokenRewards: [1, 0], segments: [0, 1] },
      { group: 0, tokens: 2, reward: 1, tokenRewards: [0, 1], segments: [0, 1] },
    ];
    const found = bind(grpo, {}).credit!(rollouts).map(({ advantages }) => advantages);
    // Centred returns 0, −½ and 0, ½: their root mean square over n − 1 is √(½/3).
    const a = 0.5 / (Math.sqrt(0.5 / 3) + 1e-4);
    near(found[0]!, [0, -a]);
    near(found[1]!, [0, a]);
  });

  it('hold the KL penalty from the token on', () => {
    const one = { group: 0, tokens: 2, reward: 1, logp: [-1, -2], reference: [-1.5, -2.25] };
    const by = { tokenRewards: [0, 1], segments: [0, 1] };
    const other = { group: 0, tokens: 2, reward: 0, logp: [-1, -1], reference: [-1, -1] };
    near(advantagesOf([{ ...one, ...by }, { ...other, ...by, tokenRewards: [0, 0] }], { beta: 0.4 })[0]!, [1 - 0.4 * 0.75, 1 - 0.4 * 0.25]);
    near(advantagesOf([one, other], { beta: 0.4 })[0]!, [0.7, 0.7]);
    const [z] = bind(reinforce, { beta: 0.4, baseline: 'value' }).credit!([{ ...one, ...by, values: [0, 0] }]);
    near(z!.returns!, [0.6 - 0.4 * 0.75, 0.6 - 0.4 * 0.25]);
  });
});

// An answer of one or two decisions: the first is 1 with probability σ(a) and goes on, the second is 1 with probability σ(b).
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const [A, B] = [0.3, -0.7];
const POSSIBLE = [[0], [1, 0], [1, 1]];
/** What each decision earns. */
const earned = (decisions: readonly number[]): number[] =>
  [decisions[0] === 1 ? -0.4 : 0.3, ...(decisions.length > 1 ? [decisions[1]! * 2 - 0.5] : [])];
const total = (decisions: readonly number[]): number => earned(decisions).reduce((sum, x) => sum + x, 0);
const probability = (decisions: readonly number[], a = A, b = B): number =>
  decisions.reduce((p, d, t) => p * (d === 1 ? sigmoid([a, b][t]!) : 1 - sigmoid([a, b][t]!)), 1);
const expected = (a: number, b: number): number => POSSIBLE.reduce((sum, one) => sum + probability(one, a, b) * total(one), 0);

it('the gradient with advantages by segment has no bias: over all groups of three it is that of the expected reward', () => {
  const gradient = [0, 0];
  for (const x of POSSIBLE) for (const y of POSSIBLE) for (const z of POSSIBLE) {
    const group = [x, y, z];
    const rollouts = group.map((own): Rollout => (
      { group: 0, tokens: own.length, reward: total(own), tokenRewards: earned(own), segments: own.map((_, t) => t) }
    ));
    const chance = group.reduce((p, own) => p * probability(own), 1);
    advantagesOf(rollouts).forEach((advantages, i) => advantages.forEach((advantage, t) => {
      const score = group[i]![t]! - sigmoid([A, B][t]!);
      gradient[t]! += (chance * advantage * score) / 3;
    }));
  }
  const h = 1e-5;
  expect(gradient[0]).toBeCloseTo((expected(A + h, B) - expected(A - h, B)) / (2 * h), 8);
  expect(gradient[1]).toBeCloseTo((expected(A, B + h) - expected(A, B - h)) / (2 * h), 8);
});

describe('a reward spread by attention', () => {
  const a = normalised([0.05, 0.1, 0.1, 0.15]);
  it('has the golden numbers of ABC', () => {
    near(a, [0.125, 0.25, 0.25, 0.375]);
    near(redistribute(2, a, 0.5), [0.125, 0.25, 0.25, 1.375]);
    near(redistribute(2, a, 0.8), [0.2, 0.4, 0.4, 1]);
    near(rewardToGo(redistribute(2, a, 0.5)), [2, 1.875, 1.625, 1.375]);
    near(normalised([0, 0.2, 0.25, 0.3]), [0, 0.266666666667, 0.333333333333, 0.4]);
  });

  it('gives group methods weights whose mean is 1', () => {
    near(tokenWeights(a, 0.5).map((w) => 0.75 * w), [0.5625, 0.75, 0.75, 0.9375]);
    const weights = tokenWeights(a, 0.5);
    const rollouts: Rollout[] = [{ group: 0, tokens: 4, reward: 0.75, weights }, { group: 0, tokens: 1, reward: 0 }];
    near(advantagesOf(rollouts)[0]!, [0.5625, 0.75, 0.75, 0.9375]);
  });

  it('is equal everywhere where there is no attention', () => near(normalised([0, 0]), [0.5, 0.5]));
});
