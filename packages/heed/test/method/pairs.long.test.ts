import { type Engine, startEngine } from '@heed/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cpo } from '../../src/method/cpo.js';
import { bind } from '../../src/method/bind.js';
import type { BoundMethod } from '../../src/method/method.js';
import { orpo } from '../../src/method/orpo.js';
import { simpo } from '../../src/method/simpo.js';
import { slic } from '../../src/method/slic.js';
import { type LossValue, lossOf } from '../support/loss.js';
import { type TrlEntry, expectGradient, spreadAll, trlBatch, trlEntries } from '../support/trl.js';

// Preference methods without a reference. Golden inputs and losses: worked out from the formulas in float64.
type Sums = Readonly<Record<'chosen' | 'rejected', readonly number[]>>;
const sums: Sums = { chosen: [-0.5, -10, -1], rejected: [-0.1, -30, -21] };
const means: Sums = { chosen: [-0.5, -1.2, -0.8], rejected: [-1.5, -1, -2.3] };
const lengths: Sums = { chosen: [2, 5, 3], rejected: [1, 6, 4] };
const totals = (of: Sums): Sums => ({
  chosen: of.chosen.map((m, i) => m * lengths.chosen[i]!),
  rejected: of.rejected.map((m, i) => m * lengths.rejected[i]!),
});

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
});
afterAll(() => engine.close());

const run = (method: BoundMethod, logp: Sums, soft: readonly number[] = logp.chosen.map(() => 1), of: Sums = lengths): Promise<LossValue> =>
  lossOf(engine, method, spreadAll(logp, of), { soft_label: soft });
const at = (of: Sums, i: number): Sums => ({ chosen: [of.chosen[i]!], rejected: [of.rejected[i]!] });
async function expectEach(method: BoundMethod, logp: Sums, expected: readonly number[]): Promise<void> {
  for (const [i, loss] of expected.entries()) expect((await run(method, at(logp, i), [1], at(lengths, i))).loss).toBeCloseTo(loss, 5);
  expect((await run(method, logp)).loss).toBeCloseTo(expected.reduce((a, b) => a + b) / expected.length, 5);
}

const trlLengths: Sums = { chosen: trlBatch.pairs.map((p) => p.chosen.length), rejected: trlBatch.pairs.map((p) => p.rejected.length) };
const ofTrl = (method: BoundMethod, { logp }: TrlEntry): Promise<LossValue> => run(method, logp, [1, 1, 1, 1], trlLengths);

describe('cpo', () => {
  it('has the golden values', () => expectEach(bind(cpo, { alpha: 0 }), sums, [0.7133471672, 0.126928011, 0.126928011]));

  it.each<[string, Record<string, unknown>]>([
    ['cpo-sigmoid', {}],
    ['cpo-sigmoid-alpha-0', { alpha: 0 }],
    ['cpo-sigmoid-smoothing', { alpha: 0.5, labelSmoothing: 0.1 }],
    ['cpo-hinge', { loss: 'hinge' }],
  ])('is TRL’s %s, value and gradient', async (name, options) => {
    const entry = trlEntries('cpo')(name);
    const value = await ofTrl(bind(cpo, options), entry);
    expect(Math.abs(value.loss / entry.loss - 1)).toBeLessThan(5e-6);
    expectGradient(value, entry.dLoss);
  });

  it('refuses smoothing where the hinge would ignore it', () => {
    expect(() => bind(cpo, { loss: 'hinge', labelSmoothing: 0.1 })).toThrow(/no labelSmoothing/);
  });

  it('imitates the response that is likelier to be the better one, by token', async () => {
    const value = await run(bind(cpo), sums, [0, 0, 0]);
    expect(value.metrics['nll']).toBeCloseTo((0.1 + 30 + 21) / (1 + 6 + 4), 5);
    expect(value.loss).toBeCloseTo(value.metrics['preference']! + value.metrics['nll']!, 5);
  });
});

describe('simpo', () => {
  it('has the golden values', () =>
    expectEach(bind(simpo, { beta: 2, gamma: 0.5 }), totals(means), [0.201413278, 1.2411538747, 0.0788897343]));

  it.each<[string, Record<string, unknown>]>([
    ['simpo', { beta: 2, gamma: 0.5 }],
    ['cpo-simpo', { beta: 2, gamma: 0.5, alpha: 1 }],
  ])('is TRL’s %s, value and gradient', async (name, options) => {
    const entry = trlEntries('cpo')(name);
    const value = await ofTrl(bind(simpo, options), entry);
    expect(Math.abs(value.loss / entry.loss - 1)).toBeLessThan(5e-6);
    expectGradient(value, entry.dLoss);
  });

  it('does not see length: twice the tokens at the same mean', async () => {
    const longer: Sums = { chosen: lengths.chosen.map((n) => 2 * n), rejected: lengths.rejected.map((n) => 3 * n) };
    const scaled: Sums = { chosen: totals(means).chosen.map((x) => 2 * x), rejected: totals(means).rejected.map((x) => 3 * x) };
    expect((await run(bind(simpo), scaled, [1, 1, 1], longer)).loss).toBeCloseTo((await run(bind(simpo), totals(means))).loss, 5);
  });
});

