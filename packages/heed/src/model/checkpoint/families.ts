/**
 * What a config.json of each `model_type` leaves unsaid, in the defaults of transformers' configuration classes; and its older and
 * newer spellings brought to one.
 */

/** Raw values of a config.json. */
type Raw = Record<string, unknown>;

/** By `model_type`: the one list of the models that can be run. A key that a file sets to null keeps its null. */
const DEFAULTS: Readonly<Record<string, Readonly<Raw>>> = {
  llama: {},
  mistral: { sliding_window: 4096 },
  qwen2: { use_sliding_window: false, sliding_window: 4096, max_window_layers: 28 },
  qwen3: { head_dim: 128, use_sliding_window: false, sliding_window: 4096, max_window_layers: 28 },
  gemma3_text: {
    head_dim: 256, hidden_act: 'gelu_pytorch_tanh', tie_word_embeddings: true, rope_theta: 1_000_000, rope_local_base_freq: 10_000,
    query_pre_attn_scalar: 256, sliding_window: 4096, sliding_window_pattern: 6, max_position_embeddings: 131_072,
  },
  phi3: { rms_norm_eps: 1e-5, max_position_embeddings: 4096 },
};

/** `model_type`s that can be run. */
export const FAMILIES: readonly string[] = Object.keys(DEFAULTS);

/**
 * The text part of a model that sees images too (Gemma 3 from 4B on: `gemma3` with a `text_config`), as if it were alone; any
 * other configuration as it is.
 */
export function textPart(json: Readonly<Raw>): Raw {
  const text = json.model_type === 'gemma3' ? record(json.text_config) : undefined;
  if (text === undefined) return { ...json };
  const whole = Object.fromEntries(['bos_token_id', 'eos_token_id', 'pad_token_id', 'tie_word_embeddings'].flatMap((key) => (json[key] == null ? [] : [[key, json[key]]])));
  return { num_attention_heads: 8, num_key_value_heads: 4, vocab_size: 262_208, ...text, ...whole, model_type: 'gemma3_text', architectures: ['Gemma3ForCausalLM'] };
}

/** A tensor of the text part, by the name that it has where the text part is alone. */
export const textTensor = (name: string): string => name.replace(/^language_model\.(?=model\.|lm_head\.)/, '').replace(/^model\.language_model\./, 'model.');

/**
 * The same configuration in one spelling, defaults filled in: `rope_theta` and `rope_scaling` (Gemma 3: and `rope_local_base_freq`)
 * instead of `rope_parameters`, `hidden_act` instead of `hidden_activation`, and `sliding_window` with one of `layer_types` for each
 * layer, or neither where every layer sees everything.
 */
export function normalise(json: Readonly<Raw>): Raw {
  const config: Raw = { ...json };
  const family = String(config.model_type);
  config.num_key_value_heads ??= config.num_attention_heads;
  if (config.hidden_activation != null) config.hidden_act = config.hidden_activation;
  ropeKeys(config);
  for (const key of ['rope_theta', 'rope_local_base_freq', 'rms_norm_eps', 'tie_word_embeddings', 'max_position_embeddings', 'hidden_act', 'attention_bias', 'mlp_bias', 'head_dim']) {
    if (config[key] === null) delete config[key];
  }
  for (const [key, value] of Object.entries(DEFAULTS[family] ?? {})) if (!(key in config)) config[key] = value;
  windows(config, family);
  return config;
}

/** Newer transformers keep rope's keys together in `rope_parameters`, Gemma 3's once for each kind of layer. */
function ropeKeys(config: Raw): void {
  const rope = record(config.rope_parameters);
  if (rope === undefined) return;
  const local = record(rope.sliding_attention), global = record(rope.full_attention);
  if (local?.rope_theta !== undefined) config.rope_local_base_freq ??= local.rope_theta;
  const { rope_theta: theta, ...scaling } = global ?? rope;
  if (theta !== undefined) config.rope_theta ??= theta;
  if (scaling.partial_rotary_factor !== undefined) config.partial_rotary_factor ??= scaling.partial_rotary_factor;
  if (scaling.rope_type !== undefined && scaling.rope_type !== 'default') config.rope_scaling ??= scaling;
}

/** Which layers see only the last `sliding_window` tokens. */
function windows(config: Raw, family: string): void {
  if (family === 'llama' || ((family === 'qwen2' || family === 'qwen3') && config.use_sliding_window !== true)) config.sliding_window = null;
  if (config.sliding_window == null) {
    delete config.sliding_window;
    delete config.layer_types;
    return;
  }
  const layers = typeof config.num_hidden_layers === 'number' && config.num_hidden_layers < 10_000 ? config.num_hidden_layers : 0;
  const pattern = Number(config._sliding_window_pattern ?? config.sliding_window_pattern), first = Number(config.max_window_layers);
  const slides = (layer: number): boolean =>
    family === 'gemma3_text' ? (layer + 1) % pattern !== 0 : family === 'qwen2' || family === 'qwen3' ? layer >= first : true;
  const types = Array.from({ length: layers }, (_, layer) => slides(layer) ? 'sliding_attention' : 'full_attention');
  // Mistral and Phi-3 have no such key: their window is every layer's.
  if (family === 'mistral' || family === 'phi3') config.layer_types = types;
  else config.layer_types ??= types;
}

function record(value: unknown): Raw | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Raw : undefined;
}
