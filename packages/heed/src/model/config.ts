import { UserError } from '../errors.js';
import { type HfConfig, headDim } from './checkpoint/config.js';
import type { Architecture, Family } from './parts.js';

/** What config.json says in the same words for every architecture. */
export function commonArchitecture(family: Family, config: HfConfig): Architecture {
  const headSize = headDim(config);
  const architecture: Architecture = {
    family,
    layers: config.num_hidden_layers,
    width: config.hidden_size,
    innerWidth: config.intermediate_size,
    heads: config.num_attention_heads,
    keyHeads: config.num_key_value_heads,
    headSize,
    scale: 1 / Math.sqrt(headSize),
    vocabulary: config.vocab_size,
    context: config.max_position_embeddings,
    epsilon: config.rms_norm_eps,
    rope: { headSize, theta: config.rope_theta, scaling: config.rope_scaling ?? undefined },
    tied: config.tie_word_embeddings,
  };
  const { sliding_window: window, layer_types: types } = config;
  // A window as long as the context hides nothing.
  if (window == null || types === undefined || window >= architecture.context || !types.includes('sliding_attention')) return architecture;
  return { ...architecture, local: { window, layers: types.map((type) => type === 'sliding_attention') } };
}

/** Refuses a config.json whose `key` is set to something that changes the computation in a way that is not known here. */
export function only(config: HfConfig, key: string, known?: unknown): void {
  const value = config[key] ?? undefined;
  if (value === undefined || value === known) return;
  throw new UserError(`config.json: ${key} is ${JSON.stringify(value)}; Heed runs ${config.model_type} models with ${known === undefined ? 'none' : JSON.stringify(known)} only.`);
}
