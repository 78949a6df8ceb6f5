import type { FloatType } from '../floats.js';
import type { Program } from '../program.js';
import type { Attribute, DType, OnnxModel, OnnxNode } from './model.js';
import { onnxType } from './encode.js';
import { orderNodes } from './order.js';
import { attentionOverCache } from './webgpu-attention.js';
import { type Draft, draftOf } from './webgpu-draft.js';
import { pickRows, tableParts } from './webgpu-table.js';
import type { DeviceWeight } from './webgpu-weight.js';

/** What the WebGPU back end compiles. */
export interface WebgpuModel {
  readonly model: OnnxModel;
  /** Inputs of the model beside the program's own. */
  readonly weights: readonly DeviceWeight[];
  /** The program's size vectors, and more. */
  readonly sizes: Program['sizes'];
  /** The type of a value of the model. */
  dtypeOf(name: string): DType;
}

/**
 * The program in operations that ONNX Runtime 1.30 has for WebGPU, and has right. Inputs and outputs stay as they are.
 * - `FusedMatMul` has no kernel: `Gemm`, or `Transpose` and `MatMul`.
 * - `SimplifiedLayerNormalization` gives a wrong second output (1/rms), which gradients read: elementary operations.
 * - `LogSoftmax` and `Sign` have no kernels: likewise.
 * - `Softmax` and `ReduceMax` refuse a matrix without rows, which the pieces of a small batch may be: it gets one.
 * - `GroupQueryAttention` is wrong for 32 new positions and more where a GPU's subgroups are small: elementary operations.
 * - `Concat` and `Split` lack bool, `TopK` int64: they work on float32.
 * - A shader reads and writes few buffers: a `Split` into many is a `Slice` for each.
 * - A buffer may not be as large as embeddings are: rows are picked of the parts that a head is worked through in.
 * - Not every device has 16-bit floats, and none has bfloat16: weights are float32 there, and their widening falls away.
 *
 * @param how.weights `device`: frozen weights become inputs, which the back end feeds. `stay`: they remain initializers, as they are in
 *   their file; for CUDA, which takes them so, and for which operations that are right everywhere are the safe choice. Default: `device`.
 */
export function prepareForWebgpu(program: Program, how: { readonly weights: 'device' | 'stay' } = { weights: 'device' }): WebgpuModel {
  const { model } = program;
  const draft = draftOf(program);
  const { initializers, weights } = draft;
  for (const initializer of model.initializers) {
    const { name, dtype, shape, data } = initializer;
    if (how.weights === 'stay' || !isFloat(dtype) || data instanceof Uint8Array) {
      initializers.push(initializer);
      continue;
    }
    const weight = { name, dtype, shape, data };
    const parts = tableParts(model, weight, draft.dtypeOf);
    if (parts !== undefined) draft.tables.set(name, parts);
    weights.push(...parts?.map((part) => part.weight) ?? [weight]);
    if (SIXTEEN_BITS.has(dtype)) draft.widened.add(name);
  }
  for (const node of model.nodes) addNode(draft, node);
  return {
    model: {
      nodes: orderNodes(draft.nodes),
      inputs: [
        ...model.inputs,
        ...draft.sizes.slice(program.sizes.length).map(({ name }) => ({ name, dtype: 'int64' }) as const),
        ...weights.map(({ name }) => ({ name, dtype: 'float32' }) as const),
      ],
      outputs: model.outputs,
      initializers,
    },
    weights,
    sizes: draft.sizes,
    // What was made up here is float32, but for the constants.
    dtypeOf: (name) => (draft.widened.has(name) ? 'float32' : draft.dtypeOf(name) ?? 'float32'),
  };
}

const SIXTEEN_BITS: ReadonlySet<DType | undefined> = new Set(['float16', 'bfloat16']);
const isFloat = (dtype: DType): dtype is FloatType => dtype === 'float32' || SIXTEEN_BITS.has(dtype);

function addNode(draft: Draft, given: OnnxNode): void {
  const { same, widened, dtypeOf, outputs } = draft;
  const node = { ...given, inputs: given.inputs.map((name) => same.get(name) ?? name) };
  const [input, output] = [node.inputs[0]!, node.outputs[0]!];
  if (node.op === 'Cast' && widened.has(input) && dtypeOf(output) === 'float32' && !outputs.has(output)) {
    same.set(output, input);
    return;
  }
  if (node.inputs.some((name) => widened.has(name))) {
    for (const name of node.outputs) if (SIXTEEN_BITS.has(dtypeOf(name))) widened.add(name);
  }
  const rewrite = REWRITES[node.op];
  if (rewrite === undefined || !rewrite(draft, node)) draft.nodes.push(node);
}

/** Adds other nodes in a node's place; false where the node may stay as it is. */
type Rewrite = (draft: Draft, node: OnnxNode) => boolean;

