import { encodeModel } from '../onnx/encode.js';
import type { OnnxModel, OnnxNode } from '../onnx/model.js';
import type { WebgpuModel } from '../onnx/webgpu.js';

/** Says of a model's bytes whether the device takes them. */
export type Takes = (bytes: Uint8Array) => Promise<boolean>;

/** What ONNX Runtime says where a node would run on the CPU; it does not say which. */
export const FELL_BACK = /fallback to CPU EP has been explicitly disabled/;

/**
 * The kinds of nodes that a device has no kernel for, in words: operation, types, and how many there are. Each kind is compiled alone; the
 * answer is empty where each alone is taken.
 */
export async function unplaced(prepared: WebgpuModel, takes: Takes): Promise<string[]> {
  const kinds = new Map<string, OnnxNode[]>();
  for (const node of prepared.model.nodes) {
    const kind = describe(node, prepared);
    kinds.set(kind, [...(kinds.get(kind) ?? []), node]);
  }
  const found: string[] = [];
  for (const [kind, [first, ...more]] of kinds) {
    if (await takes(encodeModel(alone(first!, prepared)))) continue;
    found.push(more.length === 0 ? `${kind}: ${first!.name}` : `${kind}: ${first!.name} and ${more.length} more`);
  }
  return found;
}

const describe = ({ op, inputs, outputs }: OnnxNode, { dtypeOf }: WebgpuModel): string =>
  `${op} ${inputs.filter((name) => name !== '').map(dtypeOf).join(', ')} → ${outputs.map(dtypeOf).join(', ')}`;

/** A model of one node. Constants of the program stay constants: some kernels want that. */
function alone(node: OnnxNode, { model, dtypeOf }: WebgpuModel): OnnxModel {
  const names = [...new Set(node.inputs.filter((name) => name !== ''))];
  const initializers = model.initializers.filter(({ name, data }) => names.includes(name) && data instanceof Uint8Array);
  const value = (name: string) => ({ name, dtype: dtypeOf(name) });
  return {
    nodes: [node],
    inputs: names.filter((name) => !initializers.some((one) => one.name === name)).map(value),
    outputs: node.outputs.filter((name) => name !== '').map(value),
    initializers,
  };
}