describe('orpo', () => {
  it.each([
    [0.1, [0.5170859217, 1.285452341, 0.8128008762]],
    [0.5, [0.5854296086, 1.627261705, 0.8640043809]],
    [1, [0.6708592171, 2.0545234101, 0.9280087618]],
  ])('has the golden values at λ %d', (lambda, each) => expectEach(bind(orpo, { lambda }), totals(means), each));

  it.each([0.1, 1])('has the odds term of TRL’s, value and gradient, at λ %d', async (lambda) => {
    const entry = trlEntries('orpo')(`orpo-odds-beta-${lambda.toFixed(1)}`);
    const value = await ofTrl(bind(orpo, { lambda }), entry);
    expect(value.loss - value.metrics['nll']!).toBeCloseTo(entry.loss, 5);
    // The imitation of a row is −(1/|y_w|) Σ log p of a mean over four rows.
    const whole = { rejected: entry.dLoss['rejected']!, chosen: entry.dLoss['chosen']!.map((d, i) => d - 1 / (4 * trlLengths.chosen[i]!)) };
    expectGradient(value, whole);
    expect(value.metrics['nll']).toBeCloseTo(entry.logp['chosen']!.reduce((a, x, i) => a - x / (4 * trlLengths.chosen[i]!), 0), 5);
  });

  it('reports the golden log odds ratio and its loss, of each row and in the mean', async () => {
    for (const [i, ratio, loss] of [
      [0, 1.6802696706, 0.1708592171],
      [1, -0.3002927275, 0.8545234101],
      [2, 1.990969518, 0.1280087618],
    ] as const) {
      const { metrics } = await run(bind(orpo), at(totals(means), i), [1], at(lengths, i));
      expect(metrics['log_odds_ratio']).toBeCloseTo(ratio, 5);
      expect(metrics['preference']).toBeCloseTo(loss, 6);
    }
    const { metrics } = await run(bind(orpo), totals(means));
    expect(metrics['log_odds_ratio']).toBeCloseTo(1.1236488204, 5);
    expect(metrics['preference']).toBeCloseTo(0.3844637963, 6);
  });

  it('stays finite where a response is certain', async () => {
    const value = await run(bind(orpo), { chosen: [0], rejected: [-40] }, [1], at(lengths, 0));
    expect([value.loss, ...Object.values(value.gradient).flat(2)].every(Number.isFinite)).toBe(true);
  });
});

describe('slic', () => {
  it('has the golden values', () => expectEach(bind(slic, { lambda: 0 }), sums, [1.4, 0, 0]));

  it('adds λ times the chosen response’s likelihood, a sum', async () => {
    const value = await run(bind(slic, { lambda: 0.5 }), sums);
    expect(value.loss).toBeCloseTo(1.4 / 3 + (0.5 * 11.5) / 3, 5);
    // Row 0 is inside the margin: (−1 − λ)/3 and 1/3; the others are not, and are imitated only.
    expectGradient(value, { chosen: [-1.5 / 3, -0.5 / 3, -0.5 / 3], rejected: [1 / 3, 0, 0] });
  });
});

// The golden inputs' soft labels: what each says of (w, l) and of (l, w).
describe.each([
  ['cpo', bind(cpo)],
  ['cpo, hinge', bind(cpo, { loss: 'hinge', alpha: 0 })],
  ['simpo', bind(simpo)],
  ['orpo', bind(orpo)],
  ['slic', bind(slic)],
])('%s', (_, method) => {
  it('with a soft label p is p·ℓ(w, l) + (1 − p)·ℓ(l, w), in value and gradient', async () => {
    const [w, l] = [at(totals(means), 2), at(lengths, 2)];
    const swap = ({ chosen, rejected }: Sums): Sums => ({ chosen: rejected, rejected: chosen });
    const [soft, as, other] = [await run(method, w, [0.7], l), await run(method, w, [1], l), await run(method, swap(w), [1], swap(l))];
    // The likelihood of cpo is a mean over tokens, weighted by p as well.
    if (method.name !== 'cpo') expect(soft.loss).toBeCloseTo(0.7 * as.loss + 0.3 * other.loss, 5);
    expect(soft.metrics['preference'] ?? soft.metrics['calibration']).toBeCloseTo(
      0.7 * (as.metrics['preference'] ?? as.metrics['calibration']!) + 0.3 * (other.metrics['preference'] ?? other.metrics['calibration']!),
      5,
    );
    if (method.name !== 'cpo')
      expect(soft.gradient['chosen']![0]![0]).toBeCloseTo(
        0.7 * as.gradient['chosen']![0]![0]! + 0.3 * other.gradient['rejected']![0]![0]!,
        6,
      );
  });

  it('needs no reference', () => {
    expect(method.references).toEqual({});
    expect(method.lossAtReference).toBeUndefined();
    expect(method.scope).toBe('row');
  });
});
