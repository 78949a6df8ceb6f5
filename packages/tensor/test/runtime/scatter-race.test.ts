import { afterAll, beforeAll, expect, it } from 'vitest';
import { startEngine, view } from '../../src/runtime/engine.js';
import type { Engine } from '../../src/runtime/engine.js';
import { node, port, program } from '../programs.js';

/*
 * Gradients of a Gather add many rows to the same one. ScatterND(add) now and then loses some of these additions when it
 * runs on two threads; ScatterElements(add) must not. The values are small whole numbers, whose sums are exact in any order.
 */
const [rows, width, table] = [1152, 576, 64];
let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
});
afterAll(() => engine.close());

it.each([
  ['one row', () => 3],
  ['eight rows', (i: number) => i % 8],
  ['uneven rows', (i: number) => (i * i) % table],
])('ScatterElements adds repeated indices to %s without loss on two threads', async (_, target) => {
  const session = await engine.compile(program({
    nodes: [
      node('Expand', ['ids', 'shape'], 'index'),
      node('ScatterElements', ['zeros', 'index', 'updates'], 'sums', { axis: { int: 0 }, reduction: { string: 'add' } }),
    ],
    inputs: [port('zeros', 'float32', [table, width]), port('ids', 'int64', [rows, 1]), port('updates', 'float32', [rows, width])],
    sizes: [{ name: 'shape', values: [rows, width] }],
    outputs: [port('sums', 'float32', [table, width])],
  }));
  const updates = Float32Array.from({ length: rows * width }, (_, i) => (i % 7) - 3);
  const expected = new Float32Array(table * width);
  for (let i = 0; i < rows; i++) for (let j = 0; j < width; j++) expected[target(i) * width + j]! += updates[i * width + j]!;

  const sums = view(await engine.allocate('float32', table * width), [table, width]);
  session.bind({
    zeros: view(await engine.allocate('float32', table * width), [table, width]),
    ids: view(await engine.upload(BigInt64Array.from({ length: rows }, (_, i) => BigInt(target(i)))), [rows, 1]),
    updates: view(await engine.upload(updates), [rows, width]),
  }, { sums });
  for (let repeat = 0; repeat < 30; repeat++) {
    await session.run({});
    const result = await engine.read(sums);
    expect(Buffer.compare(Buffer.from(result.buffer), Buffer.from(expected.buffer)), `run ${repeat}`).toBe(0);
  }
  await session.release();
});
