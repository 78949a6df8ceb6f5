import { beforeAll, describe, expect, it } from 'vitest';
import { METHOD_NAMES } from '../../src/method/index.js';
import { rowsFor, sampleOptions } from '../support/rows.js';
import { scratchFolder } from '../support/scratch.js';
import { tinyChat } from '../cli/support.js';
import { useEngine } from '../model/tiny.js';
import { type Bench, type Pass, bench, gradientDistance, passes } from './support.js';

// How a step is laid out in memory must not show in its numbers: micro-batches, padding, sharing, recomputation, order of rows.
const { folder } = scratchFolder();
const engine = useEngine();
let model: string;
beforeAll(async () => {
  ({ model } = await tinyChat(folder, { context: 512 }));
});

function expectSame(actual: Pass, expected: Pass): void {
  expect(Math.abs(actual.loss - expected.loss)).toBeLessThan(1e-5 * Math.max(1, Math.abs(expected.loss)));
  expect(Object.keys(actual.metrics)).toEqual(Object.keys(expected.metrics));
  for (const [name, value] of Object.entries(expected.metrics)) expect(Math.abs(actual.metrics[name]! - value), name).toBeLessThan(1e-5 * Math.max(1, Math.abs(value)));
  expect(gradientDistance(expected, actual)).toBeLessThan(1e-5);
}

describe.each(METHOD_NAMES)('%s', (name) => {
  let b: Bench;
  let whole: Pass;
  const others: Record<string, Pass> = {};
  beforeAll(async () => {
    b = await bench(model, sampleOptions(name), rowsFor(name));
    const { items } = b;
    const ways = {
      whole: [items],
      '8 × 1': items.map((item) => [item]),
      '3 + 5': [items.slice(0, 3), items.slice(3)],
      'in another order': [[6, 2, 0, 7, 4, 1, 5, 3].map((i) => items[i]!)],
      'cut up in another order': [[6, 2], [0, 7, 4, 1], [5, 3]].map((part) => part.map((i) => items[i]!)),
      'without a row': [items.slice(0, 7)],
    };
    const results = await passes(engine(), b, Object.values(ways));
    Object.keys(ways).forEach((way, i) => (others[way] = results[i]!));
    whole = others['whole']!;
    expect(Math.abs(whole.loss)).toBeGreaterThan(0.1);
    expect(whole.gradients.every(Number.isFinite)).toBe(true);
    expect(whole.gradients.filter((x) => x !== 0).length).toBeGreaterThan(0.9 * whole.gradients.length);
  });

  it.each(['8 × 1', '3 + 5', 'in another order', 'cut up in another order'])('gives the same loss, metrics and gradient: %s', (way) => {
    expectSame(others[way]!, whole);
  });

  it('gives the same without shared prompts', async () => {
    const [apart, ones] = await passes(engine(), b, [[b.items], [b.items.slice(0, 4), b.items.slice(4)]], { share: false });
    expectSame(apart!, whole);
    expectSame(ones!, whole);
  });

  it.each(['selective', 'full'] as const)('gives the same with %s checkpointing', async (keep) => {
    const [recomputed, parts] = await passes(engine(), b, [[b.items], [b.items.slice(0, 3), b.items.slice(3)]], { keep });
    expectSame(recomputed!, whole);
    expectSame(parts!, whole);
  });

  it('a gradient depends on the rows: without one it is another', () => {
    expect(gradientDistance(whole, others['without a row']!)).toBeGreaterThan(1e-3);
  });
});
