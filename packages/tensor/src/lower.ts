import { type Dim, evaluate } from './dims.js';
import type { OnnxInitializer, OnnxNode, OnnxValue } from './onnx/model.js';
import type { Port, Program, ValueInfo } from './program.js';
import type { Node, Origin, Tensor } from './tensor.js';

/**
 * Makes a program of what the outputs need, and of nothing else: ONNX Runtime would execute unused nodes. `folder` is where
 * mapped weights lie.
 */
export function lower(outputs: Readonly<Record<string, Tensor>>, options: { readonly folder?: string } = {}): Program {
  const draft: Draft = {
    claimed: claim(outputs),
    names: new Map(),
    byContent: new Map(),
    inputs: [],
    initializers: [],
    sizes: [],
    nodes: [],
    values: new Map(),
  };
  for (const node of reach(Object.values(outputs).map(resolve))) addNode(draft, node);
  const ports = Object.entries(outputs).map(([name, tensor]) => addOutput(draft, name, tensor));
  const { inputs, initializers, sizes, nodes, values } = draft;
  const value = ({ name, dtype }: Port): OnnxValue => ({ name, dtype });
  return {
    model: {
      nodes,
      inputs: [...inputs.map(value), ...sizes.map(({ name }): OnnxValue => ({ name, dtype: 'int64' }))],
      outputs: ports.map(value),
      initializers,
    },
    inputs,
    outputs: ports,
    sizes,
    values,
    folder: options.folder,
  };
}

/** A program in the making. Names made here begin with a colon, which keeps them apart from callers' names. */
interface Draft {
  /** Names that results carry because they are outputs. */
  readonly claimed: ReadonlyMap<Tensor, string>;
  /** What each value is called. */
  readonly names: Map<Tensor, string>;
  /** What constants and size vectors are called, by what they hold. */
  readonly byContent: Map<string, string>;
  readonly inputs: Port[];
  readonly initializers: OnnxInitializer[];
  readonly sizes: { readonly name: string; readonly values: readonly Dim[] }[];
  readonly nodes: OnnxNode[];
  readonly values: Map<string, ValueInfo>;
}

type Of<Kind extends Origin['kind']> = Extract<Origin, { readonly kind: Kind }>;

function addNode(draft: Draft, node: Node): void {
  const { origin } = node;
  switch (origin.kind) {
    case 'input': return addInput(draft, node, origin);
    case 'constant': return addConstant(draft, node, origin);
    case 'sizes': return addSizes(draft, node, origin);
    case 'op': return addOperation(draft, node, origin);
    case 'call': return; // seen through: what it stands for has been added
  }
}

function addInput({ inputs, names }: Draft, node: Node, { name }: Of<'input'>): void {
  if (inputs.some((port) => port.name === name)) throw new Error(`Two inputs are named "${name}".`);
  const value = valueOf(node);
  inputs.push({ name, dtype: value.dtype, shape: value.shape });
  names.set(value, name);
}

function addConstant(draft: Draft, node: Node, { data }: Of<'constant'>): void {
  const value = valueOf(node);
  const content = data instanceof Uint8Array ? contentOf(data, node) : `${data.file}:${data.offset}`;
  draft.names.set(value, once(draft, `${value.dtype}[${value.shape.join()}]${content}`, ':c', (name) => {
    draft.initializers.push({ name, dtype: value.dtype, shape: value.shape.map((d) => evaluate(d, {})), data });
  }));
}

/** Small constants with the same bytes are one; large ones are not compared. */
const contentOf = (data: Uint8Array, { id }: Node): string =>
  (data.byteLength > LARGE ? `of node ${id}` : Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'));
const LARGE = 4096;

function addSizes(draft: Draft, node: Node, { values }: Of<'sizes'>): void {
  draft.names.set(valueOf(node), once(draft, `sizes:${values.join()}`, ':sizes', (name) => draft.sizes.push({ name, values })));
}

function addOperation({ claimed, names, values, nodes }: Draft, node: Node, { op, domain, attributes }: Of<'op'>): void {
  for (const o of node.outputs) {
    const name = claimed.get(o) ?? `:t${node.id}${o.index === 0 ? '' : `_${o.index}`}`;
    names.set(o, name);
    values.set(name, { dtype: o.dtype, shape: o.shape });
  }
  nodes.push({
    name: `${op}_${node.id}`,
    op,
    domain,
    inputs: node.inputs.map((x) => names.get(resolve(x))!),
    outputs: node.outputs.map((o) => names.get(o)!),
    attributes,
  });
}

/** An output under its public name, which its value may have already. */
function addOutput({ names, values, nodes }: Draft, name: string, tensor: Tensor): Port {
  const { dtype, shape } = tensor;
  const source = names.get(resolve(tensor))!;
  if (source !== name)
    nodes.push({ name: `output_${name}`, op: 'Identity', domain: '', inputs: [source], outputs: [name], attributes: {} });
  values.set(name, { dtype, shape });
  return { name, dtype, shape };
}

/** The value of a leaf. */
const valueOf = (leaf: Node): Tensor => leaf.outputs[0]!;

/**
 * Equal constants and equal size vectors are written once: the name of what holds `content`, which `make` writes where there is
 * none yet.
 */
function once({ byContent }: Draft, content: string, prefix: string, make: (name: string) => void): string {
  const known = byContent.get(content);
  if (known !== undefined) return known;
  const name = `${prefix}${byContent.size}`;
  byContent.set(content, name);
  make(name);
  return name;
}

/** Results of operations carry their public names; an input, a constant or a second name for one value needs an Identity. */
function claim(outputs: Readonly<Record<string, Tensor>>): Map<Tensor, string> {
  const names = new Map<Tensor, string>();
  for (const [name, tensor] of Object.entries(outputs)) {
    const value = resolve(tensor);
    if (value.node.origin.kind === 'op' && !names.has(value)) names.set(value, name);
  }
  return names;
}

/** The value that an operation produced, seen through calls. */
function resolve(x: Tensor): Tensor {
  let value = x;
  while (value.node.origin.kind === 'call') value = value.node.origin.values[value.index]!;
  return value;
}

/** Every node that the values need, in the order of tracing (which is topological). */
function reach(values: readonly Tensor[]): Node[] {
  const seen = new Map<number, Node>();
  const pending = values.map((v) => v.node);
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (seen.has(node.id)) continue;
    seen.set(node.id, node);
    for (const x of node.inputs) pending.push(resolve(x).node);
  }
  return [...seen.values()].sort((a, b) => a.id - b.id);
}
