import type { Shape } from '../src/dims.js';
import { gradient } from '../src/gradient.js';
import { lower } from '../src/lower.js';
import type { DType } from '../src/onnx/model.js';
import type { Engine, Feed, HostArray } from '../src/runtime/engine.js';
import { type Tensor, input } from '../src/tensor.js';

/** Values for one input; `dims` may name symbolic dimensions where `shape` has their sizes (default: `shape`). */
export interface Given {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly dims?: Shape;
  readonly data: readonly number[];
}

export type Build = (...inputs: Tensor[]) => Tensor;

export function hostArray(dtype: DType, data: readonly number[]): HostArray {
  if (dtype === 'float32') return Float32Array.from(data);
  if (dtype === 'int32') return Int32Array.from(data);
  if (dtype === 'int64') return BigInt64Array.from(data, BigInt);
  return Uint8Array.from(data);
}

const feedOf = ({ dtype, shape, data }: Given): Feed => ({ data: hostArray(dtype, data), shape });
const named = (inputs: readonly Given[]): Tensor[] => inputs.map(({ dtype, dims, shape }, i) => input(`x${i}`, dims ?? shape, dtype));

/** Value of `build` and derivatives of Σ seed·value by every input (undefined where none flows), as the engine computes them. */
export async function valueAndGradients(
  engine: Engine,
  build: Build,
  inputs: readonly Given[],
  seed: Pick<Given, 'shape' | 'data'>,
): Promise<{
  readonly shape: readonly number[];
  readonly value: Float32Array;
  readonly gradients: readonly (Float32Array | undefined)[];
}> {
  const xs = named(inputs);
  const y = build(...xs);
  const derivatives = gradient([{ of: y, derivative: input('seed', y.shape) }], xs);
  const { run, release } = await compile(engine, {
    y,
    ...Object.fromEntries(derivatives.flatMap((d, i) => (d === undefined ? [] : [[`d${i}`, d]]))),
  });
  const results = await run(inputs, { ...seed, dtype: 'float32' });
  await release();
  return {
    shape: results.y!.shape,
    value: results.y!.data as Float32Array,
    gradients: xs.map((_, i) => results[`d${i}`]?.data as Float32Array | undefined),
  };
}

/** A program that is fed those of the inputs which it uses. */
async function compile(engine: Engine, outputs: Readonly<Record<string, Tensor>>) {
  const session = await engine.compile(lower(outputs));
  const used = new Set(session.program.inputs.map(({ name }) => name));
  const feeds = (values: readonly Given[], seed: Given | undefined): Record<string, Feed> =>
    Object.fromEntries([...values, ...(seed === undefined ? [] : [seed])]
      .map((given, i) => [i < values.length ? `x${i}` : 'seed', feedOf(given)] as const).filter(([name]) => used.has(name)));
  return { run: (values: readonly Given[], seed?: Given) => session.run(feeds(values, seed)), release: () => session.release() };
}

/**
 * Compares the traced gradient of Σ seed·build(inputs) with central differences of the engine's own values, summed in float64,
 * along a few directions of each input. Returns the largest error by input, divided by the length of that input's gradient (or
 * 1 if that is larger); undefined where the gradient is. A step changes no element by more than 1/256 of the
 * largest, which costs some 1e-4 of precision: keep kinks farther away than that.
 */
export async function checkGradient(
  engine: Engine,
  build: Build,
  inputs: readonly Given[],
  directions = 3,
): Promise<(number | undefined)[]> {
  const { run, release } = await compile(engine, { y: build(...named(inputs)) });
  const { data, shape } = (await run(inputs)).y!;
  const seed = Float32Array.from({ length: data.length }, (_, i) => Math.sin(3 * i + 1));
  const objective = async (values: readonly Given[]): Promise<number> =>
    ((await run(values)).y!.data as Float32Array).reduce((total, v, i) => total + v * seed[i]!, 0);
  const { gradients } = await valueAndGradients(engine, build, inputs, { shape, data: [...seed] });
  const errors: (number | undefined)[] = [];
  for (const [i, given] of inputs.entries()) {
    const analytic = gradients[i];
    if (analytic === undefined) {
      errors.push(undefined);
      continue;
    }
    const scale = Math.max(1, Math.hypot(...analytic));
    const step = 2 ** -8 * (Math.max(...given.data.map(Math.abs)) || 1);
    let worst = 0;
    for (let k = 1; k <= directions; k++) {
      const low = given.data.map((x, j) => Math.fround(x - step * Math.cos(7 * k * (j + 1))));
      const high = given.data.map((x, j) => Math.fround(x + step * Math.cos(7 * k * (j + 1))));
      const at = (values: readonly number[]) => objective(inputs.map((other, o) => (o === i ? { ...other, data: values } : other)));
      const change = (await at(high)) - (await at(low));
      const expected = analytic.reduce((total, d, j) => total + d * (high[j]! - low[j]!), 0);
      const error = Math.abs(change - expected) / (2 * step * scale);
      worst = Number.isNaN(error) ? NaN : Math.max(worst, error);
    }
    errors.push(worst);
  }
  await release();
  return errors;
}
