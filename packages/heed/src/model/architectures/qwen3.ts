import { type Tensor, add, silu } from '@heed/tensor';
import { type Decoder, defineArchitecture } from '../architecture.js';
import { llamaLayer } from '../dimensions.js';
import { dropper, embed, gated, headNorm, norm, rotate, throughLayers } from '../parts.js';
import { qwen2 } from './qwen2.js';

const decoder: Decoder = (config, weights, rows, attend, keep) => {
  const drop = dropper(keep);
  return throughLayers(config, keep, embed(weights, rows), (x, i) => {
    const at = `model.layers.${i}`;
    const turned = (part: 'q' | 'k', y: Tensor, heads: number): Tensor => {
      const weight = weights.tensor(`${at}.self_attn.${part}_norm.weight`);
      return rotate(headNorm(config, weight, weights.linear(`${at}.self_attn.${part}_proj`, y), heads, drop), rows, rows, heads);
    };
    const a = drop(norm(config, weights, `${at}.input_layernorm`, x));
    const v = weights.linear(`${at}.self_attn.v_proj`, a);
    const attended = attend(i, turned('q', a, config.heads), turned('k', a, config.keyHeads), v);
    const h = add(x, weights.linear(`${at}.self_attn.o_proj`, attended));
    const m = drop(norm(config, weights, `${at}.post_attention_layernorm`, h));
    const inner = gated(silu, weights.linear(`${at}.mlp.gate_proj`, m), weights.linear(`${at}.mlp.up_proj`, m), drop);
    return add(h, weights.linear(`${at}.mlp.down_proj`, inner));
  });
};

/** Qwen 3 (Yang et al. 2025): a Llama that norms each head of the queries and keys before turning them. Windows are as in Qwen 2. */
export const qwen3 = defineArchitecture({
  type: 'qwen3',
  defaults: { head_dim: 128, ...qwen2.defaults },
  windowed: qwen2.windowed,
  dimensions: qwen2.dimensions,
  layerTensors: (config) => llamaLayer(config, { inputBias: config.attention_bias, outputBias: config.attention_bias, headNorms: true }),
  decoder,
  gguf: {
    architecture: 'qwen3',
    layer: { attn_q_norm: 'self_attn.q_norm', attn_k_norm: 'self_attn.k_norm' },
    config: () => ({ model_type: 'qwen3', architectures: ['Qwen3ForCausalLM'], use_sliding_window: false }),
  },
});
