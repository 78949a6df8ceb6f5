import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { broadcastShapes } from '../src/ops/elementwise.js';
import { startEngine } from '../src/runtime/engine.js';
import type { Engine } from '../src/runtime/engine.js';
import { checkGradient, valueAndGradients } from './gradient-check.js';
import { builder, cases, exported } from './ops-cases.js';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
});
afterAll(() => engine.close());

it('has a case for every operation', () => {
  const tested = new Set(cases.map(({ op }) => op));
  expect(Object.keys(exported).filter((name) => !tested.has(name))).toEqual(['broadcastShapes']);
});

it('broadcasts shapes as NumPy does', () => {
  expect(broadcastShapes([2, 1, 3], [4, 1])).toEqual([2, 4, 3]);
  expect(broadcastShapes([], [2])).toEqual([2]);
  expect(broadcastShapes([0, 1], [1, 3])).toEqual([0, 3]);
  expect(() => broadcastShapes([2, 3], [2])).toThrow('Shapes [2, 3] and [2] do not broadcast.');
});

/** Largest difference, divided by the largest expected number (or 1 if that is larger). */
function error(actual: Float32Array, expected: readonly number[]): number {
  expect(actual.length).toBe(expected.length);
  const scale = Math.max(1, ...expected.map(Math.abs));
  return Math.max(0, ...expected.map((e, i) => Math.abs(actual[i]! - e) / scale));
}

const TOLERANCE = 1e-6;
/** Rounding to a 16-bit type is a staircase: it has no useful differences. */
const STAIRCASES = new Set(['cast']);

describe.each(cases.map((c) => [c.op, c.note, c] as const))('%s (%s)', (op, _, c) => {
  it('agrees with PyTorch', async () => {
    const { shape, value, gradients } = await valueAndGradients(engine, builder(c), c.inputs, { shape: c.shape, data: c.seed });
    expect(shape).toEqual(c.shape);
    expect(error(value, c.output)).toBeLessThan(TOLERANCE);
    for (const [i, expected] of c.gradients.entries()) {
      const actual = gradients[i];
      expect(actual === undefined, `input ${i} has no gradient`).toBe(expected === null);
      if (actual !== undefined) expect(error(actual, expected!), `gradient of input ${i}`).toBeLessThan(TOLERANCE);
    }
  });

  it.skipIf(STAIRCASES.has(op) || c.gradients.every((g) => g === null || g.length === 0))('agrees with finite differences', async () => {
    for (const [i, e] of (await checkGradient(engine, builder(c), c.inputs)).entries()) {
      if (e !== undefined) expect(e, `gradient of input ${i}`).toBeLessThan(2e-3);
    }
  });
});
