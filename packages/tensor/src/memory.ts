import { Arena, type Chunk } from './arena.js';
import { evaluate } from './dims.js';
import { bytesOf } from './onnx/encode.js';
import type { OnnxNode } from './onnx/model.js';
import type { Program, ValueInfo } from './program.js';
import { elements } from './runtime/arrays.js';
import { prepareForCpu } from './runtime/cpu.js';
import { bindPort, checkComposite, noBindings } from './runtime/ports.js';

/** What running a program takes, in bytes. */
export interface MemoryPrediction {
  /** Intermediate values alive at once, at most. */
  readonly live: number;
  /** What the session's arena then holds resident, and keeps until the session is released: `live` and the gaps between. */
  readonly peak: number;
  /** The node at which `live` is reached. */
  readonly at: string;
  /** Weights that are mapped from files: resident once read, shared by every session. */
  readonly mapped: number;
  /** Inputs, all together: arrays of the caller or of the engine. */
  readonly inputs: number;
  /** Outputs, all together: written straight into arrays, which are not part of `peak`. */
  readonly outputs: number;
}

/**
 * Predicts the memory of a program's runs without running it: follows ONNX Runtime's order of execution, frees each value after
 * its last reader, and lets its arena place what is alive. `shapes` are those of the inputs; only those that say how large a
 * symbol is are needed. Throws when a symbol stays unknown.
 */
export function predictPeak(program: Program, shapes: Readonly<Record<string, readonly number[]>>): MemoryPrediction {
  const bindings = noBindings();
  for (const port of program.inputs) {
    const shape = shapes[port.name];
    if (shape !== undefined) bindPort(port, port.dtype, shape, bindings);
  }
  checkComposite(bindings);
  const bytes = ({ dtype, shape }: ValueInfo): number =>
    bytesOf[dtype] * elements(shape.map((dim) => evaluate(dim, bindings.values)));

  const nodes = executionOrder(prepareForCpu(program.model).nodes);
  const run = simulate(nodes, program, (name) => {
    const value = program.values.get(name);
    return value === undefined ? 0 : bytes(value);
  });
  return {
    ...run,
    mapped: mappedBytes(program),
    inputs: program.inputs.reduce((sum, port) => sum + bytes(port), 0),
    outputs: program.outputs.reduce((sum, port) => sum + bytes(port), 0),
  };
}

/** Kernels whose result is their first input's memory under another shape. */
const ALIASES = new Set(['Reshape', 'Identity', 'Squeeze', 'Unsqueeze']);
/** Runs until the arena has found its form: what is alive at once never changes, but the gaps do. */
const RUNS = 2;

/**
 * Every value that is neither a view nor an output has a buffer of its own from its definition to its last read: ONNX Runtime plans
 * results in place of inputs, and buffers handed on, only where it knows shapes, and programs tell it none.
 */
function simulate(
  nodes: readonly OnnxNode[],
  { outputs }: Program,
  bytesFor: (name: string) => number,
): Pick<MemoryPrediction, 'live' | 'peak' | 'at'> {
  const bound = new Set(outputs.map(({ name }) => name));
  const views = new Map<string, string>();
  const bufferOf = (name: string): string => views.get(name) ?? name;
  const uses = new Map<string, number>();
  for (const node of nodes) {
    const [output] = node.outputs;
    if (ALIASES.has(node.op) && !bound.has(output!)) views.set(output!, bufferOf(node.inputs[0]!));
    for (const name of [...node.inputs, ...node.outputs]) uses.set(bufferOf(name), (uses.get(bufferOf(name)) ?? 0) + 1);
  }
  const arena = new Arena();
  let [live, most, at] = [0, 0, ''];
  for (let run = 0; run < RUNS; run++) {
    const left = new Map(uses);
    const chunks = new Map<string, { readonly chunk: Chunk; readonly bytes: number }>();
    for (const node of nodes) {
      for (const output of node.outputs) {
        if (bound.has(output) || views.has(output)) continue;
        const bytes = bytesFor(output);
        const chunk = arena.allocate(bytes);
        if (chunk === undefined) continue;
        chunks.set(output, { chunk, bytes });
        live += bytes;
      }
      if (live > most) [most, at] = [live, node.name];
      for (const name of [...node.inputs, ...node.outputs]) {
        const buffer = bufferOf(name);
        const rest = left.get(buffer)! - 1;
        left.set(buffer, rest);
        const held = chunks.get(buffer);
        if (rest > 0 || held === undefined) continue;
        arena.release(held.chunk);
        chunks.delete(buffer);
        live -= held.bytes;
      }
    }
  }
  return { live: most, peak: arena.resident, at };
}

/**
 * The order in which ONNX Runtime executes nodes: depth first from the leaves, with those later in the file first, and from each
 * node into its producers, again the later ones first (GraphViewer, ReverseDFSFrom with NodeCompare).
 */
export function executionOrder(nodes: readonly OnnxNode[]): OnnxNode[] {
  const producer = new Map<string, number>();
  nodes.forEach((node, i) => { for (const output of node.outputs) producer.set(output, i); });
  const producers = nodes.map((node) => [...new Set(node.inputs.flatMap((input) => producer.get(input) ?? []))].sort((a, b) => a - b));
  const consumed = new Set(producers.flat());
  const stack = nodes.flatMap((_, i) => (consumed.has(i) ? [] : [i]));
  const seen = new Uint8Array(nodes.length);
  const order: OnnxNode[] = [];
  for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) {
    // A negative entry is a node on the way back: all that it needs has been placed.
    if (entry < 0) {
      order.push(nodes[~entry]!);
    } else if (seen[entry] === 0) {
      seen[entry] = 1;
      stack.push(~entry);
      for (const i of producers[entry]!) if (seen[i] === 0) stack.push(i);
    }
  }
  return order;
}

/** Bytes of files that initializers refer to, each byte once: a matrix may be mapped as a whole and in parts. */
function mappedBytes({ model }: Program): number {
  const places = model.initializers.flatMap(({ data }) => (data instanceof Uint8Array ? [] : [data]));
  places.sort((a, b) => (a.file < b.file ? -1 : Number(a.file > b.file)) || a.offset - b.offset);
  let [bytes, file, end] = [0, '', 0];
  for (const place of places) {
    const from = place.file === file ? Math.max(end, place.offset) : place.offset;
    const to = place.offset + place.length;
    if (place.file !== file) [file, end] = [place.file, 0];
    bytes += Math.max(0, to - from);
    end = Math.max(end, to);
  }
  return bytes;
}
