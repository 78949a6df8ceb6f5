import { type Tensor, add, silu, split } from '@heed/tensor';
import { UserError } from '../../errors.js';
import { type Decoder, type Dimensions, defineArchitecture } from '../architecture.js';
import type { HfConfig } from '../checkpoint/config.js';
import { CheckpointError } from '../checkpoint/error.js';
import { number, optional, shortest } from '../checkpoint/gguf/metadata.js';
import type { GgufReading } from '../checkpoint/gguf/reading.js';
import { commonDimensions, linearShapes, only, sizesOf } from '../dimensions.js';
import { dropper, embed, gated, norm, rotate, throughLayers } from '../parts.js';

/** Perhaps a part of each head is turned, and perhaps by LongRoPE. */
function dimensions(config: HfConfig): Dimensions {
  only(config, 'hidden_act', 'silu');
  const common = commonDimensions(config);
  const { rope } = common;
  const kind = rope.scaling?.['rope_type'] ?? rope.scaling?.['type'] ?? 'default';
  // Older files call it su.
  const long = kind === 'su' || kind === 'longrope';
  if (!long && kind !== 'default') {
    throw new UserError(`config.json asks for rope_scaling ${JSON.stringify(kind)}; Heed runs phi3 models with default, longrope and su.`);
  }
  const original = rope.scaling?.['original_max_position_embeddings'] ?? config['original_max_position_embeddings'];
  const turned = Math.floor(rope.headSize * (config.partial_rotary_factor ?? 1));
  const factor = typeof original === 'number' ? common.context / original : undefined;
  const scaling = long ? { original_max_position_embeddings: original, factor, ...rope.scaling, rope_type: 'longrope' } : undefined;
  return { ...common, rope: { headSize: turned, theta: rope.theta, scaling } };
}

const decoder: Decoder = (config, weights, rows, attend, keep) => {
  const drop = dropper(keep);
  const { heads, keyHeads, headSize, innerWidth } = config;
  const [queries, keys] = [heads * headSize, keyHeads * headSize];
  return throughLayers(config, keep, embed(weights, rows), (x, i) => {
    const at = `model.layers.${i}`;
    const a = drop(norm(config, weights, `${at}.input_layernorm`, x));
    const [q, k, v] = split(weights.linear(`${at}.self_attn.qkv_proj`, a), 1, [queries, keys, keys]) as [Tensor, Tensor, Tensor];
    const attended = attend(i, rotate(q, rows, rows, heads), rotate(k, rows, rows, keyHeads), v);
    const h = add(x, weights.linear(`${at}.self_attn.o_proj`, attended));
    const m = drop(norm(config, weights, `${at}.post_attention_layernorm`, h));
    const [gate, up] = split(weights.linear(`${at}.mlp.gate_up_proj`, m), 1, [innerWidth, innerWidth]) as [Tensor, Tensor];
    return add(h, weights.linear(`${at}.mlp.down_proj`, gated(silu, gate, up, drop)));
  });
};

const LONG = 'rope_factors_long.weight', SHORT = 'rope_factors_short.weight';

/** Models with a long context carry LongRoPE's two lists of factors as tensors. */
const configFromGguf: GgufReading['config'] = (gguf, where, values) => {
  // llama.cpp writes 0 where there is no window.
  const window = optional(gguf, 'phi3.attention.sliding_window', where) || null;
  const config = { model_type: 'phi3', architectures: ['Phi3ForCausalLM'], sliding_window: window };
  const long = gguf.tensors.get(LONG), short = gguf.tensors.get(SHORT);
  if (!long && !short) return config;
  if (!long || !short) throw new CheckpointError(`${where}: has ${long ? LONG : SHORT} without ${long ? SHORT : LONG}`);
  const original = number(gguf, 'phi3.rope.scaling.original_context_length', where);
  const factor = optional(gguf, 'phi3.rope.scaling.attn_factor', where);
  return {
    ...config,
    original_max_position_embeddings: original,
    rope_scaling: {
      rope_type: 'longrope',
      long_factor: Array.from(values(long), shortest),
      short_factor: Array.from(values(short), shortest),
      original_max_position_embeddings: original,
      attention_factor: factor === undefined ? undefined : shortest(factor),
    },
  };
};

/**
 * Phi-3 (Abdin et al. 2024), also Phi-3.5 and Phi-4-mini: a Llama without biases whose q, k and v, and whose gate and up, are one
 * matrix each. All layers may see a window only.
 */
export const phi3 = defineArchitecture({
  type: 'phi3',
  defaults: { rms_norm_eps: 1e-5, max_position_embeddings: 4096 },
  windowed: () => 'every layer',
  dimensions,
  layerTensors(config) {
    const { width, inner, queries, keys } = sizesOf(config);
    return {
      'input_layernorm.weight': [width],
      ...linearShapes('self_attn.qkv_proj', queries + 2 * keys, width),
      ...linearShapes('self_attn.o_proj', width, queries),
      'post_attention_layernorm.weight': [width],
      ...linearShapes('mlp.gate_up_proj', 2 * inner, width),
      ...linearShapes('mlp.down_proj', width, inner),
    };
  },
  decoder,
  gguf: {
    architecture: 'phi3',
    layer: { attn_qkv: 'self_attn.qkv_proj', ffn_up: 'mlp.gate_up_proj' },
    partlyRotary: true,
    rotary: [LONG, SHORT],
    config: configFromGguf,
  },
});
