import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sym } from '../src/dims.js';
import { gradient } from '../src/gradient.js';
import { lower } from '../src/lower.js';
import { add, exp, log, log1mexp, mul, neg, silu, sub, tanh } from '../src/ops/elementwise.js';
import { matmul } from '../src/ops/matmul.js';
import { rmsNorm } from '../src/ops/model.js';
import { softmax, sum } from '../src/ops/reduce.js';
import { split } from '../src/ops/shape.js';
import { tableOf } from '../src/ops/table.js';
import { tokenLogProbs } from '../src/ops/token-log-probs.js';
import { startEngine } from '../src/runtime/engine.js';
import type { Engine } from '../src/runtime/engine.js';
import { type Tensor, checkpoint, constant, detach, input, recompute, scalar } from '../src/tensor.js';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
});
afterAll(() => engine.close());

type Values = Readonly<Record<string, readonly number[] | Int32Array>>;

/** Runs a program of these outputs. Inputs that it does not use are not fed. */
async function run(outputs: Readonly<Record<string, Tensor>>, values: Values, shapes: Readonly<Record<string, number[]>> = {}) {
  const program = lower(outputs);
  const session = await engine.compile(program);
  const feeds = program.inputs.map(({ name }) => {
    const data = values[name]!;
    return [name, { data: data instanceof Int32Array ? data : Float32Array.from(data), shape: shapes[name] ?? [data.length] }] as const;
  });
  const results = await session.run(Object.fromEntries(feeds));
  await session.release();
  return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, [...(data as Float32Array)]]));
}

/** How often each ONNX operation occurs. */
function count(outputs: Readonly<Record<string, Tensor>>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { op } of lower(outputs).model.nodes) counts[op] = (counts[op] ?? 0) + 1;
  return counts;
}

describe('gradient', () => {
  it('is undefined for what the objective does not depend on', () => {
    const [x, y, z] = [input('x', [2]), input('y', [2]), input('z', [2])];
    const unrelated = exp(z);
    const [dx, dy, dz, du] = gradient(sum(mul(x, 2)), [x, y, z, unrelated]);
    expect(dx).toBeDefined();
    expect([dy, dz, du]).toEqual([undefined, undefined, undefined]);
  });

  it('adds up over all uses of a value', async () => {
    const x = input('x', [2]);
    const shared = exp(x);
    const objective = sum(add(mul(shared, shared), add(shared, mul(x, x))));
    const { d, by } = await run({ d: gradient(objective, [x])[0]!, by: gradient(objective, [shared])[0]! }, { x: [0.5, -1] });
    [0.5, -1].forEach((v, i) => {
      expect(d![i]).toBeCloseTo(2 * Math.exp(2 * v) + Math.exp(v) + 2 * v, 5);
      expect(by![i]).toBeCloseTo(2 * Math.exp(v) + 1, 5);
    });
  });

  it('by a value and by what that value depends on are both found', async () => {
    const x = input('x', [1]);
    const middle = mul(x, 3);
    const [dx, dm, self] = gradient(sum(mul(middle, middle)), [x, middle, middle]);
    expect(dm).toBe(self);
    expect(await run({ dx: dx!, dm: dm! }, { x: [2] })).toEqual({ dx: [36], dm: [12] });
  });

  it('of a value by itself is its seed', () => {
    const x = input('x', [2]);
    const seed = input('seed', [2]);
    expect(gradient([{ of: x, derivative: seed }], [x])).toEqual([seed]);
  });

  it('stops at detach, and at comparisons and labels', async () => {
    const x = input('x', [2]);
    expect(gradient(sum(detach(exp(x))), [x])).toEqual([undefined]);
    // As torch.autograd: d/dx (x · stop(x²)) = x².
    expect(await run({ d: gradient(sum(mul(x, detach(mul(x, x)))), [x])[0]! }, { x: [3, -2] })).toEqual({ d: [9, 4] });
  });

  it('takes seeds of several values, also twice of one, and constants', async () => {
    const x = input('x', [2]);
    const [a, b] = [mul(x, 2), mul(x, x)];
    const seeds = [
      { of: a, derivative: input('s', [2]) },
      { of: b, derivative: constant([1, 10]) },
      { of: a, derivative: constant([100, 100]) },
    ];
    expect(await run({ d: gradient(seeds, [x])[0]! }, { x: [3, 4], s: [1, 2] })).toEqual({ d: [2 + 6 + 200, 4 + 80 + 200] });
  });

  it('needs seeds for all but scalars, of the right shape', () => {
    const x = input('x', [sym('n'), 2]);
    expect(() => gradient(x, [x])).toThrow('The gradient of a tensor of shape [n, 2] needs seeds; only a scalar needs none.');
    expect(() => gradient([{ of: x, derivative: scalar(1) }], [x])).toThrow('A derivative of shape [] reached a value of shape [n, 2].');
  });

  it('can be taken twice', async () => {
    const x = input('x', [2]);
    const [first] = gradient(sum(mul(tanh(x), x)), [x]);
    const [second] = gradient(sum(first!), [x]);
    const { d } = await run({ d: second! }, { x: [0.3, -1.2] });
    [0.3, -1.2].forEach((v, i) => {
      const t = Math.tanh(v);
      expect(d![i]).toBeCloseTo((1 - t * t) * (2 - 2 * t * v), 5);
    });
  });

  it('fills in zeros for parts that nothing depends on, and visits no frozen part', async () => {
    const x = input('x', [4]);
    const [left] = split(x, 0, [1, 3]);
    expect(await run({ d: gradient(sum(mul(left!, 5)), [x])[0]! }, { x: [1, 2, 3, 4] })).toEqual({ d: [5, 0, 0, 0] });
    const frozen = input('w', [4]);
    // exp(w) has no derivative to be multiplied with: one Mul forward, one back.
    expect(count({ d: gradient(sum(mul(x, exp(frozen))), [x])[0]! })).toEqual({ Exp: 1, Expand: 1, Mul: 1, Reshape: 1 });
  });
});

