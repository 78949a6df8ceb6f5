import { CheckpointError } from '../error.js';
import { runnable } from '../config.js';
import type { Gguf, GgufTensor } from './read.js';
import { ropeScaling } from './rope.js';

/** One tensor on its way from GGUF to Hugging Face. */
export interface Renamed {
  readonly name: string;
  readonly tensor: GgufTensor;
  /** llama.cpp interleaves the two halves of each rotary head's rows: the number of heads to undo it for. */
  readonly heads?: number;
}

const TOP: Readonly<Record<string, string>> = { token_embd: 'model.embed_tokens', output_norm: 'model.norm', output: 'lm_head' };
const LAYER: Readonly<Record<string, string>> = {
  attn_norm: 'input_layernorm', ffn_norm: 'post_attention_layernorm',
  attn_q: 'self_attn.q_proj', attn_k: 'self_attn.k_proj', attn_v: 'self_attn.v_proj', attn_output: 'self_attn.o_proj',
  ffn_gate: 'mlp.gate_proj', ffn_up: 'mlp.up_proj', ffn_down: 'mlp.down_proj',
};
const ROPE = 'rope_freqs.weight';

/** Hugging Face names of a llama GGUF's tensors. A tensor without one is an error: leaving it out would be another model. */
export function renameTensors(gguf: Gguf, where: string): Renamed[] {
  const heads = number(gguf, 'llama.attention.head_count', where);
  const keyHeads = gguf.metadata.has('llama.attention.head_count_kv') ? number(gguf, 'llama.attention.head_count_kv', where) : heads;
  const out: Renamed[] = [];
  for (const tensor of gguf.tensors.values()) {
    if (tensor.name === ROPE) continue;
    const match = /^(?:blk\.(\d+)\.)?(\w+)\.(weight|bias)$/.exec(tensor.name);
    const [, layer, part, kind] = match ?? [];
    const table = layer === undefined ? TOP : LAYER;
    if (part === undefined || kind === undefined || !Object.hasOwn(table, part)) {
      throw new CheckpointError(`${where}: the tensor ${tensor.name} is not part of a plain llama model (mixtures of experts and multimodal models cannot be run)`);
    }
    const name = `${layer === undefined ? '' : `model.layers.${Number(layer)}.`}${table[part]}.${kind}`;
    out.push({ name, tensor, heads: part === 'attn_q' ? heads : part === 'attn_k' ? keyHeads : undefined });
  }
  return out;
}

/** The `config.json` that says what a llama GGUF's metadata says. `source` reads the rotary factors that Llama 3 files carry as a tensor. */
export function configFromGguf(gguf: Gguf, where: string, values: (tensor: GgufTensor) => Float32Array): Record<string, unknown> {
  const architecture = gguf.metadata.get('general.architecture');
  if (typeof architecture !== 'string') throw new CheckpointError(`${where}: the metadata has no general.architecture`);
  runnable(architecture, where);
  if (Number(gguf.metadata.get('split.count') ?? 1) > 1) {
    throw new CheckpointError(`${where}: is one of ${String(gguf.metadata.get('split.count'))} parts; join them first with llama.cpp's llama-gguf-split --merge`);
  }
  if (Number(gguf.metadata.get('llama.expert_count') ?? 0) > 0) throw new CheckpointError(`${where}: is a mixture of experts, which cannot be run`);
  const get = (key: string): number => number(gguf, `llama.${key}`, where);
  const optional = (key: string): number | undefined => gguf.metadata.has(key) ? number(gguf, key, where) : undefined;
  const hidden = get('embedding_length'), heads = get('attention.head_count');
  const dimension = optional('llama.attention.key_length') ?? optional('llama.rope.dimension_count') ?? hidden / heads;
  const rotary = optional('llama.rope.dimension_count') ?? dimension;
  if (rotary !== dimension) throw new CheckpointError(`${where}: llama.rope.dimension_count is ${rotary} in heads of ${dimension}: partly rotary heads cannot be run`);
  const embedding = gguf.tensors.get('token_embd.weight');
  if (!embedding || embedding.shape.length !== 2) throw new CheckpointError(`${where}: the tensor token_embd.weight is missing or not a matrix`);
  const has = (name: string): boolean => gguf.tensors.has(name);
  const freqs = gguf.tensors.get(ROPE);
  const id = (key: string): number | null => optional(`tokenizer.ggml.${key}_token_id`) ?? null;
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_size: hidden,
    num_hidden_layers: get('block_count'),
    num_attention_heads: heads,
    num_key_value_heads: optional('llama.attention.head_count_kv') ?? heads,
    head_dim: dimension,
    intermediate_size: get('feed_forward_length'),
    vocab_size: embedding.shape[0],
    rms_norm_eps: shortest(get('attention.layer_norm_rms_epsilon')),
    rope_theta: shortest(optional('llama.rope.freq_base') ?? 10000),
    rope_scaling: ropeScaling(gguf, freqs && values(freqs), dimension, where) ?? null,
    tie_word_embeddings: !has('output.weight'),
    max_position_embeddings: get('context_length'),
    hidden_act: 'silu',
    attention_bias: has('blk.0.attn_q.bias'),
    mlp_bias: has('blk.0.ffn_up.bias'),
    bos_token_id: id('bos'),
    eos_token_id: id('eos'),
    pad_token_id: id('padding'),
    dtype: 'float32',
  };
}

function number(gguf: Gguf, key: string, where: string): number {
  const value = gguf.metadata.get(key);
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    const found = value === undefined ? 'is missing' : Array.isArray(value) ? 'is a list (it differs between layers, which cannot be run)' : `is ${String(value)}`;
    throw new CheckpointError(`${where}: the metadata value ${key} ${found}; a number is needed`);
  }
  return value;
}

/** 9.999999747378752e-06 is how a 32-bit 1e-5 reads: the shortest decimal that is the same 32-bit number. */
function shortest(value: number): number {
  for (let digits = 1; digits < 10; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === Math.fround(value)) return short;
  }
  return value;
}
