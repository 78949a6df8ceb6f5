import { type Tensor, add, checkpoint, silu, split } from '@heed/tensor';
import { UserError } from '../errors.js';
import type { HfConfig } from './checkpoint/config.js';
import { commonArchitecture, only } from './config.js';
import { type Architecture, type Decoder, dropper, embed, gated, norm, rotate } from './parts.js';

/** Dimensions of a Phi-3 (also Phi-3.5 and Phi-4-mini): perhaps a window in all layers, part of each head turned, and LongRoPE. */
export function phi3Architecture(config: HfConfig): Architecture {
  only(config, 'hidden_act', 'silu');
  const common = commonArchitecture('phi3', config);
  const { rope } = common;
  const kind = rope.scaling?.['rope_type'] ?? rope.scaling?.['type'] ?? 'default';
  // Older files call it su.
  const long = kind === 'su' || kind === 'longrope';
  if (!long && kind !== 'default') throw new UserError(`config.json asks for rope_scaling ${JSON.stringify(kind)}; Heed runs phi3 models with default, longrope and su.`);
  const original = rope.scaling?.['original_max_position_embeddings'] ?? config['original_max_position_embeddings'];
  const turned = Math.floor(rope.headSize * (config.partial_rotary_factor ?? 1));
  const factor = typeof original === 'number' ? common.context / original : undefined;
  const scaling = long ? { original_max_position_embeddings: original, factor, ...rope.scaling, rope_type: 'longrope' } : undefined;
  return { ...common, rope: { headSize: turned, theta: rope.theta, scaling } };
}

/** Phi-3 (Abdin et al. 2024): a Llama whose q, k and v, and whose gate and up, are one matrix each. */
export const phi3: Decoder = (config, weights, rows, attend, keep) => {
  const drop = dropper(keep);
  const { heads, keyHeads, headSize, innerWidth } = config;
  const layer = (x: Tensor, i: number): Tensor => {
    const at = `model.layers.${i}`;
    const a = drop(norm(config, weights, `${at}.input_layernorm`, x));
    const [q, k, v] = split(weights.linear(`${at}.self_attn.qkv_proj`, a), 1, [heads * headSize, keyHeads * headSize, keyHeads * headSize]) as [Tensor, Tensor, Tensor];
    const h = add(x, weights.linear(`${at}.self_attn.o_proj`, attend(i, rotate(q, rows, rows, heads), rotate(k, rows, rows, keyHeads), v)));
    const m = drop(norm(config, weights, `${at}.post_attention_layernorm`, h));
    const [gate, up] = split(weights.linear(`${at}.mlp.gate_up_proj`, m), 1, [innerWidth, innerWidth]) as [Tensor, Tensor];
    return add(h, weights.linear(`${at}.mlp.down_proj`, gated(silu, gate, up, drop)));
  };
  let x = embed(config, weights, rows);
  for (let i = 0; i < config.layers; i++) x = keep === 'full' ? checkpoint(() => layer(x, i)) : layer(x, i);
  return x;
};
