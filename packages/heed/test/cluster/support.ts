import type { Engine } from '@heed/tensor';
import { expect } from 'vitest';
import type { MethodOptions } from '../../src/method/index.js';
import { type Bench, type Pass, bench, gradientDistance, passes } from '../train/support.js';
import { rowsFor } from '../support/rows.js';

/** A method over a tiny model, its rows in five micro-batches. */
export async function manyPasses(model: string, options: MethodOptions): Promise<{ readonly b: Bench; readonly parts: Bench['items'][] }> {
  const b = await bench(model, options, rowsFor(options), { dropout: 0.1 });
  const { items } = b;
  return { b, parts: [items.slice(0, 2), items.slice(2, 4), items.slice(4, 5), items.slice(5, 7), items.slice(7)] };
}

/** One step on an engine. */
export const stepOn = async (engine: Engine, { b, parts }: Awaited<ReturnType<typeof manyPasses>>): Promise<Pass> =>
  (await passes(engine, b, [parts]))[0]!;

/** The same numbers to 1e-5: loss, metrics and gradient. */
export function expectSame(actual: Pass, expected: Pass): void {
  const near = (a: number, b: number): void => expect(Math.abs(a - b)).toBeLessThan(1e-5 * Math.max(1, Math.abs(b)));
  near(actual.loss, expected.loss);
  expect(Object.keys(actual.metrics)).toEqual(Object.keys(expected.metrics));
  for (const [name, value] of Object.entries(expected.metrics)) near(actual.metrics[name]!, value);
  expect(gradientDistance(expected, actual)).toBeLessThan(1e-5);
}
