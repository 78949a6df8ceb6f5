import { evaluate, showShape } from '../dims.js';
import type { Size } from '../dims.js';
import type { DType } from '../onnx/model.js';
import type { Port } from '../program.js';

/** What fed shapes say about the symbols of a program. Composite dimensions wait until every symbol is known. */
export interface Bindings {
  readonly values: Record<string, number>;
  /** The port that gave each symbol its value, for messages. */
  readonly source: Record<string, string>;
  readonly composite: { readonly port: Port; readonly axis: number; readonly size: Size; readonly shape: readonly number[] }[];
}

export const noBindings = (): Bindings => ({ values: {}, source: {}, composite: [] });
export const copyOf = (b: Bindings): Bindings => ({ values: { ...b.values }, source: { ...b.source }, composite: [...b.composite] });

/** Matches what is fed to an input with its port and adds the symbols that this binds. */
export function bindPort(port: Port, dtype: DType, shape: readonly number[], into: Bindings): void {
  if (dtype !== port.dtype || shape.length !== port.shape.length) throw mismatch('Input', port, dtype, shape);
  for (const [axis, dim] of port.shape.entries()) {
    const given = shape[axis]!;
    const symbol = typeof dim === 'number' ? undefined : dim.symbolName;
    if (typeof dim === 'number') {
      if (given !== dim) throw mismatch('Input', port, dtype, shape, `dimension ${axis} is ${given}, not ${dim}`);
    } else if (symbol === undefined) {
      into.composite.push({ port, axis, size: dim, shape });
    } else if (into.values[symbol] === undefined) {
      into.values[symbol] = given;
      into.source[symbol] = port.name;
    } else if (into.values[symbol] !== given) {
      throw mismatch(
        'Input',
        port,
        dtype,
        shape,
        `dimension ${axis} is ${given}, but "${symbol}" is ${into.values[symbol]} in "${into.source[symbol]}"`,
      );
    }
  }
}

/** Checks the dimensions that are more than one symbol, such as `batch*length`. */
export function checkComposite({ values, composite }: Bindings): void {
  for (const { port, axis, size, shape } of composite) {
    const expected = evaluate(size, values);
    if (shape[axis] !== expected)
      throw mismatch('Input', port, port.dtype, shape, `dimension ${axis} is ${shape[axis]}, but "${size}" is ${expected}`);
  }
}

/** Checks the place given for an output, whose shape is known by now. */
export function checkOutput(port: Port, expected: readonly number[], dtype: DType, shape: readonly number[]): void {
  if (dtype === port.dtype && shape.length === expected.length && shape.every((dim, i) => dim === expected[i])) return;
  throw mismatch('Output', port, dtype, shape, `it will be ${port.dtype} ${showShape(expected)} in this run`);
}

function mismatch(side: 'Input' | 'Output', port: Port, dtype: DType, shape: readonly number[], why?: string): Error {
  return new Error(
    `${side} "${port.name}" is ${port.dtype} ${showShape(port.shape)}, but was given ${dtype} ` +
    `${showShape(shape)}${why === undefined ? '' : `: ${why}`}.`,
  );
}
