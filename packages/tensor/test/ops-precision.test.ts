import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sym } from '../src/dims.js';
import { gradient } from '../src/gradient.js';
import { lower } from '../src/lower.js';
import { add, cast, log1mexp } from '../src/ops/elementwise.js';
import { sum } from '../src/ops/reduce.js';
import { embedding } from '../src/ops/shape.js';
import { tableOf } from '../src/ops/table.js';
import { tokenLogProbs } from '../src/ops/token-log-probs.js';
import { startEngine, view } from '../src/runtime/engine.js';
import type { Engine } from '../src/runtime/engine.js';
import { detach, input } from '../src/tensor.js';
import { valueAndGradients } from './gradient-check.js';
import { builder, points } from './ops-cases.js';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
});
afterAll(() => engine.close());

async function at(op: string, x: readonly number[]): Promise<{ y: Float32Array; derivative: Float32Array }> {
  const { value, gradients } = await valueAndGradients(
    engine,
    builder({ op, args: {} }),
    [{ dtype: 'float32', shape: [x.length], data: x }],
    { shape: [x.length], data: x.map(() => 1) },
  );
  return { y: value, derivative: gradients[0]! };
}

/**
 * Relative error allowed where |expected| is large, and absolute where it is small. The kernels limit the argument of the
 * sigmoid to ±18, so that σ(−88) is 1.5e-8 and silu(−88) −1.3e-6.
 */
const allowed: Readonly<Record<string, { readonly relative: number; readonly y: number; readonly derivative: number }>> = {
  silu: { relative: 3e-7, y: 2e-6, derivative: 2e-6 },
  geluTanh: { relative: 3e-7, y: 3e-7, derivative: 3e-7 },
  softplus: { relative: 3e-7, y: 1.5e-7, derivative: 1.5e-7 },
  logSigmoid: { relative: 3e-7, y: 1.5e-7, derivative: 1.5e-7 },
  sigmoid: { relative: 3e-7, y: 1.5e-7, derivative: 1.5e-7 },
  tanh: { relative: 3e-7, y: 0, derivative: 3e-7 },
  // Towards 0 the value is about log(−x) and the derivative 1/x: both relatively precise.
  log1mexp: { relative: 1e-6, y: 1.5e-7, derivative: 1.5e-7 },
};

describe.each(Object.entries(points))('%s where float32 is in danger', (op, { x, y, derivative }) => {
  it('agrees with float64', async () => {
    const limit = allowed[op]!;
    const actual = await at(op, x);
    const misses = x.flatMap((v, i) => [
      ...(Math.abs(actual.y[i]! - y[i]!) <= limit.y + limit.relative * Math.abs(y[i]!)
        ? []
        : [`${op}(${v}) = ${actual.y[i]!}, not ${y[i]!}`]),
      ...(Math.abs(actual.derivative[i]! - derivative[i]!) <= limit.derivative + limit.relative * Math.abs(derivative[i]!)
        ? []
        : [`${op}'(${v}) = ${actual.derivative[i]!}, not ${derivative[i]!}`]),
    ]);
    expect(misses).toEqual([]);
  });
});

it('log1mexp is finite where the probability is 1, or rounds above it', async () => {
  const { y, derivative } = await at('log1mexp', [0, -1e-9, 1e-6]);
  for (let i = 0; i < 3; i++) {
    expect(y[i]).toBeCloseTo(Math.log(1e-6), 4);
    expect(derivative[i]! / -1e6).toBeCloseTo(1, 4);
  }
  const x = input('x', [1]);
  const session = await engine.compile(lower({ y: log1mexp(x, 1e-3) }));
  const { y: wide } = await session.run({ x: { data: new Float32Array([0]), shape: [1] } });
  expect((wide!.data as Float32Array)[0]).toBeCloseTo(Math.log(-Math.expm1(-1e-3)), 5);
  await session.release();
});

it('the gradient of an embedding adds repeated ids without loss on two threads', async () => {
  const [rows, width, count] = [48, 256, 640];
  const table = input('table', [rows, width]);
  const ids = input('ids', [count], 'int32');
  const weights = input('weights', [count, width]);
  const [d] = gradient([{ of: embedding(table, ids), derivative: weights }], [table]);
  const session = await engine.compile(lower({ d: d! }));
  // Small whole numbers, whose sums are exact in any order.
  const chosen = Int32Array.from({ length: count }, (_, i) => (i % 3 === 0 ? 5 : (i * i) % rows));
  const updates = Float32Array.from({ length: count * width }, (_, i) => (i % 7) - 3);
  const expected = new Float32Array(rows * width);
  for (let i = 0; i < count; i++) for (let j = 0; j < width; j++) expected[chosen[i]! * width + j]! += updates[i * width + j]!;
  session.bind({ ids: view(await engine.upload(chosen)), weights: view(await engine.upload(updates), [count, width]) });
  for (let repeat = 0; repeat < 50; repeat++) {
    const result = (await session.run({})).d!.data as Float32Array;
    expect(Buffer.compare(Buffer.from(result.buffer), Buffer.from(expected.buffer)), `run ${repeat}`).toBe(0);
  }
  await session.release();
});

it.each(['float16', 'bfloat16'] as const)('a %s head gives what the same numbers in float32 give, to the last bit', async (dtype) => {
  const [vocabulary, width, rows] = [500, 16, 8];
  const numbers = (seed: number, ...shape: number[]) => ({
    data: Float32Array.from({ length: shape[0]! * shape[1]! }, (_, i) => Math.sin(7 * i + seed)),
    shape,
  });
  const feeds = {
    hidden: numbers(2, rows, width), head: numbers(1, vocabulary, width),
    first: { data: Int32Array.of(0, 499, 3, 77, 3), shape: [5] }, second: { data: Int32Array.of(250, 1, 2), shape: [3] },
  };
  const run = async (widen: boolean) => {
    const [hidden, rounded] = [input('hidden', [rows, width]), detach(cast(input('head', [vocabulary, width]), dtype))];
    const head = widen ? detach(cast(rounded, 'float32')) : rounded;
    const y = tokenLogProbs(hidden, tableOf(head), [input('first', [5], 'int32'), input('second', [3], 'int32')]);
    const session = await engine.compile(lower({ y, d: gradient(sum(y), [hidden])[0]! }));
    const { y: value, d } = await session.run(feeds);
    await session.release();
    return [...value!.data as Float32Array, ...d!.data as Float32Array];
  };
  expect(await run(false)).toEqual(await run(true));
});

it('a symbolic dimension may turn out to be 1', async () => {
  const rows = { dtype: 'float32', shape: [1, 2], dims: [sym('n'), 2], data: [3, 4] } as const;
  const bias = { dtype: 'float32', shape: [1, 2], data: [1, 1] } as const;
  const { value, gradients } = await valueAndGradients(engine, (x, b) => sum(add(x, b), [0]), [rows, bias], { shape: [2], data: [5, 6] });
  expect([...value]).toEqual([4, 5]);
  expect(gradients.map((g) => [...g!])).toEqual([[5, 6], [5, 6]]);
});
