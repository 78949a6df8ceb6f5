import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sym } from '../src/dims.js';
import { lower } from '../src/lower.js';
import { add } from '../src/ops/elementwise.js';
import { linear } from '../src/ops/matmul.js';
import { type Engine, startEngine, view } from '../src/runtime/engine.js';
import { input, mapped } from '../src/tensor.js';
import { valueAndGradients } from './gradient-check.js';
import { builder, cases } from './ops-cases.js';
import { node, port, program } from './programs.js';
import { STEPS, cachedFeeds, cachedStep, readPart } from './support/cached-attention.js';
import { largeTable } from './support/large-table.js';
import { useSoftwareGpu } from './support/software-gpu.js';

// The engine on a GPU, which here is a Vulkan driver that computes on the CPU. `npm run test:gpu` runs every test of the engine there.
const missing = useSoftwareGpu();
if (missing !== undefined) it.skip(missing);

/** One case of each operation, and those without elements. That driver has no 16-bit floats, which the other cases make while they run. */
const some = cases.filter(({ op, note, shape, args }, i) =>
  !/float16/.test(`${note} ${JSON.stringify(args)}`)
  && (cases.findIndex((c) => c.op === op) === i || shape.includes(0) || note.includes('pieces [0')));

describe.skipIf(missing !== undefined)('on a software GPU', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'heed-webgpu-'));
  let engine: Engine;
  beforeAll(async () => { engine = await startEngine({ device: 'webgpu-software' }); });
  afterAll(async () => {
    await engine.close();
    rmSync(folder, { recursive: true });
  });

  it('says what it runs on', () => {
    expect(engine.device).toEqual({ kind: 'webgpu', adapter: 'SwiftShader Device (Subzero)' });
  });

  it('takes it by its own name alone', async () => {
    await expect(startEngine({ device: 'webgpu' })).rejects.toThrow(/"SwiftShader Device \(Subzero\)", a driver that computes on the CPU/);
    const auto = await startEngine({ device: 'auto', threads: 1 });
    expect(auto.device).toMatchObject({ kind: 'cpu', why: expect.stringContaining('SwiftShader') as string });
    await auto.close();
  });

  it.each(some.map((c) => [c.op, c.note, c] as const))('%s (%s) agrees with PyTorch', async (_, __, c) => {
    const { shape, value, gradients } = await valueAndGradients(engine, builder(c), c.inputs, { shape: c.shape, data: c.seed });
    expect(shape).toEqual(c.shape);
    for (const [actual, expected] of [[value, c.output] as const, ...gradients.map((g, i) => [g, c.gradients[i]!] as const)]) {
      if (actual === undefined) continue;
      const scale = Math.max(1, ...expected.map(Math.abs));
      for (const [i, e] of expected.entries()) expect(Math.abs(actual[i]! - e) / scale).toBeLessThan(1e-6);
    }
  });

  it('attends over a cache as the CPU does, also from a long prompt', async () => {
    const step = STEPS['a long prompt']!;
    const cpu = await startEngine({ device: 'cpu', threads: 1 });
    const found: number[][] = [];
    for (const on of [cpu, engine]) {
      const session = await on.compile(cachedStep(step));
      found.push(readPart(step, await session.run(cachedFeeds(step))));
      await session.release();
    }
    await cpu.close();
    expect(found[1]).toHaveLength(found[0]!.length);
    for (const [i, x] of found[0]!.entries()) expect(Math.abs(x - found[1]![i]!)).toBeLessThan(1e-6);
  });

  it.each([
    ['float32', Float32Array.of(1, -2, 0.5, 3)],
    ['bfloat16', Uint16Array.of(0x3f80, 0xc000, 0x3f00, 0x4040)],
    ['float16', Uint16Array.of(0x3c00, 0xc000, 0x3800, 0x4200)],
  ] as const)('reads weights in %s from files, shared by programs', async (dtype, data) => {
    const file = `weights.${dtype}`;
    writeFileSync(path.join(folder, file), Buffer.concat([Buffer.alloc(4), Buffer.from(data.buffer)]));
    const weight = mapped(dtype, [2, 2], { file, offset: 4, length: data.byteLength });
    const traced = lower({ y: linear(input('x', [sym('n'), 2]), weight) }, { folder });
    const [one, two] = [await engine.compile(traced), await engine.compile(traced)];
    const x = { data: Float32Array.of(1, 10), shape: [1, 2] };
    expect((await one.run({ x })).y!.data).toEqual(Float32Array.of(-19, 30.5));
    await one.release();
    expect((await two.run({ x })).y!.data).toEqual(Float32Array.of(-19, 30.5));
    await two.release();
  });

  it('reads and writes parts of buffers in place', async () => {
    const session = await engine.compile(lower({ sum: add(input('x', [sym('n')]), input('y', [sym('n')])) }));
    const memory = await engine.upload(Float32Array.of(1, 2, 3, 4, 5, 6));
    session.bind({ x: view(memory, [2], 1), y: view(memory, [2], 4) }, { sum: view(memory, [2], 1) });
    await Promise.all([session.run({}), session.run({})]);
    expect(await engine.read(view(memory))).toEqual(Float32Array.of(1, 12, 15, 4, 5, 6));
    await session.release();
  });

  it('keeps large parts of buffers on the device, and gives what the CPU gives wherever they are read or written', async () => {
    const n = 70_000;
    const traced = lower({ sum: add(input('x', [sym('n')]), input('y', [sym('n')])) });
    const cpu = await startEngine({ device: 'cpu', threads: 1 });
    const use = async (on: Engine): Promise<Float32Array> => {
      const session = await on.compile(traced);
      const memory = await on.upload(Float32Array.from({ length: 3 * n }, (_, i) => i % 97));
      const third = (i: number) => view(memory, [n], i * n);
      session.bind({ x: third(0), y: third(1) }, { sum: third(0) });
      for (let i = 0; i < 3; i++) await session.run({});
      await session.run({ x: third(0), y: view(memory, [n], 5) }, { sum: third(2) });
      await on.write(view(memory, [2], 1), Float32Array.of(-7, -8));
      await session.run({});
      await on.copy([{ from: view(memory, [4], 2), to: view(memory, [4], 2 * n + 1) }]);
      await session.run({ x: third(2), y: third(2) }, { sum: view(memory, [n], n - 3) });
      await session.run({ x: view(memory, [2], 0), y: view(memory, [2], 2 * n) }, { sum: view(memory, [2], n + 8) });
      const found = (await on.read(view(memory))) as Float32Array;
      await on.free(memory);
      await session.release();
      return found;
    };
    const [found, wanted] = [await use(engine), await use(cpu)];
    await cpu.close();
    expect(found.findIndex((x, i) => x !== wanted[i])).toBe(-1);
    expect(found).toHaveLength(3 * n);
  });

  it('picks rows of embeddings that are larger than a buffer may be, of the parts that their head is worked through in', async () => {
    const { folder: at, table, width, ids, expected, remove } = largeTable();
    const session = await engine.compile(lower({ rows: table.rows(input('ids', [sym('n')], 'int32')) }, { folder: at }));
    const { rows } = await session.run({ ids: { data: ids, shape: [ids.length] } });
    expect(rows).toEqual({ data: expected, shape: [ids.length, width] });
    await session.release();
    remove();
  });

  it('refuses by name what it has no kernel for', async () => {
    const unknown = program({
      nodes: [node('Neg', ['x'], 'z'), node('Hardmax', ['z'], 'y')],
      inputs: [port('x', 'float32', [sym('n')])],
      outputs: [port('y', 'float32', [sym('n')])],
    });
    await expect(engine.compile(unknown)).rejects.toThrow(/nothing runs on the CPU in its stead:\n {2}Hardmax float32 → float32: n_y\n/);
  });
});
