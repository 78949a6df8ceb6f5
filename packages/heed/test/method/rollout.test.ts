import { type Engine, startEngine } from '@heed/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { grpo } from '../../src/method/grpo.js';
import { bind } from '../../src/method/bind.js';
import type { BoundMethod } from '../../src/method/method.js';
import { ppo } from '../../src/method/ppo.js';
import { reinforce } from '../../src/method/reinforce.js';
import { rloo } from '../../src/method/rloo.js';
import { type LossValue, lossOf } from '../support/loss.js';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
});
afterAll(() => engine.close());

/** Two answers of three and two tokens, one group or two; log-ratios to the policy that sampled, and advantages by answer. */
const RATIOS = [[0, 0.3, -0.3], [0.1, -0.5]];

interface Answers {
  readonly ratios?: readonly (readonly number[])[];
  readonly advantages: readonly (readonly number[])[];
  readonly reference?: readonly (readonly number[])[];
  readonly returns?: readonly (readonly number[])[];
  readonly values?: readonly (readonly number[])[];
  readonly now?: readonly (readonly number[])[];
  /** log μ of every token by the sampler; default: what the policy that sampled said. */
  readonly sampled?: number;
}

/** The loss of a group of answers; the policy that sampled said −1 of every token. */
function run(
  method: BoundMethod, { ratios = RATIOS, advantages, reference, returns, values, now, sampled = -1 }: Answers,
): Promise<LossValue> {
  const zero = ratios.map((own) => own.map(() => 0));
  const logp = ratios.map((own) => own.map((x) => x - 1));
  return lossOf(engine, method, { completions: [logp] }, {
    max_tokens: [ratios.map(() => 4)], advantages: [advantages], sampled: [zero.map((own) => own.map(() => sampled))],
    reference: [reference ?? zero], returns: [returns ?? zero], values: [values ?? zero],
  }, {
    under: { old: { completions: [zero.map((own) => own.map(() => -1))] } },
    values: now === undefined ? {} : { value: { completions: [now] } },
  });
}
const sameForAll = (a: readonly number[]): number[][] => a.map((x, i) => RATIOS[i]!.map(() => x));

describe('grpo', () => {
  it.each([
    { lossType: 'grpo', off: -0.013843640595, on: 0, perToken: [-1 / 6, 1 / 4] },
    { lossType: 'dr-grpo', off: -0.129455912826, on: -0.125, perToken: [-1 / 8, 1 / 8] },
    { lossType: 'dapo', off: -0.207129460521, on: -0.2, perToken: [-1 / 5, 1 / 5] },
    { lossType: 'bnpo', off: -0.207129460521, on: -0.2, perToken: [-1 / 5, 1 / 5] },
  ] as const)('$lossType has the golden loss, and its gradient at ratio 1', async ({ lossType, off, on, perToken }) => {
    const method = bind(grpo, { lossType });
    const found = await run(method, { advantages: sameForAll([1, -1]) });
    expect(found.loss).toBeCloseTo(off, 6);
    expect(found.metrics['clip_ratio/low_mean']).toBeCloseTo(0.2, 6);
    expect(found.metrics['clip_ratio/high_mean']).toBeCloseTo(0.2, 6);
    expect(found.metrics['clip_ratio/region_mean']).toBeCloseTo(0.4, 6);
    // As TRL has them: too low is no token of the first answer and one of two of the second, too high one of three of the first.
    expect(found.metrics['clip_ratio/low_min']).toBe(0);
    expect(found.metrics['clip_ratio/high_max']).toBeCloseTo(1 / 3, 6);
    const fresh = await run(method, { ratios: RATIOS.map((own) => own.map(() => 0)), advantages: sameForAll([1, -1]) });
    expect(fresh.loss).toBeCloseTo(on, 6);
    const [a, b] = perToken as [number, number];
    fresh.gradient['completions']![0]!.forEach((d, t) => expect(d).toBeCloseTo(t < 3 ? a : b, 6));
  });

  it('adds β k3 token by token', async () => {
    // k3 = e^d − d − 1 of d = log π_ref − log π.
    const gap = [[0.1, 0, 0.3], [-0.1, -0.6]];
    const reference = RATIOS.map((own, i) => own.map((x, t) => x - 1 + gap[i]![t]!));
    const each = gap.map((own) => own.map((d) => Math.exp(d) - d - 1));
    const mean = (own: readonly number[]): number => own.reduce((sum, x) => sum + x, 0) / own.length;
    const found = await run(bind(grpo, { beta: 0.04 }), { advantages: sameForAll([1, -1]), reference });
    expect(found.loss).toBeCloseTo(-0.013843640595 + 0.04 * mean(each.map(mean)), 6);
    expect(found.metrics['kl']).toBeCloseTo(mean(each.flat()), 6);
  });

  it.each([
    { advantage: 1, losses: [-0.5, -0.9, -1.1, -1.2, -1.2], gradients: [-0.5, -0.9, -1.1, 0, 0] },
    { advantage: -1, losses: [0.8, 0.9, 1.1, 1.5, 4], gradients: [0, 0.9, 1.1, 1.5, 4] },
  ])('clips ratios as PPO does, at the advantage $advantage', async ({ advantage, losses, gradients }) => {
    const ratios = [0.5, 0.9, 1.1, 1.5, 4].map((ratio) => [Math.log(ratio)]);
    const found = await run(bind(grpo, {}), { ratios, advantages: ratios.map(() => [advantage]) });
    expect(found.loss).toBeCloseTo(losses.reduce((sum, x) => sum + x, 0) / 5, 5);
    found.gradient['completions']![0]!.forEach((d, i) => expect(d).toBeCloseTo(gradients[i]! / 5, 5));
    const higher = await run(bind(grpo, { epsilonHigh: 0.28 }), { ratios: ratios.slice(3), advantages: [[advantage], [advantage]] });
    if (advantage === 1) expect(higher.loss).toBeCloseTo(-1.28, 5);
  });
});

