import { z } from 'zod';
import { CheckpointError } from './error.js';

/** `model_type`s that can be run: the one list of them. */
export const ARCHITECTURES: readonly string[] = ['llama'];

const count = z.int().positive();
const tokenId = z.union([z.int().nonnegative(), z.array(z.int().nonnegative())]).nullish();

/** A Hugging Face `config.json`, with Llama's defaults where the file is silent; unknown keys are kept. */
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
  bos_token_id: tokenId,
  eos_token_id: tokenId,
  pad_token_id: z.int().nullish(),
});
export type HfConfig = z.infer<typeof Config>;

/** Check a parsed `config.json`; `where` names it in errors. */
export function parseConfig(json: unknown, where: string): HfConfig {
  const raw = z.looseObject({ model_type: z.string() }).safeParse(json);
  if (!raw.success) throw new CheckpointError(`${where}: has no "model_type": it is not the config.json of a language model`);
  runnable(raw.data.model_type, where);
  const parsed = Config.safeParse(normalise(raw.data));
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
  return config;
}

/** Throws unless models of this type can be run. */
export function runnable(architecture: string, where: string): void {
  if (!ARCHITECTURES.includes(architecture)) {
    throw new CheckpointError(`${where}: the architecture is "${architecture}"; these can be run: ${ARCHITECTURES.join(', ')}`);
  }
}

/** Newer transformers keep rope's keys together in `rope_parameters`: spell them in the way of all other files. */
function normalise(json: Record<string, unknown>): Record<string, unknown> {
  const config = { ...json };
  config.num_key_value_heads ??= config.num_attention_heads;
  const rope = config.rope_parameters;
  if (typeof rope === 'object' && rope !== null && !Array.isArray(rope)) {
    const { rope_theta: theta, ...scaling } = rope as Record<string, unknown>;
    if (theta !== undefined) config.rope_theta ??= theta;
    if (scaling.rope_type !== undefined && scaling.rope_type !== 'default') config.rope_scaling ??= scaling;
  }
  for (const key of ['rope_theta', 'rms_norm_eps', 'tie_word_embeddings', 'max_position_embeddings', 'hidden_act', 'attention_bias', 'mlp_bias']) {
    if (config[key] === null) delete config[key];
  }
  return config;
}

/** The size of one attention head. */
export function headDim(config: HfConfig): number {
  return config.head_dim ?? config.hidden_size / config.num_attention_heads;
}
