import { type Engine, startEngine } from '@heed/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PreferenceRow } from '../../src/data/rows.js';
import { dpo } from '../../src/method/dpo.js';
import { DPO_LOSSES, type DpoLoss } from '../../src/method/dpo-losses.js';
import { bind } from '../../src/method/bind.js';
import { type LossValue, lossOf } from '../support/loss.js';
import { expectGradient, spreadAll, trlBatch, trlEntries } from '../support/trl.js';

// torchtune's inputs; the losses were worked out from the formulas in float64.
const policy = { chosen: [-0.5, -10, -1], rejected: [-0.1, -30, -21] };
const reference = { chosen: [-0.5, -10.1, -0.1], rejected: [-0.1, -20.1, -0.1] };
const lengths = { chosen: [2, 5, 3], rejected: [1, 6, 4] };
type Sums = Readonly<Record<'chosen' | 'rejected', readonly number[]>>;

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
});
afterAll(() => engine.close());

async function run(
  options: Record<string, unknown>,
  sums: Sums = policy,
  under: Sums = reference,
  soft: readonly number[] = sums.chosen.map(() => 1),
  of: Sums = lengths,
): Promise<LossValue> {
  return lossOf(engine, bind(dpo, options), spreadAll(sums, of), { soft_label: soft }, { under: { reference: spreadAll(under, of) } });
}
const row = (sums: Sums, i: number): Sums => ({ chosen: [sums.chosen[i]!], rejected: [sums.rejected[i]!] });

const golden: readonly { loss: DpoLoss; labelSmoothing?: number; each?: readonly number[]; mean: number }[] = [
  { loss: 'sigmoid', each: [0.6931471806, 0.3132616875, 0.126928011], mean: 0.3777789597 },
  { loss: 'sigmoid', labelSmoothing: 0.1, each: [0.6931471806, 0.4132616875, 0.326928011], mean: 0.4777789597 },
  { loss: 'robust', labelSmoothing: 0.1, each: [0.6931471806, 0.1882616875, -0.123071989], mean: 0.2527789597 },
  { loss: 'hinge', each: [1, 0, 0], mean: 1 / 3 },
  { loss: 'ipo-sum', each: [25, 25, 225], mean: 91.6666666667 },
  { loss: 'ipo-mean', each: [25, 11.0889, 0.005625], mean: 12.0315083333 },
  { loss: 'nca', each: [1.3862943611, 1.1952199945, 1.1220466904], mean: 1.2345203487 },
  { loss: 'apo-zero', each: [1, 0.7684120985, 0.6325573992], mean: 0.8003231659 },
  { loss: 'apo-down', each: [1, 0.7714414005, 0.5967180972], mean: 0.7893864993 },
  { loss: 'aot', mean: 0.3777789597 },
  { loss: 'aot-unpaired', mean: 0.3770162130 },
];

