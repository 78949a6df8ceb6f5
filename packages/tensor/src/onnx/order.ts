import type { OnnxNode } from './model.js';

/**
 * Orders nodes (given in topological order) so that ONNX Runtime holds little memory: by the longest chain of operations that each
 * needs, the shortest first; but the leaves, whose outputs no node consumes, at the end, those with the longest chain first.
 *
 * ONNX Runtime executes by a depth-first walk from the leaves, beginning with the LAST one in the file, and goes from a node into its
 * producers, the last one first again.
 * - Were the gradient of the first layer the last leaf, its whole ancestry would run first and every other gradient at the very end,
 *   with all activations (recomputed ones as well) still alive. By depth, each gradient runs as soon as the backward pass has come to
 *   its layer, in whatever order the gradients were asked for.
 * - Were a weight's widening to f32 behind what it multiplies, it would run before it: all of them before the first layer, for each
 *   layer needs the one below. By depth, it runs when everything else is there; so does what a backward pass computes again.
 */
export function orderNodes(nodes: readonly OnnxNode[]): OnnxNode[] {
  const consumed = new Set(nodes.flatMap((node) => node.inputs));
  const isLeaf = (node: OnnxNode): boolean => !node.outputs.some((output) => consumed.has(output));
  const depth = depths(nodes);
  // The sorts are stable: of equally deep leaves the earlier one runs first.
  const inner = nodes.filter((node) => !isLeaf(node)).sort((a, b) => depth.get(a)! - depth.get(b)!);
  const leaves = nodes.filter(isLeaf).reverse().sort((a, b) => depth.get(b)! - depth.get(a)!);
  return [...inner, ...leaves];
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
