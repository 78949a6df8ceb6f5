import { type Engine, startEngine } from '@heed/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NegativeRow } from '../../src/data/rows.js';
import { gradientAscent } from '../../src/method/gradient-ascent.js';
import { bind } from '../../src/method/bind.js';
import { d2o } from '../../src/method/d2o.js';
import { npo } from '../../src/method/npo.js';
import { simNpo } from '../../src/method/sim-npo.js';
import { lossOf } from '../support/loss.js';
import { fakeRespond } from '../support/respond.js';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
});
afterAll(() => engine.close());

/** A sum over n tokens, shared out unevenly. */
const spread = (sum: number, n: number): number[] => Array.from({ length: n }, (_, t) => (sum * (t + 1) * 2) / (n * (n + 1)));
const lengths = [1, 6, 4];
const sums = { policy: [-0.1, -30, -21], reference: [-0.1, -20.1, -0.1] };
const tokensOf = (of: readonly number[]): number[][] => of.map((sum, i) => spread(sum, lengths[i]!));
const policy = { negative: tokensOf(sums.policy) };
const under = { reference: { negative: tokensOf(sums.reference) } };
const ratio = sums.policy.map((x, i) => x - sums.reference[i]!);
const mean = (x: readonly number[]): number => x.reduce((a, b) => a + b) / x.length;
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

const source = { file: 'a', line: 1 };
describe.each([npo, d2o, simNpo, gradientAscent])('$name', (one) => {
  const method = bind<'negative', unknown, string>(one);
  const row = (satisfied?: boolean): NegativeRow => ({ source, prompt: [{ role: 'user', content: 'q' }], rejected: 'a', satisfied });

  it('leaves out responses that a row calls good, and refuses rows of nothing else', () => {
    expect([row(), row(false), row(true)].map((one) => method.uses(one))).toEqual([true, true, false]);
    expect(method.unused).toBe('said to be good (satisfied or label is true)');
    expect(method.unfitTogether([row(true), row()])).toBeUndefined();
    expect(method.unfitTogether([row(true), row(true)])).toMatch(/every row says that its response is good .*method: sft/);
  });
});

describe('gradient-ascent', () => {
  it('is the mean log-probability of a token, its gradient the same for each', async () => {
    const value = await lossOf(engine, bind(gradientAscent), policy);
    expect(value.loss).toBeCloseTo(-51.1 / 11, 5);
    expect(value.gradient['negative']!.flat().every((d) => Math.abs(d - 1 / 11) < 1e-6)).toBe(true);
    expect(value.metrics['logp_rejected']).toBeCloseTo(-51.1 / 3, 5);
    expect(value.metrics['nll_rejected']).toBeCloseTo(51.1 / 11, 5);
  });

  it('per row is the mean of sums', async () => {
    const value = await lossOf(engine, bind(gradientAscent, { per: 'row' }), policy);
    expect(value.loss).toBeCloseTo(-51.1 / 3, 4);
    expect(value.gradient['negative']!.flat().every((d) => Math.abs(d - 1 / 3) < 1e-6)).toBe(true);
  });
});

describe('npo', () => {
  it('has the golden values', async () => {
    const value = await lossOf(engine, bind(npo), policy, {}, { under });
    expect(value.loss).toBeCloseTo(7.504823278833737, 4);
    expect(value.metrics['rewards_rejected']).toBeCloseTo(0.1 * mean(ratio), 5);
    for (const [i, golden] of [13.8629436112, 6.3192189491, 2.3323072762].entries()) {
      const one = await lossOf(
        engine,
        bind(npo),
        { negative: [policy.negative[i]!] },
        {},
        { under: { reference: { negative: [under.reference.negative[i]!] } } },
      );
      expect(one.loss).toBeCloseTo(golden, 4);
    }
  });

  it('has gradient ascent’s gradient times W = 2π^β/(π^β + π_ref^β)', async () => {
    const { gradient } = await lossOf(engine, bind(npo, { beta: 0.3 }), policy, {}, { under });
    ratio.forEach((s, i) => gradient['negative']![i]!.forEach((d) => expect(d).toBeCloseTo((2 * sigmoid(0.3 * s)) / 3, 6)));
  });

  it('is gradient ascent at β → 0, and (2/β) ln 2 while policy and reference are equal', async () => {
    const { gradient } = await lossOf(engine, bind(npo, { beta: 1e-6 }), policy, {}, { under });
    const ascent = await lossOf(engine, bind(gradientAscent, { per: 'row' }), policy);
    gradient['negative']!.forEach((row, i) => row.forEach((d, t) => expect(d).toBeCloseTo(ascent.gradient['negative']![i]![t]!, 5)));
    const equal = await lossOf(engine, bind(npo, { beta: 0.5 }), policy, {}, { under: { reference: policy } });
    expect(equal.loss).toBeCloseTo(bind(npo, { beta: 0.5 }).lossAtReference!, 5);
    expect(equal.loss).toBeCloseTo(4 * Math.LN2, 5);
    expect(bind(npo, { retain: 1 }).lossAtReference).toBeUndefined();
  });

  it('names its reference', () => {
    expect(bind(npo).references).toEqual({ reference: { is: 'base', scores: ['negative'] } });
    expect(bind(npo, { reference: 'runs/sft/adapter' }).references['reference']!.is).toEqual({ adapter: 'runs/sft/adapter' });
  });
});

