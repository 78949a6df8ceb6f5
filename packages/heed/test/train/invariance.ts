import { join } from 'node:path';
import { type Engine, view } from '@heed/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { METHOD_NAMES, type MethodOptions } from '../../src/method/index.js';
import { rowsFor, sampleOptions } from '../support/rows.js';
import { scratchFolder } from '../support/scratch.js';
import { tinyChat } from '../cli/support.js';
import { useEngine } from '../model/tiny.js';
import { createLossEvaluator } from '../../src/train/evaluate-loss.js';
import { copiesOf } from '../../src/train/state.js';
import { type Commanded, commanded, resumed } from './commanded.js';
import { adapterBytes, log } from './interrupted.js';
import { type Bench, type Pass, bench, gradientDistance, passes } from './support.js';

// How a step is laid out in memory must not show in its numbers: micro-batches, padding, sharing, recomputation, order of rows. Nor may the
// way there: from a file through the command line, in one go or gone on with. invariance.long.test.ts shows the first for all methods and
// the second for a few; invariance.proof.ts shows the first for the other options, and the second for the other methods and options.

function expectSame(actual: Omit<Pass, 'result'>, expected: Pass): void {
  expect(Math.abs(actual.loss - expected.loss)).toBeLessThan(1e-5 * Math.max(1, Math.abs(expected.loss)));
  expect(Object.keys(actual.metrics)).toEqual(Object.keys(expected.metrics));
  for (const [name, value] of Object.entries(expected.metrics))
    expect(Math.abs(actual.metrics[name]! - value), name).toBeLessThan(1e-5 * Math.max(1, Math.abs(value)));
  expect(gradientDistance(expected, actual)).toBeLessThan(1e-5);
}

export type Case = readonly [title: string, options: MethodOptions];

/** Every method with its defaults, and options that couple rows or take another path. */
export const CASES: readonly Case[] = [
  ...METHOD_NAMES.map((name) => [name, sampleOptions(name)] as const),
  ['dpo, aot', { name: 'dpo', loss: 'aot' }],
  ['dpo, aot-unpaired', { name: 'dpo', loss: 'aot-unpaired' }],
  ['npo, retain', { name: 'npo', retain: 0.5 }],
  ['d2o, instance level', { ...sampleOptions('d2o'), level: 'instance' }],
  ['d2o, moving averages', { ...sampleOptions('d2o'), rPlus: { every: 1, rate: 0.5 }, rMinus: { every: 2, rate: 0.25 } }],
  ['kto, apo-zero', { name: 'kto', loss: 'apo-zero' }],
  ['cut, without l1', { ...sampleOptions('cut'), without: ['l1'] }],
  ['cut, without detection', { ...sampleOptions('cut'), without: ['detection'] }],
  ['principle-reward-model, two draws', { name: 'principle-reward-model', draws: 2, principles: 1 }],
];

/** A loss of each row with a heat map, one that couples rows, one with a memory, references that follow the policy, and a head. */
const STANDING_FOR_ALL = ['cut', 'kto', 'bco', 'd2o, moving averages', 'reward-model'];
/** The cases that stand for all. */
export const FEW: readonly Case[] = CASES.filter(([title]) => STANDING_FOR_ALL.includes(title));

/** Every method with its defaults, and the cases that stand for all. */
export const METHODS_AND_FEW: readonly Case[] = CASES.filter((one) => METHOD_NAMES.includes(one[0]) || FEW.includes(one));

/** A tiny model and an engine, for the cases of a file. */
function useTiny(): { readonly engine: () => Engine; readonly folder: string; readonly model: () => string } {
  const { folder } = scratchFolder();
  const engine = useEngine();
  let model: string;
  beforeAll(async () => {
    ({ model } = await tinyChat(folder, { context: 512 }));
  });
  return { engine, folder, model: () => model };
}

