import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Arena, type Chunk } from '../src/arena.js';
import { sym, times } from '../src/dims.js';
import { gradient } from '../src/gradient.js';
import { lower } from '../src/lower.js';
import { executionOrder, predictPeak } from '../src/memory.js';
import { add, exp, mul, silu } from '../src/ops/elementwise.js';
import { linear, loraLinear } from '../src/ops/matmul.js';
import { sum } from '../src/ops/reduce.js';
import { reshape } from '../src/ops/shape.js';
import { type Table, tableOf } from '../src/ops/table.js';
import { tokenLogProbs } from '../src/ops/token-log-probs.js';
import { prepareForCpu } from '../src/runtime/cpu.js';
import { type Tensor, checkpoint, input, mapped } from '../src/tensor.js';
import { node } from './programs.js';

const B = sym('batch');
const MB = 2 ** 20;

describe('executionOrder', () => {
  it('goes depth first from the last leaf and into the last producer first, as ONNX Runtime does', () => {
    const nodes = [
      node('A', ['x'], 'a'),
      node('B', ['x'], 'b'),
      node('C', ['a', 'b'], 'c'),
      node('D', ['a'], 'd'),
      node('E', ['c'], 'e'),
      node('F', ['d'], 'f'),
    ];
    expect(executionOrder(nodes).map(({ op }) => op)).toEqual(['A', 'D', 'F', 'B', 'C', 'E']);
  });

  it('places every node once, after all that it reads', () => {
    fc.assert(fc.property(fc.array(fc.array(fc.nat(), { maxLength: 3 }), { maxLength: 40 }), (picks) => {
      const nodes = picks.map((inputs, i) => node('Op', inputs.map((pick) => (i === 0 ? 'x' : `v${pick % i}`)), `v${i}`));
      const order = executionOrder(nodes);
      expect(new Set(order).size).toBe(nodes.length);
      const seen = new Set(['x']);
      for (const { inputs, outputs } of order) {
        expect(inputs.every((name) => seen.has(name))).toBe(true);
        seen.add(outputs[0]!);
      }
    }));
  });
});

describe('Arena', () => {
  it('never hands out memory twice, and is never smaller than what is held', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 8 * MB })), { maxLength: 80 }), (moves) => {
      const arena = new Arena();
      const held: { chunk: Chunk; bytes: number }[] = [];
      let [now, most] = [0, 0];
      for (const [release, bytes] of moves) {
        if (release && held.length > 0) {
          const { chunk, bytes: freed } = held.splice(bytes % held.length, 1)[0]!;
          arena.release(chunk);
          now -= freed;
          continue;
        }
        const chunk = arena.allocate(bytes)!;
        expect(chunk.size).toBeGreaterThanOrEqual(bytes);
        for (const { chunk: other } of held) {
          const apart = other.region !== chunk.region || other.start + other.size <= chunk.start || chunk.start + chunk.size <= other.start;
          expect(apart).toBe(true);
        }
        held.push({ chunk, bytes });
        now += bytes;
        most = Math.max(most, now);
      }
      expect(arena.resident).toBeGreaterThanOrEqual(most);
    }));
  });

  it('coalesces what is released: neighbours together serve a larger request', () => {
    const arena = new Arena();
    // All but the first lie in the second region, of 2 MB.
    const halves = Array.from({ length: 5 }, () => arena.allocate(MB / 2 + 1)!);
    const before = arena.resident;
    for (const i of [1, 3, 2]) arena.release(halves[i]!);
    arena.allocate(3 * (MB / 2 + 1));
    expect(arena.resident).toBe(before);
  });
});

