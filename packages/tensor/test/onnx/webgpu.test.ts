import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sym } from '../../src/dims.js';
import { lower } from '../../src/lower.js';
import { prepareForWebgpu } from '../../src/onnx/webgpu.js';
import { linear } from '../../src/ops/matmul.js';
import { rmsNorm } from '../../src/ops/model.js';
import { logSoftmax, softmax } from '../../src/ops/reduce.js';
import { concat, split } from '../../src/ops/shape.js';
import { tableOf } from '../../src/ops/table.js';
import { headLogits } from '../../src/ops/token-log-probs.js';
import type { Program } from '../../src/program.js';
import { type Engine, startEngine } from '../../src/runtime/engine.js';
import { input, mapped } from '../../src/tensor.js';
import { valueAndGradients } from '../gradient-check.js';
import { builder, cases } from '../ops-cases.js';
import { STEPS, cachedFeeds, cachedStep, readPart } from '../support/cached-attention.js';
import { largeTable } from '../support/large-table.js';

// What WebGPU is given in the place of operations that it lacks is checked on the CPU: it has them all.
let cpu: Engine;
beforeAll(async () => { cpu = await startEngine({ device: 'cpu', threads: 1 }); });
afterAll(() => cpu.close());

const rewritten = (program: Program): Program => {
  const { model, sizes } = prepareForWebgpu(program);
  return { ...program, model, sizes };
};
const ops = (program: Program): string[] => prepareForWebgpu(program).model.nodes.map(({ op }) => op);

describe.each(cases.map((c) => [c.op, c.note, c] as const))('%s (%s)', (_, __, c) => {
  it('is in its place what PyTorch says', async () => {
    const engine = { compile: (program: Program) => cpu.compile(rewritten(program)) } as Engine;
    const { shape, value, gradients } = await valueAndGradients(engine, builder(c), c.inputs, { shape: c.shape, data: c.seed });
    expect(shape).toEqual(c.shape);
    for (const [actual, expected] of [[value, c.output] as const, ...gradients.map((g, i) => [g, c.gradients[i]!] as const)]) {
      if (actual === undefined) continue;
      const scale = Math.max(1, ...expected.map(Math.abs));
      for (const [i, e] of expected.entries()) expect(Math.abs(actual[i]! - e) / scale).toBeLessThan(1e-6);
    }
  });
});

describe('attention over a cache', () => {
  it.each(Object.entries(STEPS))('%s is in its place what the fused kernel gives', async (_, step) => {
    const program = cachedStep(step);
    const found: number[][] = [];
    for (const one of [program, rewritten(program)]) {
      const session = await cpu.compile(one);
      found.push(readPart(step, await session.run(cachedFeeds(step))));
      await session.release();
    }
    expect(found[1]).toHaveLength(found[0]!.length);
    for (const [i, x] of found[0]!.entries()) expect(Math.abs(x - found[1]![i]!)).toBeLessThan(1e-6);
  });
});

describe('a program for WebGPU', () => {
  it('has none of the operations that have no kernel there, or a wrong one', () => {
    const x = input('x', [sym('n'), 8]);
    const y = logSoftmax(rmsNorm(linear(x, input('w', [8, 8])), input('g', [8]), 1e-5));
    expect(ops(lower({ y })).filter((op) => /Fused|Simplified|LogSoftmax|Sign/.test(op))).toEqual([]);
  });

  it('gives one row more to a matrix that may have none, and to it alone', () => {
    expect(ops(lower({ y: softmax(input('x', [sym('n'), 4])) }))).toEqual(['Expand', 'Concat', 'Softmax', 'Slice']);
    expect(ops(lower({ y: softmax(input('x', [3, 4])) }))).toEqual(['Softmax']);
    expect(ops(lower({ y: softmax(input('x', [sym('b'), sym('t'), 4])) }))).toEqual(['Softmax']);
  });

  it('splits into many parts one by one', () => {
    const parts = (n: number): Program => lower({ y: concat(split(input('x', [n, 2]), 0, new Array<number>(n).fill(1)).toReversed(), 0) });
    expect(ops(parts(7))).toEqual(['Split', 'Concat']);
    expect(ops(parts(8)).filter((op) => op !== 'Slice')).toEqual(['Concat']);
  });

  it('is fed weights of files, which are float32 there whatever they are in the file', () => {
    const weight = mapped('bfloat16', [6, 4], { file: 'w', offset: 8, length: 48 });
    const table = tableOf(mapped('float16', [5, 4], { file: 'w', offset: 64, length: 40 }));
    const program = lower({ y: linear(table.rows(input('ids', [3], 'int32')), weight) }, { folder: '/models' });
    const { model, weights, dtypeOf } = prepareForWebgpu(program);
    expect(weights).toEqual([
      { name: ':c0', dtype: 'bfloat16', shape: [6, 4], data: { file: 'w', offset: 8, length: 48 } },
      { name: ':c1', dtype: 'float16', shape: [5, 4], data: { file: 'w', offset: 64, length: 40 } },
    ]);
    expect(model.inputs.slice(-2)).toEqual([{ name: ':c0', dtype: 'float32' }, { name: ':c1', dtype: 'float32' }]);
    expect(model.initializers.map(({ dtype }) => dtype)).toEqual([]);
    expect(model.nodes.map(({ op }) => op)).toEqual(['Gather', 'Gemm']);
    expect(model.nodes.flatMap(({ outputs }) => outputs.map(dtypeOf))).toEqual(['float32', 'float32']);
  });

  it('has embeddings that are the head too once, in parts, and picks the rows that the whole has', async () => {
    const { folder, table, width, ids, expected, remove } = largeTable();
    const program = lower({ rows: table.rows(input('ids', [sym('n')], 'int32')) }, { folder });
    const picked = prepareForWebgpu(program);
    const head = prepareForWebgpu(lower({ y: headLogits(input('x', [sym('n'), width]), table) }, { folder }));
    const placesOf = ({ weights }: typeof picked): string[] => weights.map(({ shape, data }) => JSON.stringify([shape, data])).sort();
    expect(picked.weights).toHaveLength(9);
    expect(placesOf(picked)).toEqual(placesOf(head));

    // On the CPU the parts are read from the file again.
    const initializers = [...picked.model.initializers, ...picked.weights];
    const inputs = picked.model.inputs.filter(({ name }) => name === 'ids');
    const session = await cpu.compile({ ...program, model: { ...picked.model, inputs, initializers }, sizes: picked.sizes });
    const found = (await session.run({ ids: { data: ids, shape: [ids.length] } }))['rows']!;
    expect(found.shape).toEqual([ids.length, width]);
    expect(found.data).toEqual(expected);
    await session.release();
    remove();
  });

  it('keeps weights of files where they are to stay, and widens them there', () => {
    const weight = mapped('bfloat16', [6, 4], { file: 'w', offset: 8, length: 48 });
    const program = lower({ y: linear(input('x', [3, 4]), weight) }, { folder: '/models' });
    const { model, weights } = prepareForWebgpu(program, { weights: 'stay' });
    expect(weights).toEqual([]);
    expect(model.inputs).toEqual(program.model.inputs);
    expect(model.initializers).toEqual(program.model.initializers);
    expect(model.nodes.map(({ op }) => op)).toEqual(['Cast', 'Gemm']);
  });
});