/** Layouts of a step: all give the same loss, metrics and gradient. */
export function describeLayouts(cases: readonly Case[]): void {
  const { engine, model } = useTiny();

  describe.each(cases)('%s', (_, options) => {
    let b: Bench;
    let whole: Pass;
    const others: Record<string, Pass> = {};
    beforeAll(async () => {
      b = await bench(model(), options, rowsFor(options));
      const { items } = b;
      const ways = {
        whole: [items],
        '8 × 1': items.map((item) => [item]),
        '3 + 5': [items.slice(0, 3), items.slice(3)],
        'in another order': [[6, 2, 0, 7, 4, 1, 5, 3].map((i) => items[i]!)],
        'cut up in another order': [[6, 2], [0, 7, 4, 1], [5, 3]].map((part) => part.map((i) => items[i]!)),
        'without a row': [items.slice(0, 7)],
      };
      // The same program computes prompts that are not shared.
      const apart = { 'without shared prompts': [items], 'without shared prompts, 4 + 4': [items.slice(0, 4), items.slice(4)] };
      const results = await passes(engine(), b, [...Object.values(ways), ...Object.values(apart)], {
        share: (way) => way < Object.keys(ways).length,
      });
      [...Object.keys(ways), ...Object.keys(apart)].forEach((way, i) => (others[way] = results[i]!));
      whole = others['whole']!;
      expect(Math.abs(whole.loss)).toBeGreaterThan(0.05);
      expect(whole.gradients.every(Number.isFinite)).toBe(true);
      expect(whole.gradients.filter((x) => x !== 0).length).toBeGreaterThan(0.9 * whole.gradients.length);
    });

    it.each([
      '8 × 1', '3 + 5', 'in another order', 'cut up in another order', 'without shared prompts', 'without shared prompts, 4 + 4',
    ])('gives the same loss, metrics and gradient: %s', (way) => {
      expectSame(others[way]!, whole);
    });

    it('gives the same loss and metrics where rows are held out', async () => {
      const { method, model: loaded, plan, items, parameters } = b;
      const evaluator = await createLossEvaluator({ engine: engine(), model: loaded, method, plan, items, batch: items.length });
      const policy = view(await engine().upload(parameters));
      const {
        whole: { loss, ...metrics },
        parts,
      } = await evaluator.evaluate({ parameters: policy, copies: Object.fromEntries(copiesOf(method).map((name) => [name, policy])) });
      await evaluator.release();
      expectSame({ loss: loss!, metrics, gradients: whole.gradients }, whole);
      expect(parts).toHaveLength(method.scope === 'step' ? 1 : items.length);
    });

    it('a gradient depends on the rows: without one it is another', () => {
      expect(gradientDistance(whole, others['without a row']!)).toBeGreaterThan(1e-3);
    });
  });
}

/** Ways to the numbers of a step: with recomputation, and through the command line. */
export function describePaths(cases: readonly Case[]): void {
  const { engine, folder, model } = useTiny();

  describe.each(cases)('%s', (title, options) => {
    let b: Bench;
    let whole: Pass;
    let ran: Commanded;
    const here = (): string => join(folder, title.replace(/\W+/g, '-'));
    beforeAll(async () => {
      const rows = rowsFor(options);
      b = await bench(model(), options, rows);
      [whole] = (await passes(engine(), b, [[b.items]])) as [Pass];
      ran = await commanded(here(), b, options, rows);
    });

    it('gives the same with full checkpointing', async () => {
      const [recomputed, parts] = await passes(engine(), b, [[b.items], [b.items.slice(0, 3), b.items.slice(3)]], { keep: 'full' });
      expectSame(recomputed!, whole);
      expectSame(parts!, whole);
    });

    // 5 + 3, and the recipe's default: selective checkpointing.
    it('gives the same through the command line', () => {
      expectSame(ran.first, whole);
      expect(Math.abs(ran.gradientNorm / whole.result.gradientNorm - 1)).toBeLessThan(1e-5);
    });

    it('resumed after a step, comes to the same log and adapter, bit for bit', async () => {
      const dir = await resumed(here(), ran);
      expect(log(dir)).toEqual(log(ran.dir));
      expect(log(dir)).toHaveLength(3);
      expect(adapterBytes(dir).equals(adapterBytes(ran.dir))).toBe(true);
    });
  });
}
