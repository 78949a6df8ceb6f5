import { z } from 'zod';

/** Values of a `config.json` as the file, or a part of it, has them. */
export type RawConfig = Readonly<Record<string, unknown>>;

/** The value where it is an object. */
export const record = (value: unknown): RawConfig | undefined =>
  (typeof value === 'object' && value !== null && !Array.isArray(value) ? value as RawConfig : undefined);

const count = z.int().positive();
const MOST_LAYERS = 10_000;
const tokenId = z.union([z.int().nonnegative(), z.array(z.int().nonnegative())]).nullish();

/** A Hugging Face `config.json` as `parseConfig` spells it, with Llama's defaults where the file is silent; unknown keys are kept. */
export const Config = z.looseObject({
  model_type: z.string(),
  hidden_size: count,
  // A damaged count must not make a list of tensors that no memory holds.
  num_hidden_layers: count.max(MOST_LAYERS, { error: ({ input }) => `${String(input)} is more than any model has: the file is damaged` }),
  num_attention_heads: count,
  num_key_value_heads: count,
  head_dim: count.nullish(),
  intermediate_size: count,
  vocab_size: count,
  rms_norm_eps: z.number().positive().default(1e-6),
  rope_theta: z.number().positive().default(10000),
  rope_scaling: z.record(z.string(), z.unknown()).nullish(),
  tie_word_embeddings: z.boolean().default(false),
  max_position_embeddings: count.default(2048),
  hidden_act: z.string().default('silu'),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  /** How many tokens a layer of the type `sliding_attention` sees, itself included; absent where none is. */
  sliding_window: count.nullish(),
  /** One for each layer, wherever there is a `sliding_window`. */
  layer_types: z.array(z.enum(['full_attention', 'sliding_attention'])).optional(),
  /** Gemma 3: the rotary base of its sliding layers. */
  rope_local_base_freq: z.number().positive().optional(),
  /** Gemma 3: attention scores are divided by this number's square root. */
  query_pre_attn_scalar: z.number().positive().optional(),
  /** Gemma: `cap · tanh(logits / cap)`. */
  final_logit_softcapping: z.number().positive().nullish(),
  attn_logit_softcapping: z.number().positive().nullish(),
  /** The part of each head that rotates; 1 if absent. */
  partial_rotary_factor: z.number().positive().max(1).nullish(),
  bos_token_id: tokenId,
  eos_token_id: tokenId,
  pad_token_id: z.int().nullish(),
});
export type HfConfig = z.infer<typeof Config>;

/** The size of one attention head. */
export function headDim(config: HfConfig): number {
  return config.head_dim ?? config.hidden_size / config.num_attention_heads;
}
