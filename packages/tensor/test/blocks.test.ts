import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Engine, blockLinear, constant, exp, gradient, input, loraLinear, lower, mapped, startEngine, sum, sym, widenBlocks,
} from '../src/index.js';

const folder = mkdtempSync(path.join(tmpdir(), 'heed-blocks-'));
let engine: Engine;
beforeAll(async () => { engine = await startEngine({ threads: 2 }); });
afterAll(async () => {
  await engine.close();
  rmSync(folder, { recursive: true });
});

const [K, N, BLOCK] = [96, 40, 32];
const blocks = K / BLOCK;
// A generator of Park and Miller: the same numbers everywhere.
let state = 7;
const random = (): number => (state = (state * 48271) % 2147483647) / 2147483647;
const codes = Uint8Array.from({ length: N * K }, () => 1 + Math.floor(255 * random()));
const scales = Float32Array.from({ length: N * blocks }, () => 0.001 + 0.01 * random());
writeFileSync(path.join(folder, 'codes'), codes);
writeFileSync(path.join(folder, 'scales'), scales);
writeFileSync(path.join(folder, 'zeros'), new Uint8Array(N * blocks).fill(128));

const weight = (o: number, k: number): number => (codes[o * K + k]! - 128) * scales[o * blocks + Math.floor(k / BLOCK)]!;
const nibble = (o: number, k: number): number => (codes[(o * K + k) >> 1]! >> (4 * (k & 1))) & 15;
const offsets = Float32Array.from({ length: N * blocks }, () => random() - 0.5);
const scaleAt = (o: number, k: number): number => scales[o * blocks + Math.floor(k / BLOCK)]!;

/** Each form with the matrix that it stands for: what the kernel multiplies by, and what is added to it. */
const forms: Readonly<Record<string, readonly [bits: 4 | 8, scaled: (o: number, k: number) => number, offset: boolean]>> = {
  '8 bits': [8, weight, false],
  '8 bits with offsets': [8, weight, true],
  '4 bits': [4, (o, k) => (nibble(o, k) - 8) * scaleAt(o, k), false],
  '4 bits with offsets': [4, (o, k) => (nibble(o, k) - 8) * scaleAt(o, k), true],
};

describe.each(Object.entries(forms))('%s', (_, [bits, scaled, offset]) => {
  it.each([0, 1, 5, 33])('multiply %i rows as the dequantised weights do, but for the rounding of the rows to 8 bits', async (n) => {
    const program = lower({
      y: blockLinear(input('x', [sym('n'), K]), {
        codes: mapped('uint8', [N, blocks, (BLOCK * bits) / 8], { file: 'codes', offset: 0, length: (N * K * bits) / 8 }),
        scales: constant(scales, [N, blocks]),
        ...(offset && { offsets: constant(offsets, [N, blocks]) }),
      }),
    }, { folder });
    const session = await engine.compile(program, { prepack: true });
    const x = Float32Array.from({ length: n * K }, () => 4 * random() - 2);
    const y = (await session.run({ x: { data: x, shape: [n, K] } }))['y']!.data as Float32Array;
    expect(y.length).toBe(n * N);
    let worst = 0;
    for (let r = 0; r < n; r++) for (let o = 0; o < N; o++) {
      let [exact, bound] = [0, 1e-4];
      for (let b = 0; b < blocks; b++) {
        const ks = Array.from({ length: BLOCK }, (_, i) => b * BLOCK + i);
        // A row is rounded to steps of 1/127 of its block's largest number: by half a step at most, times the weights.
        const step = Math.max(...ks.map((k) => Math.abs(x[r * K + k]!))) / 127;
        for (const k of ks) {
          exact += x[r * K + k]! * (scaled(o, k) + (offset ? offsets[o * blocks + b]! : 0));
          bound += (step / 2) * Math.abs(scaled(o, k));
        }
      }
      worst = Math.max(worst, Math.abs(y[r * N + o]! - exact) / bound);
    }
    expect(worst).toBeLessThan(1);
    await session.release();
  });
});