describe('predictPeak', () => {
  it('counts what is alive at once: not outputs, not views, not inputs', () => {
    const x = input('x', [B, 1024]);
    const program = lower({ y: exp(reshape(add(exp(exp(exp(x))), x), [times(B, 2), 512])) });
    // Each step holds its input and its result; the last writes into the output's own array.
    const { live, inputs, outputs } = predictPeak(program, { x: [256, 1024] });
    expect({ live, inputs, outputs }).toEqual({ live: 2 * MB, inputs: MB, outputs: MB });
  });

  it('counts mapped weights once, however often they are read', () => {
    const w = () => mapped('float32', [512, 512], { file: 'w.bin', offset: 0, length: MB });
    const program = lower({ y: linear(linear(input('x', [B, 512]), w()), w()) });
    expect(predictPeak(program, { x: [4, 512] }).mapped).toBe(MB);
  });

  it('counts a matrix once that is mapped as a whole and in parts', () => {
    const part = (rows: number, offset: number, file = 'w.bin') => mapped('float32', [rows, 4], { file, offset, length: 16 * rows });
    const x = input('x', [B, 4]);
    const program = lower({
      a: linear(x, part(8, 64)), b: linear(x, part(3, 64)), c: linear(x, part(5, 112)), d: linear(x, part(8, 128)),
      e: linear(x, part(2, 64, 'v')),
    });
    // Bytes 64 to 256 of one file, 32 of another.
    expect(predictPeak(program, { x: [1, 4] }).mapped).toBe(192 + 32);
  });

  it('holds a piece of a large head and of its logits at a time, forward and backward, and no probabilities between', () => {
    const [V, H, n] = [2 ** 20, 128, 64];
    const head = (): Table => tableOf(mapped('bfloat16', [V, H], { file: 'w.bin', offset: 0, length: 2 * V * H }));
    const hidden = input('hidden', [B, H]);
    const y = sum(exp(tokenLogProbs(hidden, head(), [input('labels', [B], 'int32')])));
    const program = lower({ y, d: gradient(y, [hidden])[0]! });
    const { live } = predictPeak(program, { hidden: [n, H] });
    // 2^27 numbers in 16 pieces of 2^23: as float32 (and as bfloat16 beside, here where parts are slices), and the logits twice.
    expect(live).toBeLessThan((4 + 2) * 2 ** 23 + 2 * 4 * n * (V / 16) + MB);
    expect(live).toBeLessThan((4 * V * H) / 4);
    const widths = [...program.values.values()].flatMap(({ shape }) => (typeof shape.at(-1) === 'number' ? [shape.at(-1) as number] : []));
    expect(Math.max(...widths)).toBe(V / 16);
  });

  it.each(['bfloat16', 'float16'] as const)('holds one widened copy of a %s head at a time, forward and backward', (dtype) => {
    const [vocabulary, width, rows] = [32_768, 64, 16];
    const q = sym('q');
    const hidden = input('hidden', [times(4, q), width]);
    const head = mapped(dtype, [vocabulary, width], { file: 'w.bin', offset: 0, length: 2 * vocabulary * width });
    const y = sum(exp(tokenLogProbs(hidden, tableOf(head), [0, 1, 2, 3].map((i) => input(`labels${i}`, [q], 'int32')))));
    const program = lower({ y, d: gradient(y, [hidden])[0]! });
    const widened = (name: string): boolean => program.values.get(name)?.shape.join() === `${vocabulary},${width}`;
    const nodes = executionOrder(prepareForCpu(program.model).nodes);
    const last = new Map(nodes.flatMap(({ inputs }, i) => inputs.map((name): [string, number] => [name, i])));
    const alive = nodes.map(
      (_, at) => nodes.filter(({ outputs }, i) => i <= at && widened(outputs[0]!) && last.get(outputs[0]!)! >= at).length,
    );
    // Four pieces, each widened forward and backward.
    expect(nodes.filter(({ outputs }) => widened(outputs[0]!))).toHaveLength(8);
    expect(Math.max(...alive)).toBe(1);
    // One copy, and the probabilities of the rows with room for a piece more.
    const copy = 4 * vocabulary * width;
    expect(predictPeak(program, { hidden: [rows, width], labels0: [rows / 4] }).live).toBeLessThan(
      copy + 4 * vocabulary * (rows + rows / 4) + MB / 8,
    );
  });

  it('says which size it lacks', () => {
    expect(() => predictPeak(lower({ y: exp(exp(input('x', [B]))) }), {})).toThrow('needs a value for "batch"');
  });

  it('shows what checkpointing saves: a layer at a time, whichever gradient is asked for first', () => {
    const layers = 8;
    const peak = (keep: boolean, order: (names: string[]) => string[]): number => {
      const factors: Record<string, Tensor> = {};
      const layer = (x: Tensor, i: number): Tensor => {
        const a = factors[`a${i}`] ??= input(`a${i}`, [4, 256]);
        const b = factors[`b${i}`] ??= input(`b${i}`, [256, 4]);
        const weight = mapped('float32', [256, 256], { file: 'w.bin', offset: i * MB, length: MB / 4 });
        const y = loraLinear(x, weight, a, b, 1);
        return add(x, mul(silu(y), exp(y)));
      };
      let x: Tensor = input('x', [B, 256]);
      for (let i = 0; i < layers; i++) x = keep ? layer(x, i) : checkpoint(() => layer(x, i));
      const names = order(Object.keys(factors));
      const derivatives = gradient(sum(x), names.map((name) => factors[name]!));
      return predictPeak(
        lower(
          Object.fromEntries(
            names.map((name, i) => [`grad:${name}`, add(mul(input(`acc:${name}`, factors[name]!.shape), 1), derivatives[i]!)]),
          ),
        ),
        { x: [1024, 256] },
      ).live;
    };
    const forwards = (names: string[]): string[] => names;
    const backwards = (names: string[]): string[] => [...names].reverse();
    // x, y, silu and exp of each layer (1 MB each) against x alone.
    expect(peak(true, forwards)).toBeGreaterThan(3 * layers * MB);
    expect(peak(false, forwards)).toBeLessThan((layers + 10) * MB);
    expect(peak(false, backwards)).toBe(peak(false, forwards));
  });
});
