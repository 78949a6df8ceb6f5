import { type Tensor, add, cast, checkpoint, geluTanh, mul, rmsNorm } from '@heed/tensor';
import type { HfConfig } from './checkpoint/config.js';
import { commonArchitecture, only } from './config.js';
import { type Architecture, type Decoder, type Weights, dropper, embed, gated, headNorm, rotate } from './parts.js';

/** Dimensions of Gemma 3's text part: five local layers (own rotation, θ = 10 000), then a global one. */
export function gemma3Architecture(config: HfConfig): Architecture {
  only(config, 'hidden_act', 'gelu_pytorch_tanh');
  only(config, 'attn_logit_softcapping');
  only(config, 'final_logit_softcapping');
  const common = commonArchitecture('gemma3', config);
  const { layer_types: types = [], sliding_window: window } = config;
  return {
    ...common,
    scale: (config.query_pre_attn_scalar ?? 256) ** -0.5,
    // Said even where the window hides nothing: local layers turn by another θ, and are never scaled.
    localRope: { headSize: common.headSize, theta: config.rope_local_base_freq ?? 10_000, scaling: undefined },
    local: { window: window ?? common.context, layers: types.map((type) => type === 'sliding_attention') },
  };
}

/** Gemma's norms multiply by 1 + w. */
const plusOne = (weights: Weights, name: string): Tensor => add(cast(weights.tensor(`${name}.weight`), 'float32'), 1);
const norm = ({ epsilon }: Architecture, weights: Weights, name: string, x: Tensor): Tensor => rmsNorm(x, plusOne(weights, name), epsilon);

/** The final norm of the rows that are read. */
export const gemma3FinalNorm = (config: Architecture, weights: Weights, x: Tensor): Tensor => norm(config, weights, 'model.norm', x);

/** Gemma 3 (Gemma Team 2025): embeddings times √width, four norms a layer, normed heads, and a window in the local layers. */
export const gemma3: Decoder = (config, weights, rows, attend, keep) => {
  const drop = dropper(keep);
  const layer = (x: Tensor, i: number): Tensor => {
    const at = `model.layers.${i}`;
    const tables = config.local?.layers[i] === true ? rows.local! : rows;
    const turned = (part: 'q' | 'k', y: Tensor, heads: number): Tensor =>
      rotate(headNorm(config, plusOne(weights, `${at}.self_attn.${part}_norm`), weights.linear(`${at}.self_attn.${part}_proj`, y), heads, drop), rows, tables, heads);
    const a = drop(norm(config, weights, `${at}.input_layernorm`, x));
    const v = weights.linear(`${at}.self_attn.v_proj`, a);
    const o = weights.linear(`${at}.self_attn.o_proj`, attend(i, turned('q', a, config.heads), turned('k', a, config.keyHeads), v));
    const h = add(x, drop(norm(config, weights, `${at}.post_attention_layernorm`, o)));
    const m = drop(norm(config, weights, `${at}.pre_feedforward_layernorm`, h));
    const inner = gated(geluTanh, weights.linear(`${at}.mlp.gate_proj`, m), weights.linear(`${at}.mlp.up_proj`, m), drop);
    return add(h, drop(norm(config, weights, `${at}.post_feedforward_layernorm`, weights.linear(`${at}.mlp.down_proj`, inner))));
  };
  let x = mul(embed(config, weights, rows), Math.sqrt(config.width));
  for (let i = 0; i < config.layers; i++) x = keep === 'full' ? checkpoint(() => layer(x, i)) : layer(x, i);
  return x;
};
