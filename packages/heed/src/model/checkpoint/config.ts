import { z } from 'zod';
import { CheckpointError } from './error.js';
import { FAMILIES, normalise, textPart } from './families.js';

/** `model_type`s that can be run. */
export const ARCHITECTURES = FAMILIES;

const count = z.int().positive();
const tokenId = z.union([z.int().nonnegative(), z.array(z.int().nonnegative())]).nullish();

/** A Hugging Face `config.json` as `normalise` spells it, with Llama's defaults where the file is silent; unknown keys are kept. */
const Config = z.looseObject({
  model_type: z.string(),
  hidden_size: count,
  num_hidden_layers: count,
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

/** Check a parsed `config.json`; `where` names it in errors. */
export function parseConfig(json: unknown, where: string): HfConfig {
  const raw = z.looseObject({ model_type: z.string() }).safeParse(json);
  if (!raw.success) throw new CheckpointError(`${where}: has no "model_type": it is not the config.json of a language model`);
  const text = textPart(raw.data);
  runnable(String(text.model_type), where);
  const parsed = Config.safeParse(normalise(text));
  if (!parsed.success) {
    const issues = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`);
    throw new CheckpointError(`${where}: ${issues.join('; ')}`);
  }
  const config = parsed.data;
  if (config.num_attention_heads % config.num_key_value_heads !== 0) {
    throw new CheckpointError(`${where}: num_attention_heads (${config.num_attention_heads}) is not a multiple of num_key_value_heads (${config.num_key_value_heads})`);
  }
  if (config.head_dim == null && config.hidden_size % config.num_attention_heads !== 0) {
    throw new CheckpointError(`${where}: hidden_size (${config.hidden_size}) is not a multiple of num_attention_heads (${config.num_attention_heads}), and there is no head_dim`);
  }
  if (config.use_bidirectional_attention === true) throw new CheckpointError(`${where}: use_bidirectional_attention is true: it is an encoder, not a language model`);
  if (config.layer_types && config.layer_types.length !== config.num_hidden_layers) {
    throw new CheckpointError(`${where}: layer_types has ${config.layer_types.length} entries for ${config.num_hidden_layers} layers`);
  }
  return config;
}

/** Throws unless models of this type can be run. */
export function runnable(architecture: string, where: string): void {
  if (!FAMILIES.includes(architecture)) {
    throw new CheckpointError(`${where}: the architecture is "${architecture}"; these can be run: ${FAMILIES.join(', ')}`);
  }
}

/** The size of one attention head. */
export function headDim(config: HfConfig): number {
  return config.head_dim ?? config.hidden_size / config.num_attention_heads;
}
