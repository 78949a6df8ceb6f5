import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Engine, blockLinear, input, lower, mapped, startEngine, sym, widenBlocks } from '../src/index.js';

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
const program = lower({
  y: blockLinear(
    input('x', [sym('n'), K]),
    mapped('uint8', [N, blocks, BLOCK], { file: 'codes', offset: 0, length: N * K }),
    mapped('float32', [N, blocks], { file: 'scales', offset: 0, length: 4 * N * blocks }),
  ),
}, { folder });

it.each([0, 1, 5, 33])('multiplies %i rows as the dequantised weights do, but for the rounding of the rows to 8 bits', async (n) => {
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
        exact += x[r * K + k]! * weight(o, k);
        bound += (step / 2) * Math.abs(weight(o, k));
      }
    }
    worst = Math.max(worst, Math.abs(y[r * N + o]! - exact) / bound);
  }
  expect(worst).toBeLessThan(1);
  await session.release();
});

it('widens blocks exactly', async () => {
  const widened = widenBlocks(
    mapped('uint8', [N * blocks, BLOCK], { file: 'codes', offset: 0, length: N * K }),
    mapped('float32', [N * blocks], { file: 'scales', offset: 0, length: 4 * N * blocks }),
    mapped('uint8', [N * blocks], { file: 'zeros', offset: 0, length: N * blocks }),
    [N, K],
  );
  const session = await engine.compile(lower({ w: widened }, { folder }));
  const { data, shape } = (await session.run({}))['w']!;
  expect(shape).toEqual([N, K]);
  data.forEach((w, i) => expect(w).toBe(Math.fround(weight(Math.floor(i / K), i % K))));
  await session.release();
});

it('refuses blocks that do not fit', () => {
  const place = { file: 'codes', offset: 0, length: 0 };
  const x = input('x', [sym('n'), 64]);
  expect(() => blockLinear(x, mapped('uint8', [4, 3, 32], place), mapped('float32', [4, 3], place))).toThrow(
    'Cannot multiply [n, 64] by 8-bit blocks uint8 [4, 3, 32].',
  );
  expect(() => blockLinear(x, mapped('uint8', [4, 2, 32], place), mapped('float32', [8], place))).toThrow(
    'The scales of 8-bit blocks has shape [8], expected [4, 2].',
  );
});
