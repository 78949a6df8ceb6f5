import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { plus, sym, times } from '../../src/dims.js';
import { startEngine, view } from '../../src/runtime/engine.js';
import type { Engine, Session } from '../../src/runtime/engine.js';
import { node, port, program } from '../programs.js';

const n = sym('n');
const f32 = (...values: number[]) => new Float32Array(values);
const add = program({
  nodes: [node('Add', ['x', 'y'], 'sum')],
  inputs: [port('x', 'float32', [n]), port('y', 'float32', [n])],
  outputs: [port('sum', 'float32', [n])],
});

describe.each([true, false])('engine with zeroCopy %s', (zeroCopy) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine({ threads: 2, zeroCopy });
  });
  afterAll(() => engine.close());

  it('passes its start-up test', () => {
    expect(engine.zeroCopy).toBe(zeroCopy);
    expect(engine.threads).toBe(2);
  });

  it('allocates zeros, uploads, writes, reads and copies parts', async () => {
    const zeros = await engine.allocate('int64', 3);
    expect(await engine.read(view(zeros))).toEqual(new BigInt64Array(3));
    const source = f32(9, 1, 2, 3, 4, 9);
    const buffer = await engine.upload(source.subarray(1, 5));
    expect(source.buffer.byteLength).toBe(24);
    expect(buffer).toMatchObject({ dtype: 'float32', length: 4 });
    await engine.write(view(buffer, [2], 1), f32(7, 8));
    expect(await engine.read(view(buffer))).toEqual(f32(1, 7, 8, 4));
    await engine.copy([{ from: view(buffer, [3]), to: view(buffer, [3], 1) }]);
    expect(await engine.read(view(buffer, [2, 2]))).toEqual(f32(1, 1, 7, 8));
    const bits = await engine.upload(new Uint16Array([1, 2]), 'bfloat16');
    expect(bits.dtype).toBe('bfloat16');
    // Node's small Buffers are parts of a shared pool, and their slice() is not a copy.
    const pooled = await engine.upload(Buffer.from('pooled'));
    expect(Buffer.from((await engine.read(view(pooled))) as Uint8Array).toString()).toBe('pooled');
  });

  it('moves slots of a key-value cache in the order given', async () => {
    const [layers, slots, width] = [3, 4, 5];
    const cache = await engine.upload(Float32Array.from({ length: layers * slots * width }, (_, i) => i));
    const slot = (layer: number, s: number) => view(cache, [width], (layer * slots + s) * width);
    await engine.copy(
      Array.from({ length: layers }, (_, l) => [
        { from: slot(l, 3), to: slot(l, 1) },
        { from: slot(l, 1), to: slot(l, 0) },
      ]).flat(),
    );
    const data = await engine.read(view(cache));
    for (let l = 0; l < layers; l++) {
      for (const s of [0, 1, 3])
        expect(data.subarray((l * slots + s) * width, (l * slots + s + 1) * width)).toEqual(
          Float32Array.from({ length: width }, (_, i) => (l * slots + 3) * width + i),
        );
    }
  });

  it('runs with host arrays and leaves them to the caller', async () => {
    const session = await engine.compile(add);
    const x = f32(0, 1, 2, 3).subarray(1);
    const { sum } = await session.run({ x: { data: x, shape: [3] }, y: { data: f32(10, 20, 30), shape: [3] } });
    expect(sum).toEqual({ data: f32(11, 22, 33), shape: [3] });
    expect(x).toEqual(f32(1, 2, 3));
    await session.release();
    await expect(session.run({ x: { data: x, shape: [3] }, y: { data: x, shape: [3] } })).rejects.toThrow(/released/);
  });

  it('binds symbols anew in each run, also without elements', async () => {
    const session = await engine.compile(add);
    for (const length of [4, 1, 0, 4]) {
      const data = new Float32Array(length).fill(2);
      const { sum } = await session.run({ x: { data, shape: [length] }, y: { data, shape: [length] } });
      expect(sum).toEqual({ data: new Float32Array(length).fill(4), shape: [length] });
    }
    await session.release();
  });

  it('reads and writes parts of buffers in place', async () => {
    const session = await engine.compile(add);
    const memory = await engine.upload(f32(1, 2, 3, 4, 5, 6));
    const rest = await session.run({ x: view(memory, [2], 1), y: view(memory, [2], 4) }, { sum: view(memory, [2], 1) });
    expect(rest).toEqual({});
    expect(await engine.read(view(memory))).toEqual(f32(1, 7, 9, 4, 5, 6));
    await session.release();
  });

  it('accumulates in place over repeated runs', async () => {
    const session = await engine.compile(add);
    const length = 100_000;
    const total = view(await engine.allocate('float32', length));
    const step = view(await engine.upload(new Float32Array(length).fill(0.5)));
    session.bind({ x: total, y: step }, { sum: total });
    const runs = Array.from({ length: 20 }, () => session.run({}));
    expect(await Promise.all(runs)).toEqual(Array.from({ length: 20 }, () => ({})));
    expect((await engine.read(total)).every((value) => value === 10)).toBe(true);
    await session.release();
  });

  it('bound feeds give way to those of a run, and to later binds', async () => {
    const session = await engine.compile(add);
    const [one, ten] = [view(await engine.upload(f32(1, 1))), view(await engine.upload(f32(10, 10)))];
    session.bind({ x: one });
    session.bind({ y: ten });
    const sum = async (feeds: Parameters<Session['run']>[0]) => (await session.run(feeds)).sum!.data;
    expect(await sum({})).toEqual(f32(11, 11));
    expect(await sum({ x: ten })).toEqual(f32(20, 20));
    expect(await sum({ x: { data: f32(4), shape: [1] }, y: { data: f32(5), shape: [1] } })).toEqual(f32(9));
    expect(await sum({})).toEqual(f32(11, 11));
    session.bind({ x: ten });
    expect(await sum({})).toEqual(f32(20, 20));
    await engine.free(ten.buffer);
    await expect(session.run({})).rejects.toThrow(/input "x": the float32 buffer of 2 elements was freed/);
    await session.release();
  });

  it('gives back what it was not told to place', async () => {
    const session = await engine.compile(program({
      nodes: [node('Neg', ['x'], 'negative'), node('Abs', ['x'], 'positive')],
      inputs: [port('x', 'float32', [2])],
      outputs: [port('negative', 'float32', [2]), port('positive', 'float32', [2])],
    }));
    const place = view(await engine.allocate('float32', 2));
    const x = { data: f32(-1, 2), shape: [2] };
    expect(await session.run({ x }, { negative: place })).toEqual({ positive: { data: f32(1, 2), shape: [2] } });
    expect(await session.run({ x }, { positive: place })).toEqual({ negative: { data: f32(1, -2), shape: [2] } });
    expect(await engine.read(place)).toEqual(f32(1, 2));
    await session.release();
  });

  it('feeds size vectors computed from the symbols', async () => {
    const [b, t] = [sym('b'), sym('t')];
    const session = await engine.compile(program({
      nodes: [node('Reshape', ['x', 'flat'], 'rows'), node('Concat', ['rows', 'rows'], 'twice', { axis: { int: 0 } })],
      inputs: [port('x', 'float32', [b, t, 2]), port('mask', 'bool', [times(b, t)])],
      outputs: [port('twice', 'float32', [times(2, b, t), 2])],
      sizes: [{ name: 'flat', values: [times(b, t), 2] }],
    }));
    for (const [B, T] of [[2, 3], [1, 1], [3, 2]] as const) {
      const data = Float32Array.from({ length: B * T * 2 }, (_, i) => i);
      const { twice } = await session.run({ x: { data, shape: [B, T, 2] }, mask: { data: new Uint8Array(B * T), shape: [B * T] } });
      expect(twice).toEqual({ data: f32(...data, ...data), shape: [2 * B * T, 2] });
    }
    await expect(session.run({ x: { data: new Float32Array(12), shape: [2, 3, 2] }, mask: { data: new Uint8Array(5), shape: [5] } }))
      .rejects.toThrow('Input "mask" is bool [b*t], but was given bool [5]: dimension 0 is 5, but "b*t" is 6.');
    await session.release();
  });

  it('carries every element type a port may have', async () => {
    const session = await engine.compile(
      program({
        nodes: [
          node('Add', ['i64', 'i64'], 'o64'),
          node('Add', ['i32', 'i32'], 'o32'),
          node('Not', ['flag'], 'oflag'),
          node('Identity', ['u8'], 'ou8'),
          node('Identity', ['i8'], 'oi8'),
          node('Cast', ['f16'], 'of32', { to: { int: 1 } }),
          node('Cast', ['of32'], 'of16', { to: { int: 10 } }),
        ],
        inputs: [
          port('i64', 'int64', [2]),
          port('i32', 'int32', []),
          port('flag', 'bool', [2]),
          port('u8', 'uint8', [1]),
          port('i8', 'int8', [1]),
          port('f16', 'float16', [2]),
        ],
        outputs: [
          port('o64', 'int64', [2]),
          port('o32', 'int32', []),
          port('oflag', 'bool', [2]),
          port('ou8', 'uint8', [1]),
          port('oi8', 'int8', [1]),
          port('of32', 'float32', [2]),
          port('of16', 'float16', [2]),
        ],
      }),
    );
    const flags = await engine.upload(new Uint8Array([1, 0]), 'bool');
    const results = await session.run({
      i64: { data: new BigInt64Array([2n ** 53n, -1n]), shape: [2] },
      i32: { data: new Int32Array([21]), shape: [] },
      flag: view(flags),
      u8: { data: new Uint8Array([255]), shape: [1] },
      i8: { data: new Int8Array([-128]), shape: [1] },
      f16: { data: new Uint16Array([0x3c00, 0xc000]), shape: [2] },
    });
    expect(results).toEqual({
      o64: { data: new BigInt64Array([2n ** 54n, -2n]), shape: [2] },
      o32: { data: new Int32Array([42]), shape: [] },
      oflag: { data: new Uint8Array([0, 1]), shape: [2] },
      ou8: { data: new Uint8Array([255]), shape: [1] },
      oi8: { data: new Int8Array([-128]), shape: [1] },
      of32: { data: f32(1, -2), shape: [2] },
      of16: { data: new Uint16Array([0x3c00, 0xc000]), shape: [2] },
    });
    await session.release();
  });

  it.each([false, true])('maps initializers from a file (prepack %s)', async (prepack) => {
    const folder = mkdtempSync(join(tmpdir(), 'heed-weights-'));
    try {
      // 3 bytes of header: the range is at an odd offset. 1, 2, 3, 4 in bfloat16.
      writeFileSync(
        join(folder, 'w.bin'),
        Buffer.concat([Buffer.from('???'), Buffer.from(new Uint16Array([0x3f80, 0x4000, 0x4040, 0x4080]).buffer)]),
      );
      const session = await engine.compile(
        program({
          nodes: [
            node('Cast', ['w'], 'w32', { to: { int: 1 } }),
            node('FusedMatMul', ['x', 'w32'], 'y', { transB: { int: 1 } }, 'com.microsoft'),
          ],
          inputs: [port('x', 'float32', [n, 2])],
          outputs: [port('y', 'float32', [n, 2])],
          initializers: [{ name: 'w', dtype: 'bfloat16', shape: [2, 2], data: { file: 'w.bin', offset: 3, length: 8 } }],
          folder,
        }),
        { prepack },
      );
      const { y } = await session.run({ x: { data: f32(1, 10), shape: [1, 2] } });
      expect(y).toEqual({ data: f32(21, 43), shape: [1, 2] });
      await session.release();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('says how much memory the process has and had', async () => {
    const { rss, peakRss } = await engine.memory();
    expect(rss).toBeGreaterThan(10e6);
    expect(peakRss).toBeGreaterThan(0.5 * rss);
    expect(peakRss).toBeLessThan(100 * rss);
  });
});

describe('errors', () => {
  let engine: Engine;
  let session: Session;
  const x = { data: f32(1, 2), shape: [2] };
  beforeAll(async () => {
    engine = await startEngine({ threads: 1 });
    session = await engine.compile(program({
      nodes: [node('Add', ['x', 'y'], 'sum'), node('Concat', ['x', 'y'], 'both', { axis: { int: 0 } })],
      inputs: [port('x', 'float32', [n]), port('y', 'float32', [n]), port('k', 'int64', [2, 3])],
      outputs: [port('sum', 'float32', [n]), port('both', 'float32', [plus(n, n)])],
    }));
  });
  afterAll(() => engine.close());
  const k = { data: new BigInt64Array(6), shape: [2, 3] };

  it.each([
    ['a missing input', { x }, 'Nothing is fed to "y" (float32 [n]), "k" (int64 [2, 3]).'],
    ['an unknown input', { x, y: x, k, z: x }, 'The program has no input "z". It has "x", "y", "k".'],
    ['a wrong rank', { x, y: { data: f32(1, 2), shape: [1, 2] }, k }, 'Input "y" is float32 [n], but was given float32 [1, 2].'],
    [
      'a symbol with two values',
      { x, y: { data: f32(1), shape: [1] }, k },
      'Input "y" is float32 [n], but was given float32 [1]: dimension 0 is 1, but "n" is 2 in "x".',
    ],
    [
      'a wrong dimension',
      { x, y: x, k: { data: new BigInt64Array(4), shape: [2, 2] } },
      'Input "k" is int64 [2, 3], but was given int64 [2, 2]: dimension 1 is 2, not 3.',
    ],
    [
      'a wrong element type',
      { x, y: x, k: { data: new Float32Array(6), shape: [2, 3] } },
      'Input "k" is int64 [2, 3] and takes a BigInt64Array, but was given float32 [2, 3].',
    ],
    [
      'too few elements',
      { x, y: x, k: { data: new BigInt64Array(5), shape: [2, 3] } },
      'Input "k" was given 5 elements for the shape [2, 3], which has 6.',
    ],
  ])('names %s', async (_, feeds, message) => {
    await expect(session.run(feeds as Parameters<Session['run']>[0])).rejects.toThrow(message);
  });

  it('checks views and places of outputs', async () => {
    const two = await engine.allocate('float32', 2);
    const int = await engine.allocate('int32', 2);
    await expect(session.run({ x: view(int), y: x, k })).rejects.toThrow('Input "x" is float32 [n], but was given int32 [2].');
    await expect(session.run({ x, y: x, k }, { nothing: view(two) })).rejects.toThrow(
      'The program has no output "nothing". It has "sum", "both".',
    );
    await expect(session.run({ x, y: x, k }, { both: view(two) })).rejects.toThrow(
      'Output "both" is float32 [2*n], but was given float32 [2]: it will be float32 [4] in this run.',
    );
    expect(() => view(two, [3])).toThrow('A view of [3] at element 0 does not fit a float32 buffer of 2 elements.');
    expect(() => view(two, [1], -1)).toThrow(/does not fit/);
    await expect(engine.write(view(two), new Int32Array(2))).rejects.toThrow(
      'write: the view takes 2 elements of a Float32Array, but was given 2 of int32.',
    );
    await expect(engine.copy([{ from: view(two), to: view(int) }])).rejects.toThrow('copy: move 0 is from float32 [2] to int32 [2].');
    await expect(engine.upload(f32(1), 'int64')).rejects.toThrow('int64 elements are uploaded as BigInt64Array');
    await expect(engine.upload([1, 2] as unknown as Float32Array)).rejects.toThrow('The engine holds no Array');
    await expect(engine.allocate('float32', -1)).rejects.toThrow('not -1');
    await expect(engine.allocate('float32', 2 ** 40)).rejects.toThrow(
      'There is no memory for 1099511627776 elements of float32, 4398.0 GB',
    );
    await engine.free(two);
    await expect(engine.read(view(two))).rejects.toThrow('read: the float32 buffer of 2 elements was freed, or belongs to another engine.');
    await expect(engine.free(two)).rejects.toThrow(/freed/);
    // After all these failures the session still has its plan right.
    expect(await session.run({ x, y: x, k })).toEqual({
      sum: { data: f32(2, 4), shape: [2] },
      both: { data: f32(1, 2, 1, 2), shape: [4] },
    });
  });

  it('refuses programs that the binding cannot run', async () => {
    const shape = { inputs: [port('x', 'float32', [2])], outputs: [port('y', 'float32', [2])] };
    await expect(engine.compile(program({ nodes: [], inputs: [port('x', 'bfloat16', [2])], outputs: [] }))).rejects.toThrow(
      'Port "x" is bfloat16',
    );
    await expect(engine.compile(program({ nodes: [], inputs: shape.inputs, outputs: shape.inputs }))).rejects.toThrow(
      'Output "x" has the name of an input',
    );
    await expect(engine.compile(program({ ...shape, nodes: [node('NoSuchOp', ['x'], 'y')] }))).rejects.toThrow(
      /NoSuchOp[^]*takes "x" and gives "y"/,
    );
    const good = program({ ...shape, nodes: [node('Neg', ['x'], 'y')] });
    await expect(engine.compile({ ...good, outputs: [] })).rejects.toThrow('The model has 1 outputs, the program 0.');
  });

  it("passes on ONNX Runtime's own complaint and goes on", async () => {
    const gather = await engine.compile(program({
      nodes: [node('Gather', ['table', 'ids'], 'rows', { axis: { int: 0 } })],
      inputs: [port('table', 'float32', [3, 1]), port('ids', 'int64', [n])],
      outputs: [port('rows', 'float32', [n, 1])],
    }));
    const table = { data: f32(1, 2, 3), shape: [3, 1] };
    await expect(gather.run({ table, ids: { data: new BigInt64Array([7n]), shape: [1] } }))
      .rejects.toThrow(/idx=7 must be within[^]*table: float32 \[3, 1\], ids: int64 \[1\]; n = 1/);
    expect((await gather.run({ table, ids: { data: new BigInt64Array([2n]), shape: [1] } })).rows!.data).toEqual(f32(3));
    await gather.release();
  });

  it('rejects all that is unfinished when it is closed, and what comes later', async () => {
    const other = await startEngine({ threads: 1 });
    const sum = await other.compile(add);
    const runs = Array.from({ length: 5 }, () => sum.run({ x, y: x }));
    const settled = Promise.allSettled(runs);
    await other.close();
    const reasons = (await settled).map((result) => (result.status === 'rejected' ? String(result.reason) : 'done'));
    expect(reasons.every((reason) => reason === 'done' || reason.includes('The engine was closed.'))).toBe(true);
    await expect(other.allocate('float32', 1)).rejects.toThrow('The engine was closed.');
    await expect(engine.read(view(await engine.allocate('float32', 1)))).resolves.toEqual(f32(0));
  });
});

// ONNX Runtime takes the whole process with it: a segmentation fault with nothing said.
it.runIf(process.platform === 'linux')('refuses to start under a command line that ONNX Runtime crashes on', async () => {
  process.argv.push('x'.repeat(15_000));
  try {
    await expect(startEngine()).rejects.toThrow(/The command line has \d+ bytes\. ONNX Runtime crashes on one of 15000/);
  } finally {
    process.argv.pop();
  }
});
