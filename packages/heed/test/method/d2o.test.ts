import { type Engine, startEngine } from '@heed/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NegativeRow } from '../../src/data/rows.js';
import { d2o } from '../../src/method/d2o.js';
import { dpo } from '../../src/method/dpo.js';
import { bind } from '../../src/method/bind.js';
import { npo } from '../../src/method/npo.js';
import { lossOf } from '../support/loss.js';
import { fakeRespond, textOf } from '../support/respond.js';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
});
afterAll(() => engine.close());

// Two rows of three positives; log-probabilities by row, positive, token.
const policy = {
  positives: [
    [[-1, -2], [-0.5], [-3, -1, -0.2]],
    [[-2], [-0.1, -0.4], [-1, -1]],
  ],
  negative: [
    [-0.3, -0.9],
    [-4, -1, -0.5],
  ],
};
const harmful = {
  positives: [
    [[-1.5, -2.5], [-0.2], [-2, -3, -0.1]],
    [[-1], [-0.9, -0.1], [-2, -0.5]],
  ],
}; // r−
const helpful = {
  negative: [
    [-2, -1.5],
    [-3, -0.2, -0.6],
  ],
}; // r+
const under = { rMinus: harmful, rPlus: helpful };
const sum = (x: readonly number[]): number => x.reduce((a, b) => a + b, 0);
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const margins = (alpha: number, beta: number) => policy.negative.map((y, row) => {
  const z = policy.positives[row]!.map((p, i) => beta * (sum(p) - sum(harmful.positives[row]![i]!)));
  const v = alpha * (sum(y) - sum(helpful.negative[row]!));
  return { z, v, m: sum(z) / z.length - v };
});

