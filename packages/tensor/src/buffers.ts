import { bytesOf } from './onnx/encode.js';
import type { OnnxNode } from './onnx/model.js';
import type { Program } from './program.js';

/** Which values share a buffer, decided before any run, as ONNX Runtime's allocation planner does. */
export interface BufferPlan {
  /** The value whose buffer this value lies in: itself, unless it reuses another's. */
  bufferOf(name: string): string;
  /** Values that get a buffer of their own in the arena. */
  readonly allocated: ReadonlySet<string>;
  /** Definitions and reads of all values that lie in a buffer: after so many it is given back. */
  readonly uses: ReadonlyMap<string, number>;
}

/** Kernels whose result is their first input's memory under another shape. */
const ALIASES = new Set(['Reshape', 'Identity', 'Squeeze', 'Unsqueeze']);
/** Kernels that may write over their first input when they are its last reader. Add, Sub, Mul and Div are not among them. */
const IN_PLACE = new Set(['Cast', 'Clip', 'Relu', 'Sigmoid', 'Tanh', 'Softplus']);

/**
 * Plans buffers for nodes in order of execution. Outputs of the program lie in arrays of the caller. Where the planner knows shapes, symbolic
 * ones included (`shapesKnown`: the model lists its values), a value takes the buffer of an equally shaped one that is not needed
 * any more; that buffer then stays allocated from its first use to its last. Without, shapes behind a reshape to fed sizes are
 * unknown to it and nearly every value gets a buffer of its own.
 */
export function planBuffers(nodes: readonly OnnxNode[], { outputs, values }: Pick<Program, 'outputs' | 'values'>, shapesKnown: boolean): BufferPlan {
  const bound = new Set(outputs.map(({ name }) => name));
  const buffers = new Map<string, string>();
  const bufferOf = (name: string): string => buffers.get(name) ?? name;
  const uses = new Map<string, number>();
  const count = (name: string, n: number): void => void uses.set(name, (uses.get(name) ?? 0) + n);
  for (const node of nodes) for (const name of [...node.inputs, ...node.outputs]) count(name, 1);
  // What is fed, mapped or returned is never given back.
  const defined = new Set(nodes.flatMap((node) => node.outputs));
  for (const name of uses.keys()) if (!defined.has(name) || bound.has(name)) count(name, 1);

  const left = new Map(uses);
  const allocated = new Set<string>();
  const free = new Map<string, string[]>();
  const kindOf = (name: string): string | undefined => {
    const value = shapesKnown ? values.get(name) : undefined;
    return value === undefined || value.shape.length === 0 ? undefined : `${bytesOf[value.dtype]}:${value.shape.join()}`;
  };
  const choose = (node: OnnxNode, output: string): string | undefined => {
    const [first] = node.inputs;
    if (first !== undefined && output === node.outputs[0]) {
      if (ALIASES.has(node.op)) return first;
      const kind = kindOf(first);
      if (IN_PLACE.has(node.op) && left.get(bufferOf(first)) === 1 && kind !== undefined && kind === kindOf(output)) return first;
    }
    const kind = kindOf(output);
    return kind === undefined ? undefined : free.get(kind)?.pop();
  };
  for (const node of nodes) {
    for (const output of node.outputs) {
      if (output === '' || bound.has(output)) continue;
      const reused = choose(node, output);
      if (reused === undefined) {
        allocated.add(output);
        continue;
      }
      const buffer = bufferOf(reused);
      buffers.set(output, buffer);
      left.set(buffer, left.get(buffer)! + left.get(output)!);
      uses.set(buffer, uses.get(buffer)! + uses.get(output)!);
    }
    for (const name of [...node.inputs, ...node.outputs]) {
      const buffer = bufferOf(name);
      const rest = left.get(buffer)! - 1;
      left.set(buffer, rest);
      const kind = rest === 0 ? kindOf(buffer) : undefined;
      if (kind === undefined) continue;
      const stack = free.get(kind);
      if (stack === undefined) free.set(kind, [buffer]);
      else stack.push(buffer);
    }
  }
  return { bufferOf, allocated, uses };
}