const REWRITES: Readonly<Record<string, Rewrite>> = {
  FusedMatMul(draft, { inputs: [a, b], outputs: [y], attributes }) {
    const { emit, shapeOf, number } = draft;
    const { transA, transB } = attributes as { transA: { int: number }; transB: { int: number } };
    const { float: alpha } = attributes['alpha'] as { float: number };
    if (shapeOf(a!).length === 2 && shapeOf(b!).length === 2) {
      emit('Gemm', [a!, b!], { transA, transB, alpha: { float: alpha } }, y);
      return true;
    }
    const factors = [transA.int === 1 ? turned(draft, a!) : a!, transB.int === 1 ? turned(draft, b!) : b!];
    if (alpha === 1) emit('MatMul', factors, {}, y);
    else emit('Mul', [emit('MatMul', factors), number(alpha)], {}, y);
    return true;
  },
  SimplifiedLayerNormalization(draft, { inputs: [x, w], outputs: [y, reciprocal], attributes }) {
    const { emit, number, vector, shapeOf } = draft;
    const { float: epsilon } = attributes['epsilon'] as { float: number };
    const squares = emit('ReduceMean', [emit('Mul', [x!, x!]), vector(shapeOf(x!).length - 1)], KEEP);
    const scale = emit('Reciprocal', [emit('Sqrt', [emit('Add', [squares, number(epsilon)])])], {}, reciprocal);
    emit('Mul', [emit('Mul', [x!, scale]), w!], {}, y);
    return true;
  },
  Gather(draft, { inputs: [table, ids], outputs: [y] }) {
    const parts = draft.tables.get(table!);
    if (parts !== undefined) pickRows(draft, parts, ids!, y!);
    return parts !== undefined;
  },
  GroupQueryAttention(draft, node) {
    attentionOverCache(draft, node);
    return true;
  },
  LogSoftmax(draft, { inputs: [x], outputs: [y] }) {
    const { emit, vector, shapeOf } = draft;
    const axis = vector(shapeOf(x!).length - 1);
    const shifted = emit('Sub', [x!, withRows(draft, 'ReduceMax', [x!, axis], KEEP)]);
    emit('Sub', [shifted, emit('Log', [emit('ReduceSum', [emit('Exp', [shifted]), axis], KEEP)])], {}, y);
    return true;
  },
  Softmax(draft, { inputs, outputs: [y], attributes }) {
    withRows(draft, 'Softmax', inputs, attributes, y);
    return true;
  },
  ReduceMax(draft, { inputs, outputs: [y], attributes }) {
    withRows(draft, 'ReduceMax', inputs, attributes, y);
    return true;
  },
  Sign(draft, { inputs: [x], outputs: [y] }) {
    const { emit, number } = draft;
    const is = (comparison: string): string => toType(draft, emit(comparison, [x!, number(0)]), 'float32');
    emit('Sub', [is('Greater'), is('Less')], {}, y);
    return true;
  },
  Split(draft, { name, inputs: [x], outputs, attributes }) {
    const { emit, shapeOf, vector, dtypeOf } = draft;
    const isBool = dtypeOf(x!) === 'bool';
    if (outputs.length <= MOST_OUTPUTS && !isBool) return false;
    const { int: axis } = attributes['axis'] as { int: number };
    const whole = isBool ? toType(draft, x!, 'float32') : x!;
    let at = 0;
    for (const output of outputs) {
      const size = shapeOf(output)[axis]!;
      if (typeof size !== 'number')
        throw new Error(`${name} makes ${outputs.length} parts of unknown sizes; WebGPU takes ${MOST_OUTPUTS}.`);
      const bounds = [vector(at), vector(at + size), vector(axis)];
      if (isBool) toType(draft, emit('Slice', [whole, ...bounds]), 'bool', output);
      else emit('Slice', [whole, ...bounds], {}, output);
      at += size;
    }
    return true;
  },
  Concat(draft, { inputs, outputs: [y], attributes }) {
    if (draft.dtypeOf(y!) !== 'bool') return false;
    toType(draft, draft.emit('Concat', inputs.map((x) => toType(draft, x, 'float32')), attributes), 'bool', y);
    return true;
  },
  TopK({ nodes, emit, number, vector, dtypeOf }, { name, inputs: [x, k], outputs, attributes }) {
    if (dtypeOf(x!) !== 'int64') return false;
    // Only `sort` has these: x are places, 0 to k − 1, each of whose numbers is looked up among 0, 1, … as float32.
    const counted = emit('CumSum', [emit('Expand', [number(1), k!]), vector(0)], { exclusive: { int: 1 } });
    nodes.push({ name, op: 'TopK', domain: '', inputs: [emit('Gather', [counted, x!], { axis: { int: 0 } }), k!], outputs, attributes });
    return true;
  },
};

const toType = ({ emit }: Draft, x: string, dtype: DType, name?: string): string =>
  emit('Cast', [x], { to: { int: onnxType[dtype] } }, name);

/** Buffers that every device lets a shader use beside the one that is split: WebGPU guarantees 8. */
const MOST_OUTPUTS = 7;

/** The last two axes swapped. */
function turned({ emit, shapeOf }: Draft, x: string): string {
  const rank = shapeOf(x).length;
  const perm: Attribute = { ints: [...Array.from({ length: rank - 2 }, (_, i) => i), rank - 1, rank - 2] };
  return emit('Transpose', [x], { perm });
}

const KEEP: OnnxNode['attributes'] = { keepdims: { int: 1 } };

/**
 * An operation by rows which refuses none. A matrix that may have none gets a row of zeros below it, and the result is without it; the
 * matrix with that row is kept for the next operation on it. Where there are more axes there are rows: that is
 * attention.
 */
function withRows(draft: Draft, op: string, [x, ...more]: readonly string[], attributes: OnnxNode['attributes'], y?: string): string {
  const { emit, vector, number, shapeOf, padded } = draft;
  const shape = shapeOf(x!);
  const [rows, columns] = shape;
  if (shape.length !== 2 || (typeof rows === 'number' && rows > 0) || typeof columns !== 'number')
    return emit(op, [x!, ...more], attributes, y);
  let taller = padded.get(x!);
  if (taller === undefined) {
    const row = emit('Expand', [number(0), vector(1, columns)]);
    padded.set(x!, taller = emit('Concat', [x!, row], { axis: { int: 0 } }));
  }
  const result = emit(op, [taller, ...more], attributes);
  const cut = emit('Slice', [result, vector(0), vector(-1), vector(0)], {}, y);
  padded.set(cut, result);
  return cut;
}
