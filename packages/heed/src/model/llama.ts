import { type Tensor, add, cast, checkpoint, mul, op1, recompute, rmsNorm, rope, silu } from '@heed/tensor';
import type { Attend, HeadShape } from './attention.js';
import type { RopeConfig } from './rope.js';

/** What activations are kept between the forward and the backward pass. */
export type Checkpointing = 'none' | 'selective' | 'full';

/** A decoder's dimensions, from config.json. */
export interface Architecture extends HeadShape {
  readonly layers: number;
  readonly width: number;
  readonly innerWidth: number;
  readonly vocabulary: number;
  readonly context: number;
  readonly epsilon: number;
  readonly rope: RopeConfig;
  readonly tied: boolean;
}

/** Access to weights while tracing: frozen, merged or with an adapter, the architecture does not know. */
export interface Weights {
  /** A frozen tensor by its Hugging Face name. */
  tensor(name: string): Tensor;
  /** x·Wᵀ (+ bias where the checkpoint has one), by module name without ".weight". */
  linear(module: string, x: Tensor): Tensor;
}

export interface Rows {
  readonly ids: Tensor; // int32 [M]
  readonly positions: Tensor; // int64 [1, M]
  readonly cosine: Tensor; // [≥ M, d/2]
  readonly sine: Tensor;
}

/**
 * Llama (Touvron et al. 2023; with grouped queries, Llama 2 and 3, SmolLM2, TinyLlama) over flat token rows → hidden rows [M, H]
 * before the final norm, since only the rows that a loss reads need that.
 */
export function llama(config: Architecture, weights: Weights, rows: Rows, attend: Attend, keep: Checkpointing): Tensor {
  const embeddings = weights.tensor('model.embed_tokens.weight');
  const picked = op1('Gather', [embeddings, rows.ids], { dtype: embeddings.dtype, shape: [...rows.ids.shape, config.width] }, { attributes: { axis: { int: 0 } } });
  const drop = keep === 'selective' ? recompute : (x: Tensor): Tensor => x;
  const rotate = (x: Tensor, heads: number): Tensor => rope(x, rows.positions, rows.cosine, rows.sine, heads);

  const layer = (x: Tensor, i: number): Tensor => {
    const at = `model.layers.${i}`;
    const norm = (y: Tensor, name: string): Tensor => drop(rmsNorm(y, weights.tensor(`${at}.${name}.weight`), config.epsilon));
    const a = norm(x, 'input_layernorm');
    const q = rotate(weights.linear(`${at}.self_attn.q_proj`, a), config.heads);
    const k = rotate(weights.linear(`${at}.self_attn.k_proj`, a), config.keyHeads);
    const v = weights.linear(`${at}.self_attn.v_proj`, a);
    const h = add(x, weights.linear(`${at}.self_attn.o_proj`, attend(i, q, k, v)));
    const m = norm(h, 'post_attention_layernorm');
    const gate = drop(silu(weights.linear(`${at}.mlp.gate_proj`, m)));
    const inner = drop(mul(gate, weights.linear(`${at}.mlp.up_proj`, m)));
    return add(h, weights.linear(`${at}.mlp.down_proj`, inner));
  };

  let x = cast(picked, 'float32');
  for (let i = 0; i < config.layers; i++) x = keep === 'full' ? checkpoint(() => layer(x, i)) : layer(x, i);
  return x;
}

/** The final norm of the rows that are read. */
export const finalNorm = (config: Architecture, weights: Weights, x: Tensor): Tensor => rmsNorm(x, weights.tensor('model.norm.weight'), config.epsilon);

/** The matrix that turns hidden rows into logits: the embeddings where they are tied. */
export const head = (config: Architecture, weights: Weights): Tensor => weights.tensor(config.tied ? 'model.embed_tokens.weight' : 'lm_head.weight');
