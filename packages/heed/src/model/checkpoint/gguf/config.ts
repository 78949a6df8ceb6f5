import type { ArchitectureDefinition } from '../../architecture.js';
import { CheckpointError } from '../error.js';
import { number, optional, shortest } from './metadata.js';
import { ROPE_FACTORS, ggufReading } from './names.js';
import type { Gguf, GgufTensor } from './read.js';
import { ropeScaling } from './rope.js';

/** The `config.json` that says what a GGUF's metadata says. `values` reads the rotary factors that some files carry as tensors. */
export function configFromGguf(
  gguf: Gguf, where: string, architectures: readonly ArchitectureDefinition[], values: (tensor: GgufTensor) => Float32Array,
): Record<string, unknown> {
  const reading = ggufReading(gguf, where, architectures), { architecture } = reading;
  if (Number(gguf.metadata.get('split.count') ?? 1) > 1) {
    throw new CheckpointError(
      `${where}: is one of ${String(gguf.metadata.get('split.count'))} parts; join them first with llama.cpp's llama-gguf-split --merge`,
    );
  }
  if (Number(gguf.metadata.get(`${architecture}.expert_count`) ?? 0) > 0)
    throw new CheckpointError(`${where}: is a mixture of experts, which cannot be run`);
  const get = (key: string): number => number(gguf, `${architecture}.${key}`, where);
  const maybe = (key: string): number | undefined => optional(gguf, `${architecture}.${key}`, where);
  const hidden = get('embedding_length'), heads = get('attention.head_count');
  const dimension = maybe('attention.key_length') ?? (reading.partlyRotary ? undefined : maybe('rope.dimension_count')) ?? hidden / heads;
  const rotary = maybe('rope.dimension_count') ?? dimension, value = maybe('attention.value_length') ?? dimension;
  if (rotary !== dimension && !reading.partlyRotary)
    throw new CheckpointError(
      `${where}: ${architecture}.rope.dimension_count is ${rotary} in heads of ${dimension}: partly rotary heads cannot be run`,
    );
  if (value !== dimension)
    throw new CheckpointError(
      `${where}: ${architecture}.attention.value_length is ${value} in heads of ${dimension}: heads of two sizes cannot be run`,
    );
  const embedding = gguf.tensors.get('token_embd.weight');
  if (!embedding || embedding.shape.length !== 2)
    throw new CheckpointError(`${where}: the tensor token_embd.weight is missing or not a matrix`);
  const has = (name: string): boolean => gguf.tensors.has(name);
  const factors = gguf.tensors.get(ROPE_FACTORS);
  const id = (key: string): number | null => optional(gguf, `tokenizer.ggml.${key}_token_id`, where) ?? null;
  return {
    hidden_size: hidden,
    num_hidden_layers: get('block_count'),
    num_attention_heads: heads,
    num_key_value_heads: maybe('attention.head_count_kv') ?? heads,
    head_dim: dimension,
    intermediate_size: get('feed_forward_length'),
    vocab_size: embedding.shape[0],
    rms_norm_eps: shortest(get('attention.layer_norm_rms_epsilon')),
    rope_theta: shortest(maybe('rope.freq_base') ?? 10000),
    partial_rotary_factor: rotary === dimension ? undefined : rotary / dimension,
    rope_scaling: ropeScaling(gguf, factors && values(factors), dimension, where) ?? null,
    tie_word_embeddings: !has('output.weight'),
    max_position_embeddings: get('context_length'),
    hidden_act: 'silu',
    attention_bias: has('blk.0.attn_q.bias'),
    mlp_bias: has('blk.0.ffn_up.bias'),
    bos_token_id: id('bos'),
    eos_token_id: id('eos'),
    pad_token_id: id('padding'),
    dtype: 'float32',
    ...reading.config(gguf, where, values),
  };
}
