import type { OnnxNode } from './model.js';

/**
 * Moves the leaf nodes (those whose outputs no node consumes) to the end, in reversed order.
 *
 * ONNX Runtime executes by a depth-first walk from the leaves, beginning with the LAST one in the file. Emitted as traced,
 * the last gradient's whole ancestry would run first and every other gradient at the very end, with all activations
 * still alive. Reversed, the earliest leaf runs first, which is the order of the trace.
 */
export function orderLeaves(nodes: readonly OnnxNode[]): OnnxNode[] {
  const consumed = new Set(nodes.flatMap((node) => node.inputs));
  const isLeaf = (node: OnnxNode): boolean => !node.outputs.some((output) => consumed.has(output));
  return [...nodes.filter((node) => !isLeaf(node)), ...nodes.filter(isLeaf).reverse()];
}
