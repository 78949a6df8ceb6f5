import * as ort from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { encodeModel } from '../../src/onnx/encode.js';
import type { OnnxModel } from '../../src/onnx/model.js';
import { node } from '../programs.js';

const bytes = (array: { buffer: ArrayBufferLike }) => new Uint8Array(array.buffer);
const empty: OnnxModel = { nodes: [], inputs: [], outputs: [], initializers: [] };
/** ONNX Runtime's public API reads what we wrote: it parses, checks and runs. */
const load = (model: Partial<OnnxModel>) =>
  ort.InferenceSession.create(encodeModel({ ...empty, ...model }), { graphOptimizationLevel: 'disabled' });

it('writes every kind of attribute, and an input left out', async () => {
  const session = await load({
    nodes: [
      node('Transpose', ['x'], 't', { perm: { ints: [1, 0] } }),
      node('LeakyRelu', ['t'], 'l', { alpha: { float: 0.25 } }),
      node('Concat', ['l', 'l'], 'c', { axis: { int: -1 } }),
      node('Clip', ['c', '', 'top'], 'y'),
      node('Constant', [], 'f', { value_floats: { floats: [0.5, -1.5] } }),
      node('Constant', [], 'big', { value_ints: { ints: [2 ** 52 + 1, -(2 ** 52) - 1, -1, 0, 127, 128] } }),
      node('Gelu', ['f'], 'g', { approximate: { string: 'tanh' } }),
    ],
    inputs: [{ name: 'x', dtype: 'float32', shape: [2, 'n'] }],
    outputs: [
      { name: 'y', dtype: 'float32', shape: ['n', 4] },
      { name: 'f', dtype: 'float32', shape: [2] },
      { name: 'big', dtype: 'int64', shape: [6] },
      { name: 'g', dtype: 'float32', shape: [2] },
    ],
    initializers: [{ name: 'top', dtype: 'float32', shape: [], data: bytes(new Float32Array([3])) }],
  });
  const { y, f, big, g } = await session.run({ x: new ort.Tensor('float32', [1, -4, 5, 2, 3, -8], [2, 3]) });
  expect(y!.dims).toEqual([3, 4]);
  expect([...(y!.data as Float32Array)]).toEqual([1, 2, 1, 2, -1, 3, -1, 3, 3, -2, 3, -2]);
  expect([...(f!.data as Float32Array)]).toEqual([0.5, -1.5]);
  expect([...(big!.data as BigInt64Array)]).toEqual([2n ** 52n + 1n, -(2n ** 52n) - 1n, -1n, 0n, 127n, 128n]);
  expect((g!.data as Float32Array)[0]).toBeCloseTo(0.345714, 6); // torch.nn.functional.gelu(0.5, approximate='tanh')
});

it('writes names beyond ASCII', async () => {
  const session = await load({
    nodes: [node('Neg', ['größe'], 'ausgabe→')],
    inputs: [{ name: 'größe', dtype: 'float32', shape: [1] }],
    outputs: [{ name: 'ausgabe→', dtype: 'float32', shape: [1] }],
  });
  expect([session.inputNames, session.outputNames]).toEqual([['größe'], ['ausgabe→']]);
});

it('keeps symbolic and fixed dimensions', async () => {
  const session = await load({
    nodes: [node('Identity', ['x'], 'y')],
    inputs: [{ name: 'x', dtype: 'int32', shape: ['batch', 300, 'batch*length'] }],
    outputs: [{ name: 'y', dtype: 'int32', shape: ['batch', 300, 'batch*length'] }],
  });
  expect(session.inputMetadata[0]).toMatchObject({ name: 'x', type: 'int32', shape: ['batch', 300, 'batch*length'] });
});

it('writes initializers of every type in place of inputs', async () => {
  const initializers: OnnxModel['initializers'] = [
    { name: 'float32', dtype: 'float32', shape: [1, 2], data: bytes(new Float32Array([1.5, -2])) },
    { name: 'float16', dtype: 'float16', shape: [2], data: bytes(new Uint16Array([0x3c00, 0xc000])) },
    { name: 'bfloat16', dtype: 'bfloat16', shape: [2], data: bytes(new Uint16Array([0x3f80, 0xc000])) },
    { name: 'int64', dtype: 'int64', shape: [2], data: bytes(new BigInt64Array([7n, -7n])) },
    { name: 'int32', dtype: 'int32', shape: [2], data: bytes(new Int32Array([7, -7])) },
    { name: 'int8', dtype: 'int8', shape: [2], data: bytes(new Int8Array([7, -7])) },
    { name: 'uint8', dtype: 'uint8', shape: [2], data: new Uint8Array([7, 255]) },
    { name: 'bool', dtype: 'bool', shape: [2], data: new Uint8Array([1, 0]) },
    { name: 'none', dtype: 'float32', shape: [0], data: new Uint8Array() },
  ];
  const session = await load({
    nodes: initializers.map(({ name }) => node('Cast', [name], `${name}_out`, { to: { int: 1 } })),
    outputs: initializers.map(({ name, shape }) => ({ name: `${name}_out`, dtype: 'float32' as const, shape })),
    initializers,
  });
  const results = Object.entries(await session.run({})).map(([name, { data }]) => [name, [...(data as Float32Array)]]);
  expect(Object.fromEntries(results)).toEqual({
    float32_out: [1.5, -2],
    float16_out: [1, -2],
    bfloat16_out: [1, -2],
    int64_out: [7, -7],
    int32_out: [7, -7],
    int8_out: [7, -7],
    uint8_out: [7, 255],
    bool_out: [1, 0],
    none_out: [],
  });
});

it('grows with the graph', async () => {
  const count = 3000;
  const name = (i: number) => `a_rather_long_name_so_that_the_first_guess_of_the_size_is_too_small_${'x'.repeat(100)}_${i}`;
  const session = await load({
    nodes: Array.from({ length: count }, (_, i) => node('Neg', [name(i)], name(i + 1))),
    inputs: [{ name: name(0), dtype: 'float32', shape: [1] }],
    outputs: [{ name: name(count), dtype: 'float32', shape: [1] }],
  });
  expect((await session.run({ [name(0)]: new ort.Tensor('float32', [2], [1]) }))[name(count)]!.data).toEqual(new Float32Array([2]));
});

it('refuses what would be read as something else', () => {
  const short = { name: 'w', dtype: 'float32', shape: [2, 3] } as const;
  expect(() => encodeModel({ ...empty, initializers: [{ ...short, data: new Uint8Array(20) }] })).toThrow(
    'Initializer "w" is float32 [2, 3] and needs 24 bytes, not 20.',
  );
  expect(() => encodeModel({ ...empty, initializers: [{ ...short, data: { file: 'w.bin', offset: 0, length: 23 } }] })).toThrow(
    'needs 24 bytes, not 23',
  );
  expect(() => encodeModel({ ...empty, nodes: [node('Concat', ['x'], 'y', { axis: { int: 0.5 } })] })).toThrow('not 0.5');
});