describe('d2o', () => {
  it('is −log σ(β/K Σ h_i − α h_l), with one weight for all that is learnt of a row', async () => {
    const [alpha, beta] = [0.7, 0.4];
    const value = await lossOf(engine, bind(d2o, { alpha, beta, k: 3 }), policy, {}, { under });
    const rows = margins(alpha, beta);
    expect(value.loss).toBeCloseTo(sum(rows.map(({ m }) => -Math.log(sigmoid(m)))) / 2, 6);
    rows.forEach(({ m }, row) => {
      const w = sigmoid(-m) / 2;
      expect(value.gradient['positives']![row]!.filter((d) => d !== 0)).toHaveLength(sum(policy.positives[row]!.map((p) => p.length)));
      value.gradient['positives']![row]!.filter((d) => d !== 0).forEach((d) => expect(d).toBeCloseTo((-w * beta) / 3, 6));
      value.gradient['negative']![row]!.forEach((d) => expect(d).toBeCloseTo(w * alpha, 6));
    });
    expect(value.metrics['rewards_margin']).toBeCloseTo(sum(rows.map(({ m }) => m)) / 2, 5);
    expect(value.metrics['rewards_rejected']).toBeCloseTo(sum(rows.map(({ v }) => v)) / 2, 5);
    expect(value.metrics['rewards_chosen']! - value.metrics['rewards_rejected']!).toBeCloseTo(value.metrics['rewards_margin']!, 5);
    expect(value.metrics['accuracy']).toBe(rows.filter(({ m }) => m > 0).length / 2);
    expect(value.metrics['logp_chosen']).toBeCloseTo((sum(policy.positives[0]!.flat()) + sum(policy.positives[1]!.flat())) / 6, 5);
  });

  it('on the level of instances is the mean of a loss each, never less (Jensen)', async () => {
    const [alpha, beta] = [0.7, 0.4];
    const value = await lossOf(engine, bind(d2o, { alpha, beta, k: 3, level: 'instance' }), policy, {}, { under });
    const rows = margins(alpha, beta);
    expect(value.loss).toBeCloseTo(sum(rows.map(({ z, v }) => sum(z.map((x) => -Math.log(sigmoid(x - v)))) / 3)) / 2, 6);
    const distributional = await lossOf(engine, bind(d2o, { alpha, beta, k: 3 }), policy, {}, { under });
    expect(distributional.loss).toBeLessThan(value.loss);
    // Each positive has a weight of its own.
    const first = value.gradient['positives']![0]!.filter((d) => d !== 0);
    const { z, v } = rows[0]!;
    policy.positives[0]!.flatMap((p, i) => p.map(() => (-beta * sigmoid(v - z[i]!)) / 6)).forEach((d, t) =>
      expect(first[t]).toBeCloseTo(d, 6),
    );
  });

  it.each(['distributional', 'instance'] as const)('with K = 1, α = β and one reference is DPO (%s)', async (level) => {
    const golden = {
      chosen: [
        [-0.25, -0.25],
        [-6, -2, -1, -0.5, -0.5],
        [-0.5, -0.25, -0.25],
      ],
      rejected: [[-0.1], [-5, -5, -5, -5, -5, -5], [-20, -0.5, -0.25, -0.25]],
    };
    const reference = {
      chosen: [
        [-0.3, -0.2],
        [-6.1, -2, -1, -0.5, -0.5],
        [-0.05, -0.03, -0.02],
      ],
      rejected: [[-0.1], [-20, 0, 0, 0, 0, -0.1], [-0.1, 0, 0, 0]],
    };
    const one = { positives: golden.chosen.map((x) => [x]), negative: golden.rejected };
    const value = await lossOf(
      engine,
      bind(d2o, { k: 1, level }),
      one,
      {},
      { under: { rMinus: { positives: reference.chosen.map((x) => [x]) }, rPlus: { negative: reference.rejected } } },
    );
    expect(value.loss).toBeCloseTo(0.3777789597070469, 6);
    const pairs = await lossOf(engine, bind(dpo), golden, { soft_label: [1, 1, 1] }, { under: { reference } });
    expect(value.loss).toBeCloseTo(pairs.loss, 6);
    const near = (ours: number[][], theirs: number[][]): void =>
      theirs.forEach((row, i) => row.forEach((d, t) => expect(ours[i]![t]).toBeCloseTo(d, 6)));
    near(value.gradient['negative']!, pairs.gradient['rejected']!);
    near(value.gradient['positives']!, pairs.gradient['chosen']!);
    expect(value.metrics).toMatchObject({
      rewards_chosen: expect.closeTo(pairs.metrics['rewards_chosen']!, 5) as number,
      rewards_rejected: expect.closeTo(pairs.metrics['rewards_rejected']!, 5) as number,
    });
  });

  it('with β = 0 is α/2 times NPO with β = α', async () => {
    const ours = await lossOf(engine, bind(d2o, { alpha: 0.3, beta: 0 }), { negative: policy.negative }, {}, { under: { rPlus: helpful } });
    const theirs = await lossOf(engine, bind(npo, { beta: 0.3 }), { negative: policy.negative }, {}, { under: { reference: helpful } });
    expect(ours.loss).toBeCloseTo(0.15 * theirs.loss, 6);
    ours.gradient['negative']!.forEach((row, i) =>
      row.forEach((d, t) => expect(d).toBeCloseTo(0.15 * theirs.gradient['negative']![i]![t]!, 6)),
    );
    expect(ours.metrics).toEqual({
      rewards_rejected: expect.closeTo(theirs.metrics['rewards_rejected']!, 6) as number,
      logp_rejected: expect.closeTo(theirs.metrics['logp_rejected']!, 6) as number,
    });
  });

  it.each(['distributional', 'instance'] as const)('is ln 2 while policy and references are equal (%s)', async (level) => {
    const method = bind(d2o, { k: 3, level });
    const value = await lossOf(engine, method, policy, {}, { under: { rMinus: policy, rPlus: policy } });
    expect(value.loss).toBeCloseTo(Math.LN2, 6);
    expect(method.lossAtReference).toBe(Math.LN2);
    expect(value.metrics).toMatchObject({ rewards_margin: 0, accuracy: 0.5 });
  });

  it.each(['distributional', 'instance'] as const)('does not know the order of the positives (%s)', async (level) => {
    const turn = <T>(list: readonly T[]): T[] => [list[2]!, list[0]!, list[1]!];
    const method = bind(d2o, { k: 3, alpha: 1, beta: 1, level });
    const value = await lossOf(engine, method, policy, {}, { under });
    const turned = await lossOf(
      engine,
      method,
      { ...policy, positives: policy.positives.map(turn) },
      {},
      { under: { rMinus: { positives: harmful.positives.map(turn) }, rPlus: helpful } },
    );
    expect(turned.loss).toBeCloseTo(value.loss, 6);
    turned.gradient['negative']!.flat().forEach((d, i) => expect(d).toBeCloseTo(value.gradient['negative']!.flat()[i]!, 6));
  });

  it('with α = β does not see a shift of every response’s log-probability', async () => {
    const add = (c: number) => (tokens: number[]): number[] => tokens.map((x, t) => (t === 0 ? x + c : x));
    const shifted = { positives: policy.positives.map((row) => row.map(add(-0.4))), negative: policy.negative.map(add(-0.4)) };
    const method = bind(d2o, { k: 3, alpha: 0.5, beta: 0.5 });
    const [a, b] = [await lossOf(engine, method, policy, {}, { under }), await lossOf(engine, method, shifted, {}, { under })];
    expect(a.loss).toBeCloseTo(b.loss, 6);
  });

  it('vanishes, and its gradient too, as the margin grows; a margin the other way gives a bounded gradient', async () => {
    const far = (sign: number) => lossOf(engine, bind(d2o, { alpha: 1, beta: 1, k: 1 }), { positives: [[[-1]]], negative: [[-1]] }, {},
      { under: { rMinus: { positives: [[[-1 - sign * 50]]] }, rPlus: { negative: [[-1 + sign * 50]] } } });
    const [good, bad] = [await far(1), await far(-1)];
    expect([good.loss, ...good.gradient['positives']!.flat(), ...good.gradient['negative']!.flat()].every((x) => Math.abs(x) < 1e-12)).toBe(
      true,
    );
    expect(bad.loss).toBeCloseTo(100, 4);
    expect([bad.gradient['positives']![0]![0], bad.gradient['negative']![0]![0]]).toEqual([expect.closeTo(-1, 6), expect.closeTo(1, 6)]);
  });

  it('scores the negative under r+ and the positives under r−, which may follow the policy at paces of their own', () => {
    expect(bind(d2o).references).toEqual({ rPlus: { is: 'base', scores: ['negative'] }, rMinus: { is: 'base', scores: ['positives'] } });
    const moving = bind(d2o, { rPlus: { every: 5, rate: 0.5 }, rMinus: 'runs/old/adapter' }).references;
    expect([moving['rPlus']!.is, moving['rMinus']!.is]).toEqual([{ ema: { every: 5, rate: 0.5 } }, { adapter: 'runs/old/adapter' }]);
  });

  const row = (positives?: string[]): NegativeRow => ({
    source: { file: 'a', line: 1 },
    prompt: [{ role: 'user', content: 'q' }],
    rejected: 'bad',
    ...(positives === undefined ? {} : { positives }),
  });

  it('uses the first K positives of a row, and cannot use a row with fewer', () => {
    const method = bind(d2o, { k: 2 });
    const { negative, positives } = method.sequences(row(['one', 'two', 'three']), fakeRespond());
    expect([...negative!, ...positives!].map(({ response }) => textOf(response))).toEqual(['bad.', 'one.', 'two.']);
    expect(method.unfit(row(['one', 'two']))).toBeUndefined();
    expect(method.unfit(row(['one']))).toMatch(/1 of the 2 positives/);
    expect(method.unfit(row())).toMatch(/no positives.*k: 2/);
    expect(bind(d2o).unfit(row(['one']))).toMatch(/1 of the 11 positives/);
  });

  it('with β = 0 needs no positives and scores none', () => {
    const method = bind(d2o, { beta: 0, rPlus: { every: 1, rate: 0.5 } });
    expect(Object.keys(method.references)).toEqual(['rPlus']);
    for (const one of [row(), row(['one', 'two'])]) {
      expect(method.unfit(one)).toBeUndefined();
      expect(Object.keys(method.sequences(one, fakeRespond()))).toEqual(['negative']);
    }
  });

  it.each([
    [{ alpha: 0, beta: 0 }, 'nothing is learnt'],
    [{ beta: 0, k: 3 }, 'k is ignored'],
    [{ alpha: 0, rPlus: { every: 1, rate: 0.5 } }, 'rPlus is ignored'],
    [{ beta: 0, rMinus: 'runs/x/adapter' }, 'rMinus is ignored'],
    [{ rPlus: { every: 1, rate: 0 } }, 'rPlus'],
    [{ rPlus: { every: 1, rate: 0.5, rat: 1 } }, 'rPlus'],
    [{ k: 0 }, 'k'],
    [{ level: 'token' }, 'level'],
  ])('refuses %j', (options, message) => {
    expect(() => bind(d2o, options as object)).toThrow(message);
  });
});