describe('dpo', () => {
  it.each(golden)('with loss $loss (ε $labelSmoothing) has the golden values', async ({ each, mean, ...options }) => {
    const near = (actual: number, expected: number): void =>
      expect(Math.abs(actual - expected)).toBeLessThan(2e-6 * Math.max(1, Math.abs(expected)));
    near((await run(options)).loss, mean);
    for (const [i, expected] of (each ?? []).entries()) {
      const of = row(lengths, i);
      near((await run(options, row(policy, i), row(reference, i), [1], of)).loss, expected);
    }
  });

  // The golden values of one rank each, by way of the derivative: of ℓ = −log σ(βΔ) it is ∓β (1 − e^−ℓ), and a mean over three.
  const derivatives = (each: readonly number[]): number[] => each.map((loss) => (0.1 * (1 - Math.exp(-loss))) / 3);
  const expectRanks = (actual: readonly (readonly number[])[], expected: readonly number[]): void =>
    actual.forEach((row, i) => row.forEach((d) => expect(d, `row ${i}`).toBeCloseTo(expected[i]!, 7)));

  it('with loss aot has the golden value of each rank', async () => {
    const value = await run({ loss: 'aot' });
    const [first, second, third] = derivatives([0.6931471806, 0.126928011, 0.3132616875]) as [number, number, number];
    // The policy holds the pairs of rows 1 and 2 equally far apart: either may be the second.
    const order = value.gradient['rejected']![1]![0]! < 0.006 ? [first, second, third] : [first, third, second];
    expectRanks(value.gradient['rejected']!, order);
    expectRanks(value.gradient['chosen']!, order.map((d) => -d));
  });

  it('with loss aot-unpaired has the golden value of each rank', async () => {
    const value = await run({ loss: 'aot-unpaired' });
    const [first, second, third] = derivatives([0.126928011, 0.3159609475, 0.6881596805]) as [number, number, number];
    // Log-ratios of chosen: 0, 0.1, −0.9; of rejected: 0, −9.9, −20.9.
    expectRanks(value.gradient['chosen']!, [-second, -third, -first]);
    expectRanks(value.gradient['rejected']!, [third, second, first]);
  });

  // TRL's `sigmoid` ignores label smoothing; `cdpo` is its `aot` on one pair at a time (see the fixture).
  it.each<[string, Record<string, unknown>]>([
    ['sigmoid', { loss: 'sigmoid' }],
    ['sigmoid-beta-0.5', { loss: 'sigmoid', beta: 0.5 }],
    ['cdpo', { loss: 'sigmoid', labelSmoothing: 0.1 }],
    ['robust', { loss: 'robust', labelSmoothing: 0.1 }],
    ['hinge', { loss: 'hinge' }],
    ['ipo', { loss: 'ipo-mean' }],
    ['nca_pair', { loss: 'nca' }],
    ['apo_zero', { loss: 'apo-zero' }],
    ['apo_down', { loss: 'apo-down' }],
    ['aot', { loss: 'aot' }],
    ['aot-smoothing', { loss: 'aot', labelSmoothing: 0.1 }],
    ['aot_unpaired', { loss: 'aot-unpaired' }],
  ])('is TRL’s %s, value and gradient', async (name, options) => {
    const entry = trlEntries('dpo')(name);
    const of = { chosen: trlBatch.pairs.map((p) => p.chosen.length), rejected: trlBatch.pairs.map((p) => p.rejected.length) };
    const value = await run(options, entry.logp, entry.reference, [1, 1, 1, 1], of);
    expect(Math.abs(value.loss / entry.loss - 1)).toBeLessThan(5e-6);
    expectGradient(value, entry.dLoss, 2e-5);
  });

  it('with sft is TRL’s sigmoid and its sft together, value and gradient', async () => {
    const [preference, imitation] = [trlEntries('dpo')('sigmoid'), trlEntries('dpo')('sft')];
    const of = { chosen: trlBatch.pairs.map((p) => p.chosen.length), rejected: trlBatch.pairs.map((p) => p.rejected.length) };
    const value = await run({ sft: 0.5 }, preference.logp, preference.reference, [1, 1, 1, 1], of);
    expect(Math.abs(value.loss / (preference.loss + 0.5 * imitation.loss) - 1)).toBeLessThan(5e-6);
    const both = (name: string): number[] => preference.dLoss[name]!.map((d, i) => d + 0.5 * imitation.dLoss[name]![i]!);
    expectGradient(value, { chosen: both('chosen'), rejected: both('rejected') }, 2e-5);
    expect(value.metrics['nll']).toBeCloseTo(imitation.loss, 5);
    // With a soft label of 0 the rejected response is the better one.
    const soft = await run({ sft: 1 }, policy, reference, [0, 0, 0]);
    const nll = -policy.rejected.reduce((a, b) => a + b) / lengths.rejected.reduce((a, b) => a + b);
    expect(soft.metrics['nll']).toBeCloseTo(nll, 5);
    expect(bind(dpo, { sft: 1 }).lossAtReference).toBeUndefined();
  });

  const every = (Object.keys(DPO_LOSSES) as DpoLoss[]).map((loss) => ({ loss, ...(loss === 'robust' ? { labelSmoothing: 0.2 } : {}) }));
  const allowed = every.filter(({ loss }) => !('sorts' in DPO_LOSSES[loss]));

  it.each(every)('with loss $loss is the constant it says while policy and reference are equal', async (options) => {
    for (const beta of [0.1, 0.7]) {
      const value = await run({ ...options, beta }, policy, policy);
      expect(value.loss).toBeCloseTo(bind(dpo, { ...options, beta }).lossAtReference!, 5);
      expect(value.metrics).toMatchObject({ rewards_margin: 0, accuracy: 0.5 });
    }
  });

  it.each(allowed)('with loss $loss and soft label p is p·ℓ(w, l) + (1 − p)·ℓ(l, w)', async (options) => {
    const swap = ({ chosen, rejected }: Sums): Sums => ({ chosen: rejected, rejected: chosen });
    const [as, other, soft, none] = [
      await run(options), await run(options, swap(policy), swap(reference), [1, 1, 1], swap(lengths)),
      await run(options, policy, reference, [0.7, 0.7, 0.7]), await run(options, policy, reference, [0, 0, 0]),
    ];
    expect(soft.loss / (0.7 * as.loss + 0.3 * other.loss)).toBeCloseTo(1, 5);
    expect(none.loss / other.loss).toBeCloseTo(1, 5);
  });

  it('is conservative DPO with ε as with soft labels 1 − ε', async () => {
    const [smoothed, soft] = [await run({ labelSmoothing: 0.2 }), await run({}, policy, reference, [0.8, 0.8, 0.8])];
    expect(smoothed.loss).toBeCloseTo(soft.loss, 6);
    expect(smoothed.gradient['chosen']![1]![0]).toBeCloseTo(soft.gradient['chosen']![1]![0]!, 7);
  });

  it('does not change a tie whose responses are equally likely to be better', async () => {
    const tie = await run({}, policy, policy, [0.5, 0.5, 0.5]);
    expect(Object.values(tie.gradient).flat(2).every((d) => Math.abs(d) < 1e-9)).toBe(true);
  });

  it.each(['aot', 'aot-unpaired'])('with loss %s does not depend on the order of rows', async (loss) => {
    const apart = { ...policy, rejected: [-0.1, -30, -22] }; // else two pairs are equally far apart
    const turn = (x: Sums): Sums => ({ chosen: [2, 0, 1].map((i) => x.chosen[i]!), rejected: [2, 0, 1].map((i) => x.rejected[i]!) });
    const [one, other] = [await run({ loss }, apart), await run({ loss }, turn(apart), turn(reference), [1, 1, 1], turn(lengths))];
    expect(other.loss).toBeCloseTo(one.loss, 6);
    [2, 0, 1].forEach((from, to) => expect(other.gradient['rejected']![to]![0]).toBeCloseTo(one.gradient['rejected']![from]![0]!, 7));
  });

  it('counts accuracy for the response that the label says is better, and no ties', async () => {
    const value = await run({}, policy, reference, [1, 0.2, 0.5]);
    // Row 0: equal rewards count half. Row 1: chosen has the larger reward, but the label says rejected. Row 2: a tie.
    expect(value.metrics['accuracy']).toBe(0.25);
    expect((await run({}, policy, reference, [0.5, 0.8, 0.5])).metrics['accuracy']).toBe(1);
    expect(value.metrics['rewards_chosen']).toBeCloseTo((0.1 * (0 + 0.1 - 0.9)) / 3, 6);
    expect(value.metrics['rewards_margin']).toBeCloseTo((0.1 * (0 + 10 + 20)) / 3, 5);
    expect(value.metrics['logp_rejected']).toBeCloseTo(-51.1 / 3, 5);
  });

  it('stays finite where the policy is far from its reference', async () => {
    for (const { loss, ...more } of every) {
      const value = await run(
        { loss, ...more, beta: 1 },
        { chosen: [-900, -1], rejected: [-1, -900] },
        { chosen: [-1, -900], rejected: [-900, -1] },
      );
      expect([value.loss, ...Object.values(value.gradient).flat(2)].every(Number.isFinite), loss).toBe(true);
    }
  });

  it('refuses what makes no sense', () => {
    expect(() => bind(dpo, { loss: 'ipo-sum', labelSmoothing: 0.1 })).toThrow(/no labelSmoothing.*sigmoid, robust, aot/);
    expect(() => bind(dpo, { loss: 'robust' })).toThrow(/robust.*needs the share/);
    expect(() => bind(dpo, { labelSmoothing: 0.5 })).toThrow();
    expect(() => bind(dpo, { beta: 0 })).toThrow();
    // @ts-expect-error a program in TypeScript does not compile with it
    expect(() => bind(dpo, { gamma: 1 })).toThrow(/gamma/);
  });

  it('cannot sort soft labels; takes them else', () => {
    const preference = (soft_label?: number): PreferenceRow => ({
      source: { file: 'x', line: 1 },
      prompt: [{ role: 'user', content: 'a' }],
      chosen: 'b',
      rejected: 'c',
      ...(soft_label === undefined ? {} : { soft_label }),
    });
    expect(bind(dpo, { loss: 'aot' }).unfit(preference(0.5))).toMatch(/tie/);
    expect(bind(dpo, { loss: 'aot' }).unfit(preference(0.9))).toMatch(/soft labels.*0\.9/);
    expect(bind(dpo, { loss: 'aot' }).unfit(preference())).toBeUndefined();
    expect(bind(dpo).unfit(preference(0.5))).toBeUndefined();
    expect(bind(dpo).columnsOf(preference(0.9))).toEqual({ soft_label: 0.9 });
    expect(bind(dpo, { reference: 'runs/sft/adapter' }).references['reference']!.is).toEqual({ adapter: 'runs/sft/adapter' });
  });
});