const bytesOf = { uint4: 0.5, uint8: 1, int8: 1, float16: 2, float32: 4 } as const;
const stored = (file: string, dtype: keyof typeof bytesOf, ...shape: number[]) =>
  mapped(dtype, shape, { file, offset: 0, length: shape.reduce((a, b) => a * b, 1) * bytesOf[dtype] });

it('widens blocks exactly', async () => {
  const all = N * blocks;
  const widened = widenBlocks(
    { codes: stored('codes', 'uint8', all, BLOCK), scales: stored('scales', 'float32', all), zeros: stored('zeros', 'uint8', all) }, [N, K],
  );
  const session = await engine.compile(lower({ w: widened }, { folder }));
  const { data, shape } = (await session.run({}))['w']!;
  expect(shape).toEqual([N, K]);
  data.forEach((w, i) => expect(w).toBe(Math.fround(weight(Math.floor(i / K), i % K))));
  await session.release();
});

it('widens nibbles with scales of scales and minima, rounding the product and then the sum', async () => {
  // Four rows of a super-block of 8 blocks: scale = fround(factor · code), and the minimum likewise.
  const [rows, width, groups] = [4, 256, 4];
  const half = { 0x224d: 0.012306213378906250, 0xa9d7: -0.04562377929687500 } as const;
  writeFileSync(path.join(folder, 'own'), Uint8Array.from({ length: 2 * groups * 8 }, () => 1 + Math.floor(63 * random())));
  writeFileSync(path.join(folder, 'halves'), Buffer.from(Uint16Array.from({ length: groups }, () => 0x224d).buffer));
  writeFileSync(path.join(folder, 'least'), Buffer.from(Uint16Array.from({ length: groups }, () => 0xa9d7).buffer));
  const own = readFileSync(path.join(folder, 'own'));
  const factors = (file: string, from: number) => ({
    codes: mapped('int8', [groups, 8], { file: 'own', offset: from, length: 8 * groups }), factors: stored(file, 'float16', groups),
  });
  const widened = widenBlocks(
    { codes: stored('codes', 'uint4', rows * 8, BLOCK), scales: factors('halves', 0), minima: factors('least', 8 * groups) }, [rows, width],
  );
  const session = await engine.compile(lower({ w: widened }, { folder }));
  const { data } = (await session.run({}))['w']!;
  expect(data).toHaveLength(rows * width);
  data.forEach((w, i) => {
    const b = Math.floor(i / BLOCK), code = (codes[i >> 1]! >> (4 * (i & 1))) & 15;
    const [scale, minimum] = [Math.fround(half[0x224d] * own[b]!), Math.fround(half[0xa9d7] * own[8 * groups + b]!)];
    expect(w).toBe(Math.fround(Math.fround(scale * code) + minimum));
  });
  await session.release();
});

it('is widened again by a gradient that reads it: no copy is kept in between', () => {
  const x = input('x', [sym('n'), K]);
  const own = { codes: stored('codes', 'uint8', N * blocks, BLOCK), scales: stored('scales', 'float32', N * blocks) };
  const [a, b] = [input('a', [2, K]), input('b', [N, 2])];
  const y = sum(exp(loraLinear(x, widenBlocks(own, [N, K]), a, b, 1)));
  const { model } = lower({ y, d: gradient(y, [x])[0]! }, { folder });
  expect(model.nodes.filter(({ op }) => op === 'DequantizeLinear')).toHaveLength(2);
});

it('refuses blocks that do not fit', () => {
  const place = { file: 'codes', offset: 0, length: 0 };
  const x = input('x', [sym('n'), 64]);
  expect(() => blockLinear(x, { codes: mapped('uint8', [4, 3, 32], place), scales: mapped('float32', [4, 3], place) })).toThrow(
    'Cannot multiply [n, 64] by blocks uint8 [4, 3, 32].',
  );
  expect(() => blockLinear(x, { codes: mapped('uint8', [4, 2, 32], place), scales: mapped('float32', [8], place) })).toThrow(
    'The scales of blocks has shape [8], expected [4, 2].',
  );
});
