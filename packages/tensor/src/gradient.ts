import { sameShape, showShape } from './dims.js';
import { add } from './ops/elementwise.js';
import { type Node, type Tensor, keeping, retrace, scalar } from './tensor.js';

/** A value and the derivative of the objective by it. */
export interface Seed {
  readonly of: Tensor;
  readonly derivative: Tensor;
}

/**
 * Derivatives of a scalar (or of Σ seed·value) by each of `wrt`, traced by reverse accumulation. Only nodes on a path from
 * `wrt` to the objective are visited, so frozen parts cost nothing. Undefined where the objective does not depend on it.
 */
export function gradient(objective: Tensor | readonly Seed[], wrt: readonly Tensor[]): (Tensor | undefined)[] {
  return keeping(() => {
    const seeds: readonly Seed[] = Array.isArray(objective) ? (objective as readonly Seed[]) : [unitSeed(objective as Tensor)];
    const active = activeNodes(seeds.map((s) => s.of), wrt);
    const derivatives = new Map<Tensor, Tensor>();
    const accumulate = (x: Tensor, d: Tensor): void => {
      if (!sameShape(x.shape, d.shape))
        throw new Error(`A derivative of shape ${showShape(d.shape)} reached a value of shape ${showShape(x.shape)}.`);
      const sofar = derivatives.get(x);
      derivatives.set(x, sofar === undefined ? d : add(sofar, d));
    };
    for (const seed of seeds) accumulate(seed.of, seed.derivative);

    const kept = recomputer();
    for (const node of active) {
      if (node.gradient === undefined) continue;
      const dOutputs = node.outputs.map((output) => derivatives.get(output));
      if (dOutputs.every((d) => d === undefined)) continue;
      const dInputs = node.gradient({ inputs: node.inputs.map(kept), outputs: node.outputs.map(kept), dOutputs });
      dInputs.forEach((d, i) => {
        const x = node.inputs[i]!;
        if (d !== undefined && (wrt.includes(x) || active.has(x.node))) accumulate(x, d);
      });
    }
    return wrt.map((x) => derivatives.get(x));
  });
}

function unitSeed(objective: Tensor): Seed {
  if (objective.shape.length !== 0)
    throw new Error(`The gradient of a tensor of shape ${showShape(objective.shape)} needs seeds; only a scalar needs none.`);
  return { of: objective, derivative: scalar(1) };
}

/** Nodes between `wrt` and `roots`, latest first (ids grow with creation, so this is a reverse topological order). */
function activeNodes(roots: readonly Tensor[], wrt: readonly Tensor[]): Set<Node> {
  const reachable = new Map<number, Node>();
  const pending = roots.map((r) => r.node);
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (reachable.has(node.id)) continue;
    reachable.set(node.id, node);
    for (const x of node.inputs) pending.push(x.node);
  }
  const ordered = [...reachable.values()].sort((a, b) => a.id - b.id);
  const leaves = new Set(wrt.map((x) => x.node));
  const depends = new Set<Node>();
  for (const node of ordered) if (leaves.has(node) || node.inputs.some((x) => depends.has(x.node))) depends.add(node);
  return new Set([...depends].sort((a, b) => b.id - a.id));
}

/**
 * Gives each value as the backward pass should read it: itself where it is kept, else a copy computed from what is kept (unread
 * copies are never lowered).
 */
function recomputer(): (x: Tensor) => Tensor {
  const copies = new Map<Node, Node>();
  const copyOf = (node: Node): Node => {
    if (!node.recompute || node.inputs.length === 0) return node;
    let copy = copies.get(node);
    if (copy === undefined) {
      copy = retrace(node, node.inputs.map((x) => copyOf(x.node).outputs[x.index]!));
      copies.set(node, copy);
    }
    return copy;
  };
  return (x) => copyOf(x.node).outputs[x.index]!;
}
