import { type Tensor, add, cast, geluTanh, mul, rmsNorm } from '@heed/tensor';
import { type Decoder, type Dimensions, type Weights, defineArchitecture } from '../architecture.js';
import { type HfConfig, type RawConfig, record } from '../checkpoint/config.js';
import { CheckpointError } from '../checkpoint/error.js';
import { number, optional, shortest } from '../checkpoint/gguf/metadata.js';
import type { Gguf } from '../checkpoint/gguf/read.js';
import { commonDimensions, llamaLayer, only } from '../dimensions.js';
import { dropper, embed, gated, headNorm, rotate, throughLayers } from '../parts.js';

/** Five local layers (rotation of their own, θ = 10 000), then a global one. */
function dimensions(config: HfConfig): Dimensions {
  only(config, 'hidden_act', 'gelu_pytorch_tanh');
  only(config, 'attn_logit_softcapping');
  only(config, 'final_logit_softcapping');
  const common = commonDimensions(config);
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
const norm = ({ epsilon }: Dimensions, weights: Weights, name: string, x: Tensor): Tensor => rmsNorm(x, plusOne(weights, name), epsilon);

const decoder: Decoder = (config, weights, rows, attend, keep) => {
  const drop = dropper(keep);
  return throughLayers(config, keep, mul(embed(weights, rows), Math.sqrt(config.width)), (x, i) => {
    const at = `model.layers.${i}`;
    const tables = config.local?.layers[i] === true ? rows.local! : rows;
    const turned = (part: 'q' | 'k', y: Tensor, heads: number): Tensor => {
      const weight = plusOne(weights, `${at}.self_attn.${part}_norm`);
      return rotate(headNorm(config, weight, weights.linear(`${at}.self_attn.${part}_proj`, y), heads, drop), rows, tables, heads);
    };
    const a = drop(norm(config, weights, `${at}.input_layernorm`, x));
    const v = weights.linear(`${at}.self_attn.v_proj`, a);
    const o = weights.linear(`${at}.self_attn.o_proj`, attend(i, turned('q', a, config.heads), turned('k', a, config.keyHeads), v));
    const h = add(x, drop(norm(config, weights, `${at}.post_attention_layernorm`, o)));
    const m = drop(norm(config, weights, `${at}.pre_feedforward_layernorm`, h));
    const inner = gated(geluTanh, weights.linear(`${at}.mlp.gate_proj`, m), weights.linear(`${at}.mlp.up_proj`, m), drop);
    return add(h, drop(norm(config, weights, `${at}.post_feedforward_layernorm`, weights.linear(`${at}.mlp.down_proj`, inner))));
  });
};

/** The keys that a model of text and images (4B and larger) keeps beside its `text_config`. */
const BESIDE_TEXT = ['bos_token_id', 'eos_token_id', 'pad_token_id', 'tie_word_embeddings'];

function textPart(json: RawConfig): RawConfig | undefined {
  const text = json.model_type === 'gemma3' ? record(json.text_config) : undefined;
  if (text === undefined) return undefined;
  const whole = Object.fromEntries(BESIDE_TEXT.flatMap((key) => (json[key] == null ? [] : [[key, json[key]]])));
  const unsaid = { num_attention_heads: 8, num_key_value_heads: 4, vocab_size: 262_208 };
  return { ...unsaid, ...text, ...whole, model_type: 'gemma3_text', architectures: ['Gemma3ForCausalLM'] };
}

/** The 27B model, told by its depth as in llama.cpp, scales its scores by the width per head, all others by the head's size. */
const LAYERS_OF_27B = 62;

function configFromGguf(gguf: Gguf, where: string): RawConfig {
  const get = (key: string): number => number(gguf, `gemma3.${key}`, where);
  const layers = get('block_count'), head = get('attention.key_length');
  return {
    model_type: 'gemma3_text', architectures: ['Gemma3ForCausalLM'],
    hidden_act: undefined, hidden_activation: 'gelu_pytorch_tanh',
    rope_theta: shortest(optional(gguf, 'gemma3.rope.freq_base', where) ?? 1_000_000),
    // Older files do not say, and llama.cpp takes 10000 then.
    rope_local_base_freq: shortest(optional(gguf, 'gemma3.rope.freq_base_swa', where) ?? 10_000),
    query_pre_attn_scalar: layers === LAYERS_OF_27B ? get('embedding_length') / get('attention.head_count') : head,
    sliding_window: get('attention.sliding_window'),
    layer_types: layerTypesFromGguf(gguf, Math.min(layers, 10_000), where),
    final_logit_softcapping: optional(gguf, 'gemma3.final_logit_softcapping', where) ?? null,
    attn_logit_softcapping: optional(gguf, 'gemma3.attn_logit_softcapping', where) ?? null,
  };
}

/** `sliding_window_pattern` is every how many layers one sees everything, or whether each slides; older files do not say: 6. */
function layerTypesFromGguf(gguf: Gguf, layers: number, where: string): string[] {
  const key = 'gemma3.attention.sliding_window_pattern', pattern = gguf.metadata.get(key);
  const each = Array.isArray(pattern) && pattern.every((slides) => typeof slides === 'boolean') ? pattern : undefined;
  if (each && each.length !== layers) throw new CheckpointError(`${where}: ${key} has ${each.length} entries for ${layers} layers`);
  const every = each ? 0 : optional(gguf, key, where) ?? 6;
  const slides = (layer: number): boolean => (each ? each[layer]! : (layer + 1) % every !== 0);
  return Array.from({ length: layers }, (_, layer) => (slides(layer) ? 'sliding_attention' : 'full_attention'));
}

/**
 * The text part of Gemma 3 (Gemma Team 2025): embeddings times √width, four norms a layer, normed heads, and a window in the local
 * layers. From 4B on its files hold a part for images too, which stays unused.
 */
export const gemma3 = defineArchitecture({
  type: 'gemma3_text',
  defaults: {
    head_dim: 256, hidden_act: 'gelu_pytorch_tanh', tie_word_embeddings: true, rope_theta: 1_000_000, rope_local_base_freq: 10_000,
    query_pre_attn_scalar: 256, sliding_window: 4096, sliding_window_pattern: 6, max_position_embeddings: 131_072,
  },
  windowed(config) {
    const pattern = Number(config._sliding_window_pattern ?? config.sliding_window_pattern);
    return (layer) => (layer + 1) % pattern !== 0;
  },
  textPart,
  tensorName: (stored) => stored.replace(/^language_model\.(?=model\.|lm_head\.)/, '').replace(/^model\.language_model\./, 'model.'),
  dimensions,
  layerTensors: (config) =>
    llamaLayer(config, { inputBias: config.attention_bias, outputBias: config.attention_bias, headNorms: true, feedForwardNorms: true }),
  decoder,
  finalNorm: (config, weights, x) => norm(config, weights, 'model.norm', x),
  gguf: {
    architecture: 'gemma3',
    layer: {
      attn_q_norm: 'self_attn.q_norm', attn_k_norm: 'self_attn.k_norm', post_attention_norm: 'post_attention_layernorm',
      ffn_norm: 'pre_feedforward_layernorm', post_ffw_norm: 'post_feedforward_layernorm',
    },
    norms: 1,
    config: configFromGguf,
  },
});
