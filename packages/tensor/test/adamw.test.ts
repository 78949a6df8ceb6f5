import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { adamw, clipScale, normOfSquares, normShape, rowSquares } from '../src/adamw.js';
import { startEngine, view } from '../src/runtime/engine.js';
import type { Engine } from '../src/runtime/engine.js';

/** Made by tools/oracles/tensor_ops.py with torch.optim.AdamW and clip_grad_norm_. */
const fixture = JSON.parse(readFileSync(new URL('fixtures/adamw.json', import.meta.url), 'utf8')) as {
  betas: [number, number]; epsilon: number; weightDecay: number; limit: number; parameters: number[];
  steps: { learningRate: number; gradients: number[]; norm: number; parameters: number[]; m: number[]; v: number[] }[];
};

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
});
afterAll(() => engine.close());

/** The largest difference, divided by the largest expected number. */
const error = (actual: ArrayLike<number>, expected: readonly number[]) =>
  Math.max(...expected.map((e, i) => Math.abs(actual[i]! - e))) / Math.max(...expected.map(Math.abs));

it('twenty clipped steps in place agree with PyTorch', async () => {
  const { betas, epsilon, weightDecay, limit, steps } = fixture;
  const n = fixture.parameters.length;
  const [parameters, gradients, m, v] = [
    view(await engine.upload(Float32Array.from(fixture.parameters))), view(await engine.allocate('float32', n)),
    view(await engine.allocate('float32', n)), view(await engine.allocate('float32', n)),
  ];
  const squares = await engine.compile(rowSquares());
  const norm = await engine.compile(normOfSquares());
  const step = await engine.compile(adamw({ betas, epsilon, weightDecay }));
  const shape = normShape(n);
  const sums = view(await engine.allocate('float32', shape[0]));
  squares.bind({ x: view(gradients.buffer, shape) }, { squares: sums });
  norm.bind({ squares: sums });
  step.bind({ parameters, gradients, m, v }, { new_parameters: parameters, new_m: m, new_v: v });
  const scalar = (value: number) => ({ data: Float32Array.of(value), shape: [] });
  expect(new Set(steps.map((s) => s.norm > limit)).size).toBe(2);

  for (const [i, expected] of steps.entries()) {
    await engine.write(gradients, Float32Array.from(expected.gradients));
    await squares.run({});
    const [length] = (await norm.run({})).norm!.data as Float32Array;
    expect(error([length!], [expected.norm])).toBeLessThan(1e-6);
    const returned = await step.run({
      gradientScale: scalar(clipScale(length!, limit)), learningRate: scalar(expected.learningRate),
      correction1: scalar(1 - betas[0] ** (i + 1)), correction2: scalar(1 - betas[1] ** (i + 1)),
    });
    expect(returned).toEqual({});
    expect(error((await engine.read(m)) as Float32Array, expected.m), `m after step ${i + 1}`).toBeLessThan(5e-7);
    expect(error((await engine.read(v)) as Float32Array, expected.v), `v after step ${i + 1}`).toBeLessThan(5e-7);
    expect(error((await engine.read(parameters)) as Float32Array, expected.parameters), `parameters after step ${i + 1}`).toBeLessThan(
      5e-7,
    );
  }
});

it('by default there is no decay, and a first step of the size of the learning rate', async () => {
  const step = await engine.compile(adamw());
  const vector = (...data: number[]) => ({ data: Float32Array.from(data), shape: [data.length] });
  const scalar = (value: number) => ({ data: Float32Array.of(value), shape: [] });
  const { new_parameters } = await step.run({
    parameters: vector(1, -2, 3), gradients: vector(0.5, -1e-3, 0), m: vector(0, 0, 0), v: vector(0, 0, 0),
    gradientScale: scalar(1), learningRate: scalar(0.125), correction1: scalar(0.1), correction2: scalar(0.001),
  });
  expect(error(new_parameters!.data as Float32Array, [0.875, -1.875, 3])).toBeLessThan(1e-5);
  await step.release();
});

it('clips only what is longer than the limit', () => {
  expect(clipScale(0.5, 1)).toBe(1);
  expect(clipScale(0, 1)).toBe(1);
  expect(clipScale(4, 1)).toBeCloseTo(0.25, 6);
});

it('adds up millions of squares without losing any', async () => {
  const n = 4_884_480;
  let [state, exact] = [1, 0];
  const x = Float32Array.from({ length: n }, (_, i) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state / 2 ** 32 - 0.5) * (i % 7 === 0 ? 0.024 : 0.003);
  });
  for (const value of x) exact += value * value;
  const [byRow, together] = [await engine.compile(rowSquares()), await engine.compile(normOfSquares())];
  const { squares } = await byRow.run({ x: { data: x, shape: normShape(n) } });
  const { norm } = await together.run({ squares: squares! });
  expect(Math.abs(Number(norm!.data[0]) / Math.sqrt(exact) - 1)).toBeLessThan(1e-5);
  await byRow.release();
  await together.release();
});
