import { CheckpointError } from '../error.js';
import { number, optional, shortest } from './metadata.js';
import type { Gguf, GgufTensor } from './read.js';

/** What a GGUF of one `general.architecture` has otherwise than a plain Llama. */
export interface GgufFamily {
  /** Hugging Face modules by the tensor names that differ. */
  readonly layer?: Readonly<Record<string, string>>;
  /** Whether llama.cpp's converter interleaved the rotary rows of queries and keys. */
  readonly permuted?: true;
  /** What the converter added to the weights of all norms: Gemma's models apply 1 + w, and llama.cpp stores that sum. */
  readonly norms?: number;
  /** Only a part of each head may rotate. */
  readonly partlyRotary?: true;
  /** Tensors that are not weights: `config` reads them. */
  readonly rotary?: readonly string[];
  /** config.json's keys that the architecture adds or sets. */
  readonly config?: (gguf: Gguf, where: string, values: (tensor: GgufTensor) => Float32Array) => Record<string, unknown>;
}

const LONG = 'rope_factors_long.weight', SHORT = 'rope_factors_short.weight';

/** llama.cpp's general.architecture → how it is read. Mistral's models are "llama" there. */
export const FAMILIES: Readonly<Record<string, GgufFamily>> = {
  llama: {
    permuted: true,
    config: (gguf, where) => {
      const window = slidingWindow(gguf, 'llama', where);
      return window === null ? { model_type: 'llama', architectures: ['LlamaForCausalLM'] }
        : { model_type: 'mistral', architectures: ['MistralForCausalLM'], sliding_window: window };
    },
  },
  qwen2: { config: () => ({ model_type: 'qwen2', architectures: ['Qwen2ForCausalLM'], attention_bias: undefined, use_sliding_window: false }) },
  qwen3: {
    layer: { attn_q_norm: 'self_attn.q_norm', attn_k_norm: 'self_attn.k_norm' },
    config: () => ({ model_type: 'qwen3', architectures: ['Qwen3ForCausalLM'], use_sliding_window: false }),
  },
  gemma3: {
    layer: {
      attn_q_norm: 'self_attn.q_norm', attn_k_norm: 'self_attn.k_norm', post_attention_norm: 'post_attention_layernorm',
      ffn_norm: 'pre_feedforward_layernorm', post_ffw_norm: 'post_feedforward_layernorm',
    },
    norms: 1,
    config: gemma3,
  },
  phi3: {
    layer: { attn_qkv: 'self_attn.qkv_proj', ffn_up: 'mlp.gate_up_proj' },
    partlyRotary: true,
    rotary: [LONG, SHORT],
    config: phi3,
  },
};

/** llama.cpp writes 0 where a converter must say that there is none. */
function slidingWindow(gguf: Gguf, architecture: string, where: string): number | null {
  return optional(gguf, `${architecture}.attention.sliding_window`, where) || null;
}

/** The 27B model, told by its depth as in llama.cpp, scales its scores by the width per head, all others by the head's size. */
const GEMMA3_27B_LAYERS = 62;

function gemma3(gguf: Gguf, where: string): Record<string, unknown> {
  const get = (key: string): number => number(gguf, `gemma3.${key}`, where);
  const layers = get('block_count'), head = get('attention.key_length');
  return {
    model_type: 'gemma3_text', architectures: ['Gemma3ForCausalLM'],
    hidden_act: undefined, hidden_activation: 'gelu_pytorch_tanh',
    rope_theta: shortest(optional(gguf, 'gemma3.rope.freq_base', where) ?? 1_000_000),
    // Older files do not say, and llama.cpp takes 10000 then.
    rope_local_base_freq: shortest(optional(gguf, 'gemma3.rope.freq_base_swa', where) ?? 10_000),
    query_pre_attn_scalar: layers === GEMMA3_27B_LAYERS ? get('embedding_length') / get('attention.head_count') : head,
    sliding_window: get('attention.sliding_window'),
    layer_types: gemmaLayers(gguf, Math.min(layers, 10_000), where),
    final_logit_softcapping: optional(gguf, 'gemma3.final_logit_softcapping', where) ?? null,
    attn_logit_softcapping: optional(gguf, 'gemma3.attn_logit_softcapping', where) ?? null,
  };
}

/** `sliding_window_pattern` is every how many layers one sees everything, or whether each slides; older files do not say: 6. */
function gemmaLayers(gguf: Gguf, layers: number, where: string): string[] {
  const key = 'gemma3.attention.sliding_window_pattern', pattern = gguf.metadata.get(key);
  const each = Array.isArray(pattern) && pattern.every((slides) => typeof slides === 'boolean') ? pattern : undefined;
  if (each && each.length !== layers) throw new CheckpointError(`${where}: ${key} has ${each.length} entries for ${layers} layers`);
  const every = each ? 0 : optional(gguf, key, where) ?? 6;
  return Array.from({ length: layers }, (_, i) => (each ? each[i] : (i + 1) % every !== 0) ? 'sliding_attention' : 'full_attention');
}

/** Models with a long context carry LongRoPE's two lists of factors as tensors. */
function phi3(gguf: Gguf, where: string, values: (tensor: GgufTensor) => Float32Array): Record<string, unknown> {
  const config = { model_type: 'phi3', architectures: ['Phi3ForCausalLM'], sliding_window: slidingWindow(gguf, 'phi3', where) };
  const long = gguf.tensors.get(LONG), short = gguf.tensors.get(SHORT);
  if (!long && !short) return config;
  if (!long || !short) throw new CheckpointError(`${where}: has ${long ? LONG : SHORT} without ${long ? SHORT : LONG}`);
  const original = number(gguf, 'phi3.rope.scaling.original_context_length', where);
  const list = (tensor: GgufTensor): number[] => Array.from(values(tensor), shortest);
  const factor = optional(gguf, 'phi3.rope.scaling.attn_factor', where);
  return {
    ...config,
    original_max_position_embeddings: original,
    rope_scaling: {
      rope_type: 'longrope', long_factor: list(long), short_factor: list(short), original_max_position_embeddings: original,
      ...(factor === undefined ? {} : { attention_factor: shortest(factor) }),
    },
  };
}
