import { boundsOf, piecesOf } from '../ops/vocabulary-pieces.js';
import type { OnnxModel, OnnxNode } from './model.js';
import { onnxType } from './encode.js';
import type { Draft } from './webgpu-draft.js';
import type { DeviceWeight, TablePart } from './webgpu-weight.js';

/**
 * The parts of a large table of which nothing but rows are picked: embeddings. They are those that a head of the same numbers is worked
 * through in, so that both are on the device once, and none needs a buffer of the whole, which may be larger than the device lets one be.
 * Undefined for other weights.
 */
export function tableParts(
  { nodes }: OnnxModel, weight: DeviceWeight, dtypeOf: Draft['dtypeOf'],
): readonly TablePart[] | undefined {
  const { name, shape, data: { file, offset, length } } = weight;
  const [height, width] = shape as readonly [number, number];
  if (shape.length !== 2 || piecesOf([height, width]) === 1) return undefined;
  const isPicked = ({ op, inputs: [table, ids, ...more], attributes: { axis } }: OnnxNode): boolean =>
    op === 'Gather' && table === name && more.length === 0 && dtypeOf(ids!) === 'int32'
    && axis !== undefined && 'int' in axis && axis.int === 0;
  if (!nodes.every((node) => !node.inputs.includes(name) || isPicked(node))) return undefined;
  const row = length / height;
  return boundsOf(height, piecesOf([height, width])).map(([from, to]) => ({
    from,
    weight: {
      ...weight, name: `${name}:${from}`, shape: [to - from, width],
      data: { file, offset: offset + from * row, length: (to - from) * row },
    },
  }));
}

/** Picks rows of a table in parts: of each part those that lie in it, with zeros for the others; their sum is exact. */
export function pickRows(draft: Draft, parts: readonly TablePart[], ids: string, y: string): void {
  const { emit, number, vector, shapeOf, initializers } = draft;
  const rank = shapeOf(ids).length;
  const froms = `${y}:from`;
  const firsts = Float32Array.from(parts, ({ from }) => from);
  initializers.push({
    name: froms, dtype: 'float32', shape: [parts.length, ...Array<number>(rank).fill(1)], data: new Uint8Array(firsts.buffer),
  });
  const to = (x: string, dtype: 'float32' | 'int32'): string => emit('Cast', [x], { to: { int: onnxType[dtype] } });
  // Numbers of rows are exact in float32, which all of these have kernels for.
  const local = emit('Sub', [emit('Unsqueeze', [to(ids, 'float32'), vector(0)]), froms]);
  const size = parts[0]!.weight.shape[0]!;
  const isFrom = to(emit('GreaterOrEqual', [local, number(0)]), 'float32'), isBefore = to(emit('Less', [local, number(size)]), 'float32');
  const inside = emit('Mul', [isFrom, isBefore]);
  const places = emit('Mul', [local, inside]);
  const column = emit('Unsqueeze', [inside, vector(rank + 1)]);
  const axis = { axis: { int: 0 } };
  let sum: string | undefined;
  for (const [i, { weight }] of parts.entries()) {
    const of = (all: string): string => emit('Squeeze', [emit('Slice', [all, vector(i), vector(i + 1), vector(0)]), vector(0)]);
    const last = i === parts.length - 1;
    const rows = emit('Mul', [emit('Gather', [weight.name, to(of(places), 'int32')], axis), of(column)]);
    sum = sum === undefined ? rows : emit('Add', [sum, rows], {}, last ? y : undefined);
  }
}
