import { type Engine, adamw, startEngine, view } from '@heed/tensor';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createOptimizer } from '../../src/train/optimizer.js';
import { PIECE } from '../../src/train/pieces.js';
import { allocateState, readState, readableState } from '../../src/train/state.js';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ threads: 1 });
});
afterAll(() => engine.close());

const options = { betas: [0.9, 0.99] as const, epsilon: 1e-8, weightDecay: 0.1 };

const bytes = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer => Buffer.from(buffer, byteOffset, byteLength);

/** Numbers like those of a gradient, from a generator of its own. */
function numbers(n: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: n }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state / 2 ** 32 - 0.5) * 0.01;
  });
}

it('updates a state of several pieces as a whole, to the last bit, and its norm is that of 64 bits', async () => {
  const n = 2 * PIECE + 4096 * 3;
  const [parameters, gradients] = [numbers(n, 1), numbers(n, 2)];
  const state = await allocateState(engine, parameters);
  await engine.write(state.gradients, gradients);
  const optimizer = await createOptimizer({ engine: engine, state, optimizer: options, clip: 1 });
  const norm = await optimizer.norm();
  const exact = Math.sqrt(gradients.reduce((total, x) => total + x * x, 0));
  expect(Math.abs(norm / exact - 1)).toBeLessThan(1e-6);
  await optimizer.update({ norm, learningRate: 1e-3, t: 1 });
  const inPieces = await readState(engine, state);

  const whole = await engine.compile(adamw(options));
  const zeros = view(await engine.allocate('float32', n));
  const feed = (value: number) => ({ data: Float32Array.of(value), shape: [] });
  const updated = await whole.run({
    parameters: { data: parameters, shape: [n] }, gradients: { data: gradients, shape: [n] }, m: zeros, v: zeros,
    gradientScale: feed(Math.min(1, 1 / (norm + 1e-6))), learningRate: feed(1e-3), correction1: feed(1 - 0.9), correction2: feed(1 - 0.99),
  });
  expect(bytes(inPieces.parameters).equals(bytes(updated.new_parameters!.data))).toBe(true);
  expect(bytes(inPieces.m).equals(bytes(updated.new_m!.data))).toBe(true);
  expect(bytes(inPieces.v).equals(bytes(updated.new_v!.data))).toBe(true);
  await optimizer.release();
});

it('reads a state for a file in pieces that together are the state', async () => {
  const n = PIECE + 5;
  const state = await allocateState(engine, numbers(n, 3), ['ema']);
  const whole = await readState(engine, state);
  const { parameters, copies } = readableState(engine, state);
  const pieces: Float32Array[] = [];
  for await (const piece of parameters.pieces()) pieces.push(piece);
  expect(pieces.map(({ length }) => length)).toEqual([PIECE, 5]);
  expect(Buffer.concat(pieces.map(bytes)).equals(bytes(whole.parameters))).toBe(true);
  expect(copies['ema']!.length).toBe(n);
});
