import { type Tensor, add, checkpoint, silu } from '@heed/tensor';
import type { HfConfig } from './checkpoint/config.js';
import { commonArchitecture, only } from './config.js';
import { type Architecture, type Decoder, dropper, embed, gated, headNorm, norm, rotate } from './parts.js';

export function qwen3Architecture(config: HfConfig): Architecture {
  only(config, 'hidden_act', 'silu');
  return commonArchitecture('qwen3', config);
}

/** Qwen 3 (Yang et al. 2025): a Llama that norms each head of the queries and keys before turning them. */
export const qwen3: Decoder = (config, weights, rows, attend, keep) => {
  const drop = dropper(keep);
  const layer = (x: Tensor, i: number): Tensor => {
    const at = `model.layers.${i}`;
    const turned = (part: 'q' | 'k', y: Tensor, heads: number): Tensor =>
      rotate(headNorm(config, weights.tensor(`${at}.self_attn.${part}_norm.weight`), weights.linear(`${at}.self_attn.${part}_proj`, y), heads, drop), rows, rows, heads);
    const a = drop(norm(config, weights, `${at}.input_layernorm`, x));
    const v = weights.linear(`${at}.self_attn.v_proj`, a);
    const h = add(x, weights.linear(`${at}.self_attn.o_proj`, attend(i, turned('q', a, config.heads), turned('k', a, config.keyHeads), v)));
    const m = drop(norm(config, weights, `${at}.post_attention_layernorm`, h));
    const inner = gated(silu, weights.linear(`${at}.mlp.gate_proj`, m), weights.linear(`${at}.mlp.up_proj`, m), drop);
    return add(h, weights.linear(`${at}.mlp.down_proj`, inner));
  };
  let x = embed(config, weights, rows);
  for (let i = 0; i < config.layers; i++) x = keep === 'full' ? checkpoint(() => layer(x, i)) : layer(x, i);
  return x;
};
