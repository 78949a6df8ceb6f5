/** What decoders are built of. */
import { type Tensor, checkpoint, input, mul, recompute, reshape, rmsNorm, rope, sym, times } from '@heed/tensor';
import type { Checkpointing, Dimensions, RopeTables, Rows, Weights } from './architecture.js';

/** The rotation tables as inputs of a program; `ropeFeed` feeds them. */
export function ropeInputs({ rope: { headSize }, localRope }: Dimensions): RopeTables & Pick<Rows, 'local'> {
  const tables = (cosine: string, sine: string, size: number): RopeTables =>
    ({ cosine: input(cosine, [sym('ropeRows'), size / 2]), sine: input(sine, [sym('ropeRows'), size / 2]) });
  return { ...tables('cosine', 'sine', headSize), local: localRope && tables('localCosine', 'localSine', localRope.headSize) };
}

/** Embeddings of the rows' tokens, float32 [M, H]. */
export const embed = (weights: Weights, { ids }: Rows): Tensor => weights.table('model.embed_tokens.weight').rows(ids);

/** Sends rows through all layers. With `full` checkpointing only what enters a layer is kept for the backward pass. */
export function throughLayers({ layers }: Dimensions, keep: Checkpointing, x: Tensor, layer: (x: Tensor, index: number) => Tensor): Tensor {
  let y = x;
  for (let i = 0; i < layers; i++) {
    const before = y;
    y = keep === 'full' ? checkpoint(() => layer(before, i)) : layer(before, i);
  }
  return y;
}

/** Queries or keys of `heads` heads, turned to their rows' positions. */
export const rotate = (x: Tensor, { positions }: Rows, { cosine, sine }: RopeTables, heads: number): Tensor =>
  rope(x, positions, cosine, sine, heads);

/** How selective checkpointing treats what is cheap to compute again. */
export const dropper = (keep: Checkpointing): ((x: Tensor) => Tensor) => (keep === 'selective' ? recompute : (x) => x);

/** RMS norm by the checkpoint's weight of this name. */
export const norm = ({ epsilon }: Dimensions, weights: Weights, name: string, x: Tensor): Tensor =>
  rmsNorm(x, weights.tensor(`${name}.weight`), epsilon);

/** RMS norm of each of `heads` heads by itself: x [M, heads·d], weight [d]. */
export function headNorm({ headSize, epsilon }: Dimensions, weight: Tensor, x: Tensor, heads: number, drop: (x: Tensor) => Tensor): Tensor {
  return drop(reshape(drop(rmsNorm(drop(reshape(x, [times(x.shape[0]!, heads), headSize])), weight, epsilon)), x.shape));
}

/** act(gate)·up, the inside of a gated feed-forward layer. */
export const gated = (act: (x: Tensor) => Tensor, gate: Tensor, up: Tensor, drop: (x: Tensor) => Tensor): Tensor =>
  drop(mul(drop(act(gate)), up));
