/** A small multilayer perceptron in float64, with its exact gradient: input → tanh layers → one number for each action. */
import { createRandom } from '../run/random.js';

/** How many numbers go in, how wide the tanh layers are, and how many numbers come out. */
export interface NetworkShape {
  readonly inputs: number;
  readonly hidden: readonly number[];
  readonly outputs: number;
}

/** A layer's place among the parameters: W [out, in] by rows, then the bias [out]. */
interface Layer {
  readonly weights: number;
  readonly bias: number;
  readonly from: number;
  readonly to: number;
}

function layersOf({ inputs, hidden, outputs }: NetworkShape): readonly Layer[] {
  const sizes = [inputs, ...hidden, outputs];
  let at = 0;
  return sizes.slice(1).map((to, i) => {
    const from = sizes[i]!;
    const layer = { weights: at, bias: at + from * to, from, to };
    at += (from + 1) * to;
    return layer;
  });
}

/** How many parameters a network of this shape has. */
export const sizeOf = (shape: NetworkShape): number => layersOf(shape).reduce((sum, { from, to }) => sum + (from + 1) * to, 0);

/**
 * Parameters to begin with. The tanh layers are drawn from N(0, 1 / inputs of the layer); the last layer is 0 and its bias is log `prior`,
 * so that the softmax of the outputs is the prior whatever goes in.
 *
 * @param prior A probability for each output.
 */
export function initialNetwork(shape: NetworkShape, prior: readonly number[], seed: number): Float64Array {
  const parameters = new Float64Array(sizeOf(shape));
  const layers = layersOf(shape);
  const random = createRandom('network', seed);
  for (const { weights, bias, from } of layers.slice(0, -1)) {
    for (let i = weights; i < bias; i++) parameters[i] = random.normal() / Math.sqrt(from);
  }
  const { bias } = layers.at(-1)!;
  prior.forEach((p, a) => { parameters[bias + a] = Math.log(p); });
  return parameters;
}

/** What each layer gives, the input first and the outputs last. */
export function forward(shape: NetworkShape, parameters: Float64Array, input: ArrayLike<number>): Float64Array[] {
  const layers = layersOf(shape);
  const values = [Float64Array.from(input)];
  for (const [i, { weights, bias, from, to }] of layers.entries()) {
    const x = values[i]!;
    const y = new Float64Array(to);
    for (let row = 0; row < to; row++) {
      let sum = parameters[bias + row]!;
      for (let k = 0; k < from; k++) sum += parameters[weights + row * from + k]! * x[k]!;
      y[row] = i < layers.length - 1 ? Math.tanh(sum) : sum;
    }
    values.push(y);
  }
  return values;
}

/**
 * Adds the gradient of a loss to `into`, by backpropagation.
 *
 * @param values What `forward` gave.
 * @param outputs The derivative of the loss by each output.
 */
export function backward(
  shape: NetworkShape, parameters: Float64Array, values: readonly Float64Array[], outputs: Float64Array, into: Float64Array,
): void {
  const layers = layersOf(shape);
  let delta = outputs;
  for (let i = layers.length - 1; i >= 0; i--) {
    const { weights, bias, from, to } = layers[i]!;
    const x = values[i]!;
    const before = new Float64Array(from);
    for (let row = 0; row < to; row++) {
      const d = delta[row]!;
      into[bias + row]! += d;
      for (let k = 0; k < from; k++) {
        into[weights + row * from + k]! += d * x[k]!;
        before[k]! += d * parameters[weights + row * from + k]!;
      }
    }
    // x is a tanh, whose derivative is 1 − x².
    delta = before.map((d, k) => d * (1 - x[k]! * x[k]!));
  }
}

/** The network with one more input, which has no effect yet: the weights of the new input are 0. */
export function widenInput(shape: NetworkShape, parameters: Float64Array, by = 1): { shape: NetworkShape; parameters: Float64Array } {
  const { from, to, bias } = layersOf(shape)[0]!;
  const wide = { ...shape, inputs: from + by };
  const widened = new Float64Array(sizeOf(wide));
  for (let row = 0; row < to; row++) widened.set(parameters.subarray(row * from, (row + 1) * from), row * (from + by));
  widened.set(parameters.subarray(bias), (from + by) * to);
  return { shape: wide, parameters: widened };
}
