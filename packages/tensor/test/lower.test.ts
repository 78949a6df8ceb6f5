import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { plus, sym, times } from '../src/dims.js';
import { lower } from '../src/lower.js';
import { add, exp, mul, neg } from '../src/ops/elementwise.js';
import { reshape, split, zeros } from '../src/ops/shape.js';
import { startEngine } from '../src/runtime/engine.js';
import type { Engine, HostTensor } from '../src/runtime/engine.js';
import type { Program } from '../src/program.js';
import { constant, detach, input, mapped, scalar } from '../src/tensor.js';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
});
afterAll(() => engine.close());

async function run(program: Program, feeds: Readonly<Record<string, HostTensor>>): Promise<Record<string, number[]>> {
  const session = await engine.compile(program);
  const results = await session.run(feeds);
  await session.release();
  return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, [...(data as Float32Array)]]));
}
const f32 = (...data: number[]): HostTensor => ({ data: Float32Array.from(data), shape: [data.length] });

it('writes equal constants once, and different ones apart', async () => {
  const x = input('x', [2]);
  const parts = [mul(x, 2), add(x, 2), add(x, scalar(2)), add(x, constant([2])), add(x, constant([2, 3])), add(x, constant([2, 3]))];
  const program = lower(Object.fromEntries(parts.map((p, i) => [`y${i}`, p])));
  expect(program.model.initializers.map(({ shape }) => shape)).toEqual([[], [1], [2]]);
  // The same bytes, but of another type, are another constant.
  expect(
    lower({ a: constant([1], [1], 'int32'), b: constant([1], [1], 'int64'), c: constant([0], [1], 'int32'), d: constant([0], [1]) }).model
      .initializers,
  ).toHaveLength(4);
  expect(await run(program, { x: f32(1, 10) })).toEqual({ y0: [2, 20], y1: [3, 12], y2: [3, 12], y3: [3, 12], y4: [3, 13], y5: [3, 13] });
});

it('writes equal size vectors once, and fixed ones as constants', () => {
  const n = sym('n');
  const x = input('x', [n, 2, 3]);
  const program = lower({
    a: reshape(x, [times(2, n), 3]),
    b: reshape(exp(x), [times(n, 2), 3]),
    c: reshape(x, [times(n, 3), 2]),
    d: reshape(input('fixed', [4]), [2, 2]),
  });
  expect(program.sizes.map(({ values }) => values.map(String))).toEqual([['2*n', '3'], ['3*n', '2']]);
  expect(program.model.initializers).toHaveLength(1);
  expect(program.model.inputs.map(({ name, dtype }) => [name, dtype])).toEqual([
    ['x', 'float32'],
    ['fixed', 'float32'],
    ...program.sizes.map(({ name }) => [name, 'int64']),
  ]);
});

it('gives inputs, constants and detached inputs back through an Identity', async () => {
  const x = input('x', [2]);
  const program = lower({ same: x, again: x, detached: detach(x), one: constant([1, 1]) });
  expect(program.model.nodes.map(({ op }) => op)).toEqual(['Identity', 'Identity', 'Identity', 'Identity']);
  expect(await run(program, { x: f32(3, 4) })).toEqual({ same: [3, 4], again: [3, 4], detached: [3, 4], one: [1, 1] });
});

it('names the results of operations as the outputs, and copies for a second name', async () => {
  const y = exp(input('x', [1]));
  const program = lower({ first: y, second: y, third: detach(y), after: neg(y) });
  expect(program.model.nodes.map(({ op, outputs }) => [op, ...outputs])).toEqual([
    ['Exp', 'first'],
    ['Neg', 'after'],
    ['Identity', 'second'],
    ['Identity', 'third'],
  ]);
  expect(program.outputs.map(({ name }) => name)).toEqual(['first', 'second', 'third', 'after']);
  expect(await run(program, { x: f32(0) })).toEqual({ first: [1], second: [1], third: [1], after: [-1] });
});

it('gives single results of an operation with several', async () => {
  const [, middle, last] = split(input('x', [4]), 0, [1, 2, 1]);
  expect(await run(lower({ last: last!, middle: middle! }), { x: f32(1, 2, 3, 4) })).toEqual({ last: [4], middle: [2, 3] });
});

it('refuses two inputs of one name', () => {
  expect(() => lower({ y: add(input('x', [1]), input('x', [1])) })).toThrow('Two inputs are named "x".');
  // One of them unused is no conflict.
  const [a] = [input('x', [1]), input('x', [1])];
  expect(lower({ y: exp(a) }).inputs).toHaveLength(1);
});

it('keeps the names that it makes up apart from those of inputs and outputs', async () => {
  const program = lower({ c1: add(mul(input('c0', [1]), 2), input('sizes2', [1])) });
  expect(await run(program, { c0: f32(5), sizes2: f32(1) })).toEqual({ c1: [11] });
});

it('describes symbolic dimensions by name, and composite ones by some word', () => {
  const n = sym('n');
  const { model, outputs } = lower({ y: zeros([plus(times(2, n), 1), n, 3]), z: exp(input('x', [n])) });
  // Ports say it; ONNX Runtime is not told, or its planner would compare shapes for minutes.
  expect(model.outputs.map(({ shape }) => shape)).toEqual([undefined, undefined]);
  expect(outputs[0]!.shape.map(String)).toEqual(['1 + 2*n', 'n', '3']);
});

it('maps constants from files, each place once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'heed-lower-'));
  try {
    writeFileSync(join(folder, 'weights.bin'), new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer));
    const piece = (offset: number) => mapped('float32', [2], { file: 'weights.bin', offset, length: 8 });
    const x = input('x', [2]);
    const program = lower({ low: mul(x, piece(0)), high: mul(x, piece(8)), sum: add(piece(0), piece(8)) }, { folder });
    expect(program.folder).toBe(folder);
    expect(program.model.initializers.map(({ data }) => data)).toEqual([
      { file: 'weights.bin', offset: 0, length: 8 },
      { file: 'weights.bin', offset: 8, length: 8 },
    ]);
    expect(await run(program, { x: f32(10, 100) })).toEqual({ low: [10, 200], high: [30, 400], sum: [4, 6] });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('refuses a constant whose values do not fill its shape', () => {
  expect(() => constant([1, 2, 3], [2, 2])).toThrow('A constant of shape [2, 2] needs 4 values, not 3.');
});