describe('mismatch_kl', () => {
  it('is k3 of trainer against sampler: 0 where both say the same, and seen where they do not', async () => {
    const at = async (sampled: number): Promise<number> =>
      (await run(bind(grpo, {}), { advantages: sameForAll([1, -1]), sampled })).metrics['mismatch_kl']!;
    expect(await at(-1)).toBeCloseTo(0, 6);
    expect(await at(-1.5)).toBeCloseTo(Math.exp(-0.5) + 0.5 - 1, 6);
  });
});

describe('rloo', () => {
  it("has TRL's loss of whole answers, with one ratio each", async () => {
    const found = await run(bind(rloo, {}), { advantages: sameForAll([1, -1]) });
    expect(found.loss).toBeCloseTo(-0.1, 6); // ratios 1 and e^−.4 = .67, which is clipped to .8
  });

  it('has the same gradient for sequences and tokens at a round\'s first step', async () => {
    const at = (ratio: 'sequence' | 'token'): Promise<LossValue> =>
      run(bind(rloo, { ratio }), { ratios: RATIOS.map((own) => own.map(() => 0)), advantages: sameForAll([0.7, -0.2]) });
    const [sequence, token] = [await at('sequence'), await at('token')];
    sequence.gradient['completions']![0]!.forEach((d, t) => expect(d).toBeCloseTo(token.gradient['completions']![0]![t]!, 6));
    expect(sequence.gradient['completions']![0]![0]).toBeCloseTo(-0.35, 6);
  });
});

describe('reinforce', () => {
  it('is −Σ log π · Â of each answer, the mean over answers', async () => {
    const found = await run(bind(reinforce, {}), { advantages: sameForAll([0.29, -0.71]) });
    const logp = RATIOS.map((own) => own.map((x) => x - 1).reduce((sum, x) => sum + x, 0));
    expect(found.loss).toBeCloseTo(-(logp[0]! * 0.29 - logp[1]! * 0.71) / 2, 5);
    found.gradient['completions']![0]!.forEach((d, t) => expect(d).toBeCloseTo(t < 3 ? -0.145 : 0.355, 6));
  });

  it("adds the value head's Σ (Z − V)²", async () => {
    const found = await run(bind(reinforce, { baseline: 'value' }), {
      advantages: [[0, 0, 0], [0, 0]], returns: [[0.66, 0.66, 0.66], [0.2, 0.2]], now: [[0.5, 0.4, 0.6], [0.2, 0.1]],
    });
    expect(found.loss).toBeCloseTo((0.16 ** 2 + 0.26 ** 2 + 0.06 ** 2 + 0.1 ** 2) / 2, 6);
  });
});

describe('ppo', () => {
  const clipped = [{ v: 0.6, loss: 0.08 }, { v: 0.9, loss: 0.045 }, { v: 0.2, loss: 0.32 }];
  it.each(clipped)('follows the value $v within its clip', async ({ v, loss }) => {
    const found = await run(bind(ppo, { valueCoefficient: 1 }), {
      ratios: [[0]], advantages: [[0]], returns: [[1]], values: [[0.5]], now: [[v]],
    });
    expect(found.loss).toBeCloseTo(loss, 6);
  });

  it('adds both parts, each the mean over tokens', async () => {
    const found = await run(bind(ppo, {}), {
      advantages: sameForAll([1, -1]), returns: [[1, 1, 1], [1, 1]], values: [[1, 1, 1], [1, 1]], now: [[1, 1, 1], [1.5, 1]],
    });
    // Tokens: −1, −1.2, −.740818; 1.105171, .8. Value: ½ · .5² of one token of five, at the weight .1.
    expect(found.loss).toBeCloseTo(-0.207129460521 + 0.1 * 0.125 / 5, 6);
  });
});