describe('sim-npo', () => {
  it('is −(2/β) log σ(β(nll per token − γ)), and so is its gradient', async () => {
    const [beta, gamma] = [2.5, 0.4];
    const value = await lossOf(engine, bind(simNpo, { beta, gamma }), policy);
    const nll = sums.policy.map((s, i) => -s / lengths[i]!);
    expect(value.loss).toBeCloseTo(mean(nll.map((x) => (-2 / beta) * Math.log(sigmoid(beta * (x - gamma))))), 5);
    nll.forEach((x, i) =>
      value.gradient['negative']![i]!.forEach((d) => expect(d).toBeCloseTo((2 * sigmoid(-beta * (x - gamma))) / lengths[i]! / 3, 5)),
    );
    expect(bind(simNpo).references).toEqual({});
  });

  it('agrees with central differences of its own value', async () => {
    const value = (x: number) => lossOf(engine, bind(simNpo, { beta: 1, gamma: 0.1 }), { negative: [[-0.5, x], [-1, -2, -0.1]] });
    const h = 0.05;
    const difference = ((await value(-0.8 + h)).loss - (await value(-0.8 - h)).loss) / (2 * h);
    expect((await value(-0.8)).gradient['negative']![0]![1]).toBeCloseTo(difference, 4);
  });
});

describe('methods of negatives alone', () => {
  const row = (positives?: string[]): NegativeRow => ({
    source: { file: 'a', line: 1 },
    prompt: [{ role: 'user', content: 'q' }],
    rejected: 'bad',
    ...(positives === undefined ? {} : { positives }),
  });
  const methods = [gradientAscent, npo, simNpo].map((method) => ({
    name: method.name,
    plain: bind(method as typeof npo),
    retaining: bind(method as typeof npo, { retain: 0.5 }),
  }));

  it.each(methods)('$name reads positives only where it retains them', ({ name, plain, retaining }) => {
    expect(Object.keys(plain.sequences(row(['good']), fakeRespond()))).toEqual(['negative']);
    expect(retaining.sequences(row(['good', 'better']), fakeRespond())['positives']).toHaveLength(2);
    expect([plain.unfit(row()), retaining.unfit(row(['good']))]).toEqual([undefined, undefined]);
    expect(retaining.unfit(row())).toMatch(/no positives, which retain: 0.5/);
    // @ts-expect-error a program in TypeScript does not compile with it
    expect(() => bind(npo, { retian: 1 })).toThrow(/retian/);
    expect(name).not.toBe('');
  });

  it.each(methods)('$name adds their likelihood, per token', async ({ plain, retaining }) => {
    const positives = [[[-1, -2], [-3]], [[-0.5, -0.5, -1]], [[-4]]];
    const under = plain.references['reference'] === undefined ? {} : { under: { reference: policy } };
    const without = await lossOf(engine, plain, { ...policy, positives }, {}, under);
    const value = await lossOf(engine, retaining, { ...policy, positives }, {}, under);
    expect(value.metrics['nll_positives']).toBeCloseTo(12 / 7, 5);
    expect(value.loss - without.loss).toBeCloseTo((0.5 * 12) / 7, 4);
    expect(value.gradient['positives']!.flat().filter((d) => Math.abs(d + 0.5 / 7) < 1e-6)).toHaveLength(7);
  });
});
