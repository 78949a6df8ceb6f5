import { number, optional, shortest } from './metadata.js';
import type { Gguf } from './read.js';

/** What a GGUF of one `general.architecture` has otherwise than a plain Llama. */
export interface GgufFamily {
  /** Hugging Face modules by the tensor names that differ. */
  readonly layer?: Readonly<Record<string, string>>;
  /** Whether llama.cpp's converter interleaved the rotary rows of queries and keys. */
  readonly permuted?: true;
  /** What the converter added to the weights of all norms: Gemma's models apply 1 + w, and llama.cpp stores that sum. */
  readonly norms?: number;
  /** config.json's keys that the architecture adds or sets. */
  readonly config?: (gguf: Gguf, where: string) => Record<string, unknown>;
}

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
    config: (gguf, where) => ({ model_type: 'phi3', architectures: ['Phi3ForCausalLM'], sliding_window: slidingWindow(gguf, 'phi3', where) }),
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
  const pattern = optional(gguf, 'gemma3.attention.sliding_window_pattern', where) ?? 6;
  return {
    model_type: 'gemma3_text', architectures: ['Gemma3ForCausalLM'],
    hidden_act: undefined, hidden_activation: 'gelu_pytorch_tanh',
    rope_theta: shortest(optional(gguf, 'gemma3.rope.freq_base', where) ?? 1_000_000),
    // No converter writes it yet; llama.cpp too takes 10000 then.
    rope_local_base_freq: shortest(optional(gguf, 'gemma3.rope.freq_base_swa', where) ?? 10_000),
    query_pre_attn_scalar: layers === GEMMA3_27B_LAYERS ? get('embedding_length') / get('attention.head_count') : head,
    sliding_window: get('attention.sliding_window'),
    layer_types: Array.from({ length: Math.min(layers, 10_000) }, (_, i) => (i + 1) % pattern === 0 ? 'full_attention' : 'sliding_attention'),
    final_logit_softcapping: optional(gguf, 'gemma3.final_logit_softcapping', where) ?? null,
    attn_logit_softcapping: optional(gguf, 'gemma3.attn_logit_softcapping', where) ?? null,
  };
}
