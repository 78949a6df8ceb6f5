import { type Tensor, add, checkpoint, silu } from '@heed/tensor';
import type { HfConfig } from './checkpoint/config.js';
import { commonArchitecture, only } from './config.js';
import { type Architecture, type Decoder, dropper, embed, gated, norm, rotate } from './parts.js';

/** Dimensions of a Llama (also Llama 2 and 3, SmolLM2, TinyLlama). */
export function llamaArchitecture(config: HfConfig): Architecture {
  only(config, 'hidden_act', 'silu');
  return commonArchitecture('llama', config);
}

/** Llama (Touvron et al. 2023), with grouped queries and with biases where the checkpoint has them. */
export const llama: Decoder = (config, weights, rows, attend, keep) => {
  const drop = dropper(keep);
  const layer = (x: Tensor, i: number): Tensor => {
    const at = `model.layers.${i}`;
    const a = drop(norm(config, weights, `${at}.input_layernorm`, x));
    const q = rotate(weights.linear(`${at}.self_attn.q_proj`, a), rows, rows, config.heads);
    const k = rotate(weights.linear(`${at}.self_attn.k_proj`, a), rows, rows, config.keyHeads);
    const v = weights.linear(`${at}.self_attn.v_proj`, a);
    const h = add(x, weights.linear(`${at}.self_attn.o_proj`, attend(i, q, k, v)));
    const m = drop(norm(config, weights, `${at}.post_attention_layernorm`, h));
    const inner = gated(silu, weights.linear(`${at}.mlp.gate_proj`, m), weights.linear(`${at}.mlp.up_proj`, m), drop);
    return add(h, weights.linear(`${at}.mlp.down_proj`, inner));
  };
  let x = embed(config, weights, rows);
  for (let i = 0; i < config.layers; i++) x = keep === 'full' ? checkpoint(() => layer(x, i)) : layer(x, i);
  return x;
};
