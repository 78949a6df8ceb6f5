/**
 * Reading config.json: the older and newer spellings of its keys brought to one, what each architecture leaves unsaid filled in, and
 * the whole checked.
 */
import { z } from 'zod';
import type { ArchitectureDefinition } from '../architecture.js';
import { Config, type HfConfig, type RawConfig, record } from './config.js';
import { CheckpointError } from './error.js';

/** A configuration, and the architecture that it is of. */
export interface Parsed {
  readonly config: HfConfig;
  readonly definition: ArchitectureDefinition;
}

type Raw = Record<string, unknown>;

/** Check a parsed `config.json` and tell which of `architectures` it is of; `where` names it in errors. */
export function parseConfig(json: unknown, where: string, architectures: readonly ArchitectureDefinition[]): Parsed {
  const raw = z.looseObject({ model_type: z.string() }).safeParse(json);
  if (!raw.success) throw new CheckpointError(`${where}: has no "model_type": it is not the config.json of a language model`);
  const text = architectures.reduce<RawConfig | undefined>((found, { textPart }) => found ?? textPart?.(raw.data), undefined) ?? raw.data;
  const definition = architectures.find(({ type }) => type === text.model_type);
  if (definition === undefined) {
    const known = architectures.map(({ type }) => type).join(', ');
    throw new CheckpointError(`${where}: the architecture is "${String(text.model_type)}"; these can be run: ${known}`);
  }
  const parsed = Config.safeParse(normalise(text, definition));
  if (!parsed.success) {
    const issues = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`);
    throw new CheckpointError(`${where}: ${issues.join('; ')}`);
  }
  const fault = faultOf(parsed.data);
  if (fault !== undefined) throw new CheckpointError(`${where}: ${fault}`);
  return { config: parsed.data, definition };
}

/** What in a configuration contradicts itself, or cannot be run in any architecture. */
function faultOf(config: HfConfig): string | undefined {
  const {
    num_attention_heads: heads,
    num_key_value_heads: keyHeads,
    hidden_size: width,
    num_hidden_layers: layers,
    layer_types: types,
  } = config;
  if (heads % keyHeads !== 0) return `num_attention_heads (${heads}) is not a multiple of num_key_value_heads (${keyHeads})`;
  if (config.head_dim == null && width % heads !== 0) {
    return `hidden_size (${width}) is not a multiple of num_attention_heads (${heads}), and there is no head_dim`;
  }
  if (config.use_bidirectional_attention === true) return 'use_bidirectional_attention is true: it is an encoder, not a language model';
  return types && types.length !== layers ? `layer_types has ${types.length} entries for ${layers} layers` : undefined;
}

/** Keys whose null means that the file leaves them out. A key of an architecture's defaults that a file sets to null keeps its null. */
const NULL_IS_UNSAID = [
  'rope_theta', 'rope_local_base_freq', 'rms_norm_eps', 'tie_word_embeddings', 'max_position_embeddings', 'hidden_act', 'attention_bias',
  'mlp_bias', 'head_dim',
];

/**
 * The same configuration in one spelling, defaults filled in: `rope_theta` and `rope_scaling` (Gemma 3: and `rope_local_base_freq`)
 * instead of `rope_parameters`, `hidden_act` instead of `hidden_activation`, and `sliding_window` with one of `layer_types` for each
 * layer, or neither where every layer sees everything.
 */
function normalise(json: RawConfig, definition: ArchitectureDefinition): RawConfig {
  const config: Raw = { ...json };
  config.num_key_value_heads ??= config.num_attention_heads;
  if (config.hidden_activation != null) config.hidden_act = config.hidden_activation;
  ropeKeys(config);
  for (const key of NULL_IS_UNSAID) if (config[key] === null) delete config[key];
  for (const [key, value] of Object.entries(definition.defaults ?? {})) if (!(key in config)) config[key] = value;
  windows(config, definition);
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
function windows(config: Raw, { windowed }: ArchitectureDefinition): void {
  const slides = windowed?.(config);
  if (slides === undefined || config.sliding_window == null) {
    delete config.sliding_window;
    delete config.layer_types;
    return;
  }
  const { num_hidden_layers: count } = config;
  const layers = typeof count === 'number' && count < 10_000 ? count : 0;
  const typeOf = (layer: number): string => (slides === 'every layer' || slides(layer) ? 'sliding_attention' : 'full_attention');
  const types = Array.from({ length: layers }, (_, layer) => typeOf(layer));
  if (slides === 'every layer') config.layer_types = types;
  else config.layer_types ??= types;
}
