import type { OnnxNode } from './model.js';

/**
 * Moves the leaf nodes (those whose outputs no node consumes) to the end, those that need the longest chain of operations first.
 * `nodes` must be in topological order.
 *
 * ONNX Runtime executes by a depth-first walk from the leaves, beginning with the LAST one in the file. Were the gradient of the
 * first layer the last leaf, its whole ancestry would run first and every other gradient at the very end, with all
 * activations (recomputed ones as well) still alive. By depth, each gradient runs as soon as the backward pass has come to its
 * layer, in whatever order the gradients were asked for.
 */
export function orderLeaves(nodes: readonly OnnxNode[]): OnnxNode[] {
  const consumed = new Set(nodes.flatMap((node) => node.inputs));
  const isLeaf = (node: OnnxNode): boolean => !node.outputs.some((output) => consumed.has(output));
  const depth = depths(nodes);
  // The sort is stable: of equally deep leaves the earlier one runs first.
  const leaves = nodes.filter(isLeaf).reverse().sort((a, b) => depth.get(b)! - depth.get(a)!);
  return [...nodes.filter((node) => !isLeaf(node)), ...leaves];
}

/** The longest chain of operations that ends in each node. */
function depths(nodes: readonly OnnxNode[]): Map<OnnxNode, number> {
  const ofValue = new Map<string, number>();
  const ofNode = new Map<OnnxNode, number>();
  for (const node of nodes) {
    const depth = 1 + Math.max(0, ...node.inputs.map((input) => ofValue.get(input) ?? 0));
    ofNode.set(node, depth);
    for (const output of node.outputs) ofValue.set(output, depth);
  }
  return ofNode;
}
