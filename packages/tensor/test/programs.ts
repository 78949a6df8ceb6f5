import type { Shape } from '../src/dims.js';
import type { Attribute, DType, OnnxInitializer, OnnxNode } from '../src/onnx/model.js';
import type { Port, Program } from '../src/program.js';

/** Programs written by hand, so that these tests need nothing of the trace. */
export const port = (name: string, dtype: DType, shape: Shape): Port => ({ name, dtype, shape });

export const node = (
  op: string,
  inputs: string[],
  output: string | string[],
  attributes: Record<string, Attribute> = {},
  domain: OnnxNode['domain'] = '',
): OnnxNode => {
  const outputs = typeof output === 'string' ? [output] : output;
  return { name: `n_${outputs[0]}`, op, domain, inputs, outputs, attributes };
};

export function program(parts: {
  nodes: OnnxNode[]; inputs: Port[]; outputs: Port[]; sizes?: Program['sizes']; initializers?: OnnxInitializer[]; folder?: string;
}): Program {
  const { nodes, inputs, outputs, sizes = [], initializers = [], folder } = parts;
  const value = ({ name, dtype, shape }: Port) => ({
    name,
    dtype,
    shape: shape.map((dim) => (typeof dim === 'number' ? dim : String(dim))),
  });
  return {
    model: {
      nodes, initializers,
      inputs: [...inputs.map(value), ...sizes.map(({ name, values }) => ({ name, dtype: 'int64' as const, shape: [values.length] }))],
      outputs: outputs.map(value),
    },
    inputs, outputs, sizes, folder,
    values: new Map(),
  };
}
