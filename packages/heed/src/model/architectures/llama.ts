import { add, silu } from '@heed/tensor';
import { type Decoder, defineArchitecture } from '../architecture.js';
import { optional } from '../checkpoint/gguf/metadata.js';
import { commonDimensions, llamaLayer, only } from '../dimensions.js';
import { dropper, embed, gated, norm, rotate, throughLayers } from '../parts.js';

/** Grouped queries, and biases where the checkpoint has them. */
const decoder: Decoder = (config, weights, rows, attend, keep) => {
  const drop = dropper(keep);
  return throughLayers(config, keep, embed(weights, rows), (x, i) => {
    const at = `model.layers.${i}`;
    const a = drop(norm(config, weights, `${at}.input_layernorm`, x));
    const q = rotate(weights.linear(`${at}.self_attn.q_proj`, a), rows, rows, config.heads);
    const k = rotate(weights.linear(`${at}.self_attn.k_proj`, a), rows, rows, config.keyHeads);
    const v = weights.linear(`${at}.self_attn.v_proj`, a);
    const h = add(x, weights.linear(`${at}.self_attn.o_proj`, attend(i, q, k, v)));
    const m = drop(norm(config, weights, `${at}.post_attention_layernorm`, h));
    const inner = gated(silu, weights.linear(`${at}.mlp.gate_proj`, m), weights.linear(`${at}.mlp.up_proj`, m), drop);
    return add(h, weights.linear(`${at}.mlp.down_proj`, inner));
  });
};

/** Llama (Touvron et al. 2023), also Llama 2 and 3, SmolLM2, TinyLlama. */
export const llama = defineArchitecture({
  type: 'llama',
  dimensions(config) {
    only(config, 'hidden_act', 'silu');
    return commonDimensions(config);
  },
  layerTensors: (config) =>
    llamaLayer(config, { inputBias: config.attention_bias, outputBias: config.attention_bias, mlpBias: config.mlp_bias }),
  decoder,
  gguf: {
    architecture: 'llama',
    permuted: true,
    // Mistral's models are "llama" for llama.cpp; a window tells them apart, and 0 says that there is none.
    config(gguf, where) {
      const window = optional(gguf, 'llama.attention.sliding_window', where) || null;
      return window === null ? { model_type: 'llama', architectures: ['LlamaForCausalLM'] }
        : { model_type: 'mistral', architectures: ['MistralForCausalLM'], sliding_window: window };
    },
  },
});