describe('checkpoint and recompute', () => {
  const layer = (x: Tensor): Tensor => {
    const a = exp(mul(x, 0.5));
    const b = tanh(a);
    return add(mul(a, b), x);
  };
  const values = { x: [0.1, -0.7, 1.3] };
  const programOf = (forward: (x: Tensor) => Tensor) => {
    const x = input('x', [3]);
    const y = sum(forward(x));
    return { y, d: gradient(y, [x])[0]! };
  };
  const twice = (body: (x: Tensor) => Tensor) => (x: Tensor) => body(body(x));
  const plain = twice(layer);
  const checkpointed: Record<string, (x: Tensor) => Tensor> = {
    checkpoint: twice((x) => checkpoint(() => layer(x))),
    'nested checkpoint': (x) => checkpoint(() => twice((y) => checkpoint(() => layer(y)))(x)),
    'recompute of every value': twice((x) => {
      const a = recompute(exp(recompute(mul(x, 0.5))));
      return add(recompute(mul(a, recompute(tanh(a)))), x);
    }),
  };

  it.each(Object.entries(checkpointed))('%s gives the same bits', async (_, forward) => {
    expect(await run(programOf(forward), values)).toEqual(await run(programOf(plain), values));
  });

  it.each([
    // Both layers' exp and tanh, forward and again; what only the forward pass needs is not computed again.
    ['checkpoint', { Exp: 4, Tanh: 4 }],
    ['recompute of every value', { Exp: 4, Tanh: 4 }],
    // One block of two layers: the first layer's result is computed again as well.
    ['nested checkpoint', { Exp: 4, Tanh: 4 }],
  ])('%s computes again what is not kept', (name, expected) => {
    const before = count(programOf(plain));
    const after = count(programOf(checkpointed[name]!));
    expect(before).toMatchObject({ Exp: 2, Tanh: 2 });
    expect(after).toMatchObject(expected);
    // The result of a layer, a·b + x, is never read by the backward pass, so no copy of it appears; one between two nested layers does.
    expect(after.Add! - before.Add!).toBe(name === 'nested checkpoint' ? 1 : 0);
  });

  it('keeps nothing of the inside: the backward pass reads only the inputs and results of a checkpoint', () => {
    const x = input('x', [3]);
    const first = checkpoint(() => layer(x));
    const second = checkpoint(() => layer(first));
    const y = sum(second);
    const forward = new Set(lower({ y }).model.nodes.map(({ name }) => name));
    const program = lower({ y, d: gradient(y, [x])[0]! });
    const made = new Map(
      program.model.nodes.filter(({ name }) => forward.has(name)).flatMap((node) => node.outputs.map((output) => [output, node.op])),
    );
    const read = program.model.nodes
      .filter(({ name }) => !forward.has(name))
      .flatMap(({ inputs }) => inputs)
      .filter((name) => made.has(name));
    // The one value of the forward pass that the backward pass reads is the first layer's result.
    expect([...new Set(read)].map((name) => made.get(name))).toEqual(['Add']);
  });

  it('a value that no derivative reads is not computed again', () => {
    const x = input('x', [3]);
    // d(neg(exp x)) needs exp x only.
    const y = sum(checkpoint(() => neg(neg(exp(x)))));
    expect(count({ y, d: gradient(y, [x])[0]! })).toMatchObject({ Exp: 2 });
    expect(count({ d: gradient(y, [x])[0]! })).toMatchObject({ Exp: 1 });
    // log's derivative reads its input alone.
    const z = sum(checkpoint(() => log(exp(x))));
    expect(count({ z, d: gradient(z, [x])[0]! })).toMatchObject({ Exp: 2, Log: 1 });
  });

  it('recomputes functions with gradients of their own, and operations with several results', async () => {
    const [n, width, vocabulary] = [3, 4, 5];
    const make = (wrap: (body: () => Tensor) => Tensor) => {
      const x = input('x', [n, width]);
      const [head, w, labels] = [input('head', [vocabulary, width]), input('w', [width]), input('labels', [n], 'int32')];
      const y = sum(wrap(() => {
        const [left, right] = split(rmsNorm(x, w, 1e-6), 1, [2, 2]) as [Tensor, Tensor];
        const mixed = silu(matmul(softmax(matmul(left, right, { transB: true })), x));
        return log1mexp(tokenLogProbs(mixed, tableOf(head), [labels]));
      }));
      return { y, d: gradient(y, [x])[0]! };
    };
    const numbers = (length: number) => Array.from({ length }, (_, i) => Math.sin(5 * i + 1));
    const feeds = { x: numbers(n * width), head: numbers(vocabulary * width), w: [1, 2, 0.5, 1], labels: Int32Array.of(4, 0, 4) };
    const shapes = { x: [n, width], head: [vocabulary, width] };
    const kept = make((body) => body());
    expect(count(kept)).toMatchObject({ SimplifiedLayerNormalization: 1, GatherElements: 1 });
    const again = make(checkpoint);
    expect(count(again)).toMatchObject({ SimplifiedLayerNormalization: 2, GatherElements: 2 });
    expect(await run(again, feeds, shapes)).toEqual(await run(kept, feeds, shapes));
  });

  it('reads an input that was made inside, or is marked itself, where it was fed', async () => {
    const x = input('x', [1]);
    const y = sum(checkpoint(() => exp(mul(x, input('inside', [1])))));
    expect(await run({ y, d: gradient(y, [x])[0]! }, { x: [0], inside: [3] })).toEqual({ y: [1], d: [3] });
  });

  it('what is traced after a checkpoint, or after one that throws, is kept', () => {
    const x = input('x', [1]);
    expect(() => checkpoint(() => { throw new Error('inside'); })).toThrow('inside');
    checkpoint(() => exp(x));
    expect(exp(x).node.recompute).toBe(false);
  });
});

it('lowers nothing that no output needs', () => {
  const x = input('x', [2]);
  const kept = exp(x);
  const dead = log(tanh(kept));
  const objective = sum(sub(kept, 1));
  gradient(sum(dead), [x]);
  expect(count({ y: objective })).toEqual({ Exp: 1, Sub: 1, ReduceSum: 1 });
  // The derivative alone: 1 expanded over eˣ, times eˣ. Neither the difference nor the sum is computed.
  expect(count({ d: gradient(objective, [x])[0]! })).toEqual({ Exp: 1, Reshape: 1, Expand: 1, Mul: 1 });
});
