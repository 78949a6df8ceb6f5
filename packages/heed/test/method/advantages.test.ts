import { describe, expect, it } from 'vitest';
import { batchMean, equalInGroup, gae, groupRelative, k1, k3, leaveOneOut, rewardToGo, whiten } from '../../src/method/advantages.js';
import { bind } from '../../src/method/bind.js';
import { ppo } from '../../src/method/ppo.js';
import { rlaifReturn } from '../../src/method/reinforce.js';
import { rloo } from '../../src/method/rloo.js';
import type { Rollout } from '../../src/method/rollout.js';

// Numbers of a float64 script, which was checked by finite differences and by Monte Carlo.
// Three groups: [1, 0, 0, 1], [1, 1, 1, 1], [.2, .9].
const rewards = [1, 0, 0, 1, 1, 1, 1, 1, 0.2, 0.9];
const groups = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2];
const near = (actual: readonly number[], expected: readonly number[]): void => {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((x, i) => expect(x).toBeCloseTo(expected[i]!, 10));
};
const signed = (a: number, b: number): number[] => [a, -a, -a, a, 0, 0, 0, 0, -b, b];

describe('advantages', () => {
  it('are those of TRL and of float64', () => {
    near(groupRelative(rewards, groups, 'group'), signed(0.865875429761, 0.706963952899));
    near(groupRelative(rewards, groups, 'batch'), signed(1.115000641117, 0.780500448782));
    near(groupRelative(rewards, groups, 'none'), signed(0.5, 0.35));
    near(leaveOneOut(rewards, groups), signed(0.666666666667, 0.7));
    near(batchMean(rewards), [0.29, -0.71, -0.71, 0.29, 0.29, 0.29, 0.29, 0.29, -0.51, 0.19]);
    near(groupRelative([1, 0, -1, -1], [0, 0, 0, 0], 'group'), [1.305446070273, 0.261089214055, -0.783267642164, -0.783267642164]);
  });

  it('follow the answers when these change places', () => {
    const order = [9, 3, 0, 5, 7, 1, 8, 2, 6, 4];
    for (const of of [leaveOneOut, (r: typeof rewards, g: typeof groups) => groupRelative(r, g, 'group')]) {
      const [here, there] = [of(rewards, groups), of(order.map((i) => rewards[i]!), order.map((i) => groups[i]!))];
      near(there, order.map((i) => here[i]!));
    }
  });

  it('are 0 in a group of one, and where no reward could be given', () => {
    for (const scale of ['group', 'batch', 'none'] as const) expect(groupRelative([0.7], [0], scale)).toEqual([0]);
    expect(leaveOneOut([0.7], [0])).toEqual([0]);
    near(leaveOneOut([1, null, 0], [0, 0, 0]), [1, 0, -1]);
    near(batchMean([1, null, 0]), [0.5, 0, -0.5]);
    expect(equalInGroup([1, 1, null, 0.2, 0.9], [0, 0, 0, 1, 1])).toEqual([true, true, true, false, false]);
  });

  it('of generalised advantage estimation, with KL in the reward', () => {
    const [logp, reference] = [[-1, -0.5, -2, -0.3], [-1.2, -0.5, -1, -0.6]];
    near(k1(logp, reference), [0.2, 0, -1, 0.3]);
    const values = [0.2, 0.3, 0.5, 0.4];
    const found = gae([-0.02, 0, 0.1, 0.97], values, { gamma: 1, lambda: 0.95 });
    near(found.advantages, [0.75870375, 0.714425, 0.5415, 0.57]);
    near(found.returns, [0.95870375, 1.014425, 1.0415, 0.97]);
    near(whiten([found.advantages]).flat(), [1.055944704288, 0.640508545809, -0.981924284949, -0.714528965148]);
    near(gae([-0.02, 0, 0.1, 0.97], values, { gamma: 1, lambda: 1 }).advantages, [0.85, 0.77, 0.57, 0.57]);
    const rollout: Rollout = { group: 0, reward: 1, tokens: 4, logp, reference, values };
    const [credit] = bind(ppo, { beta: 0.1, whiten: false }).credit!([rollout]);
    near(credit!.advantages, found.advantages);
    near(credit!.returns!, found.returns);
  });

  it('of REINFORCE and RLOO hold KL', () => {
    // Ten nats of KL over an answer, at β .05; RLAIF weighs the reward by 1 − β.
    const one = (reward: number, kl: number): Rollout => ({ group: 0, reward, tokens: 2, logp: [kl, 0], reference: [0, 0] });
    expect(rlaifReturn(one(0.8, 2), 0.05)).toBeCloseTo(0.66, 12);
    near(bind(rloo, { beta: 0.05 }).credit!([one(1, 10), one(0, 0)]).flatMap(({ advantages }) => advantages), [0.5, 0.5, -0.5, -0.5]);
  });

  it('estimate KL', () => {
    near(k3([-1, -2, -0.5], [-1.5, -1, -0.5]), [0.106530659713, 0.718281828459, 0]);
    near(rewardToGo([0.125, 0.25, 0.25, 1.375]), [2, 1.875, 1.625, 1.375]);
  });
});

// The expected gradient of each estimator by enumeration of all groups: three arms, softmax of [.2, 0, −.1], rewards [1, .5, 0].
const logits = [0.2, 0, -0.1];
const total = logits.reduce((sum, z) => sum + Math.exp(z), 0);
const policy = logits.map((z) => Math.exp(z) / total);
const arms = [1, 0.5, 0];
const exact = [0.175565946645, -0.016195288456, -0.159370658188];

function expected(size: number, of: (rewards: number[], groups: number[]) => number[]): number[] {
  const gradient = [0, 0, 0];
  for (let code = 0; code < 3 ** size; code++) {
    const drawn = Array.from({ length: size }, (_, i) => Math.floor(code / 3 ** i) % 3);
    const chance = drawn.reduce((p, a) => p * policy[a]!, 1);
    const advantages = of(drawn.map((a) => arms[a]!), drawn.map(() => 0));
    drawn.forEach((a, i) => policy.forEach((p, z) => (gradient[z]! += (chance * advantages[i]! * ((a === z ? 1 : 0) - p)) / size)));
  }
  return gradient;
}

describe('the expected gradient of a bandit', () => {
  it('is exact for leave-one-out, and (G − 1)/G of it for the group mean', () => {
    near(expected(2, leaveOneOut), exact);
    near(expected(4, leaveOneOut), exact);
    const centred = (size: number): number[] => expected(size, (r, g) => groupRelative(r, g, 'none'));
    near(centred(2), exact.map((x) => x / 2));
    near(centred(4), exact.map((x) => (x * 3) / 4));
  });

  it("has another direction where groups are divided by their deviation, as GRPO's authors do", () => {
    const found = expected(4, (r, g) => groupRelative(r, g, 'group'));
    [0.311551324255, -0.043113020583, -0.268438303671].forEach((x, i) => expect(found[i]).toBeCloseTo(x, 10));
  });
});
