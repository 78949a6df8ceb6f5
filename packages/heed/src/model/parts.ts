import { type Tensor, cast, input, mul, op1, recompute, reshape, rmsNorm, rope, sym, times } from '@heed/tensor';
import type { Attend, HeadShape } from './attention.js';
import type { RopeConfig } from './rope.js';

/** What activations are kept between the forward and the backward pass. */
export type Checkpointing = 'none' | 'selective' | 'full';

/** Which decoder computes a model: several `model_type`s may share one. */
export type Family = 'llama' | 'qwen3' | 'phi3' | 'gemma3';

/** A decoder's dimensions, from config.json. */
export interface Architecture extends HeadShape {
  readonly family: Family;
  readonly layers: number;
  readonly width: number;
  readonly innerWidth: number;
  readonly vocabulary: number;
  readonly context: number;
  readonly epsilon: number;
  readonly rope: RopeConfig;
  /** The rotation of the local layers, where it is another than that of the global ones. */
  readonly localRope?: RopeConfig;
  readonly tied: boolean;
}

/** Access to weights while tracing: frozen, merged or with an adapter, the architecture does not know. */
export interface Weights {
  /** A frozen tensor by its Hugging Face name. */
  tensor(name: string): Tensor;
  /** x·Wᵀ (+ bias where the checkpoint has one), by module name without ".weight". */
  linear(module: string, x: Tensor): Tensor;
}

/** Cosines and sines by position, [≥ M, turned/2] each. */
export interface RopeTables {
  readonly cosine: Tensor;
  readonly sine: Tensor;
}

/** The tokens that a decoder works on, one a row, in any order: only attention knows which belong together. */
export interface Rows extends RopeTables {
  readonly ids: Tensor; // int32 [M]
  readonly positions: Tensor; // int64 [1, M]: rows of the tables
  readonly local?: RopeTables;
}

/** A decoder over flat token rows → hidden rows [M, H] before the final norm, since only the rows that a loss reads need that. */
export type Decoder = (config: Architecture, weights: Weights, rows: Rows, attend: Attend, keep: Checkpointing) => Tensor;

/** The rotation tables as inputs of a program; `ropeFeed` feeds them. */
export function ropeInputs({ rope: { headSize }, localRope }: Architecture): RopeTables & Pick<Rows, 'local'> {
  const tables = (cosine: string, sine: string, size: number): RopeTables =>
    ({ cosine: input(cosine, [sym('ropeRows'), size / 2]), sine: input(sine, [sym('ropeRows'), size / 2]) });
  return { ...tables('cosine', 'sine', headSize), ...(localRope && { local: tables('localCosine', 'localSine', localRope.headSize) }) };
}

/** Embeddings of the rows' tokens, float32 [M, H]. */
export function embed(config: Architecture, weights: Weights, { ids }: Rows): Tensor {
  const table = weights.tensor('model.embed_tokens.weight');
  return cast(op1('Gather', [table, ids], { dtype: table.dtype, shape: [...ids.shape, config.width] }, { attributes: { axis: { int: 0 } } }), 'float32');
}

/** Queries or keys of `heads` heads, turned to their rows' positions. */
export const rotate = (x: Tensor, { positions }: Rows, { cosine, sine }: RopeTables, heads: number): Tensor => rope(x, positions, cosine, sine, heads);

/** How selective checkpointing treats what is cheap to compute again. */
export const dropper = (keep: Checkpointing): ((x: Tensor) => Tensor) => (keep === 'selective' ? recompute : (x) => x);

/** RMS norm by the checkpoint's weight of this name. */
export const norm = (config: Architecture, weights: Weights, name: string, x: Tensor): Tensor => rmsNorm(x, weights.tensor(`${name}.weight`), config.epsilon);

/** RMS norm of each of `heads` heads by itself: x [M, heads·d], weight [d]. */
export function headNorm({ headSize, epsilon }: Architecture, weight: Tensor, x: Tensor, heads: number, drop: (x: Tensor) => Tensor): Tensor {
  return drop(reshape(drop(rmsNorm(drop(reshape(x, [times(x.shape[0]!, heads), headSize])), weight, epsilon)), x.shape));
}

/** act(gate)·up, the inside of a gated feed-forward layer. */
export const gated = (act: (x: Tensor) => Tensor, gate: Tensor, up: Tensor, drop: (x: Tensor) => Tensor): Tensor => drop(mul(drop(act(gate)), up));
