import { type Dim, evaluate } from './dims.js';
import type { OnnxInitializer, OnnxNode, OnnxValue } from './onnx/model.js';
import type { Port, Program, ValueInfo } from './program.js';
import type { Node, Tensor } from './tensor.js';


/**
 * Makes a program of what the outputs need, and of nothing else: ONNX Runtime would execute unused nodes. `folder` is where
 * mapped weights lie.
 */
export function lower(outputs: Readonly<Record<string, Tensor>>, options: { readonly folder?: string } = {}): Program {
  const needed = reach(Object.values(outputs).map(resolve));
  const claimed = claim(outputs);
  const names = new Map<Tensor, string>();
  const initializers: OnnxInitializer[] = [];
  const byContent = new Map<string, string>();
  const inputs: Port[] = [];
  const sizes: { name: string; values: readonly Dim[] }[] = [];
  const nodes: OnnxNode[] = [];
  const values = new Map<string, ValueInfo>();

  /** Equal constants and equal size vectors are written once. Names made here begin with a colon, which keeps them apart from callers' names. */
  const once = (content: string, prefix: string, make: (name: string) => void): string => {
    const known = byContent.get(content);
    if (known !== undefined) return known;
    const name = `${prefix}${byContent.size}`;
    byContent.set(content, name);
    make(name);
    return name;
  };

  for (const node of needed) {
    const { origin } = node;
    const [value] = node.outputs as [Tensor];
    switch (origin.kind) {
      case 'input': {
        const twin = inputs.find((port) => port.name === origin.name);
        if (twin !== undefined) throw new Error(`Two inputs are named "${origin.name}".`);
        inputs.push({ name: origin.name, dtype: value.dtype, shape: value.shape });
        names.set(value, origin.name);
        break;
      }
      case 'constant': {
        const { data } = origin;
        const content = data instanceof Uint8Array ? Buffer.from(data).toString('base64') : `${data.file}:${data.offset}`;
        names.set(value, once(`${value.dtype}[${value.shape.join()}]${content}`, ':c', (name) => {
          initializers.push({ name, dtype: value.dtype, shape: value.shape.map((d) => evaluate(d, {})), data });
        }));
        break;
      }
      case 'sizes':
        names.set(value, once(`sizes:${origin.values.join()}`, ':sizes', (name) => sizes.push({ name, values: origin.values })));
        break;
      case 'op': {
        for (const o of node.outputs) {
          const name = claimed.get(o) ?? `:t${node.id}${o.index === 0 ? '' : `_${o.index}`}`;
          names.set(o, name);
          values.set(name, { dtype: o.dtype, shape: o.shape });
        }
        nodes.push({
          name: `${origin.op}_${node.id}`,
          op: origin.op,
          domain: origin.domain,
          inputs: node.inputs.map((x) => names.get(resolve(x))!),
          outputs: node.outputs.map((o) => names.get(o)!),
          attributes: origin.attributes,
        });
        break;
      }
      case 'call':
        break;
    }
  }

  const ports: Port[] = [];
  for (const [name, tensor] of Object.entries(outputs)) {
    const source = names.get(resolve(tensor))!;
    if (source !== name) nodes.push({ name: `output_${name}`, op: 'Identity', domain: '', inputs: [source], outputs: [name], attributes: {} });
    values.set(name, { dtype: tensor.dtype, shape: tensor.shape });
    ports.push({ name, dtype: tensor.dtype, shape: tensor.shape });
  }
  const value = (port: Port): OnnxValue => ({ name: port.name, dtype: port.dtype });
  return {
    model: {
      nodes,
      inputs: [...inputs.map(value), ...sizes.map((s): OnnxValue => ({ name: s.name, dtype: 'int64' }))],
      outputs: ports.map(value),
      initializers,
    },
    inputs,
    outputs: ports,
    sizes,
    values,
    ...(options.folder === undefined ? {} : { folder: options.folder }),
  };
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
