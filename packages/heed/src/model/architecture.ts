import { UserError } from '../errors.js';
import type { Checkpoint } from './checkpoint/open.js';
import type { Architecture } from './parts.js';

/** Reads a decoder's dimensions from its config.json. Refuses architectures that Heed cannot run, by name. */
export function architectureOf(checkpoint: Checkpoint): Architecture {
  const { config } = checkpoint;
  if (config.model_type !== 'llama') throw new UserError(`${checkpoint.id} is a "${config.model_type}" model; Heed can run: llama.`);
  const headSize = config.head_dim ?? config.hidden_size / config.num_attention_heads;
  return {
    family: 'llama',
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
    tied: config.tie_word_embeddings ?? false,
  };
}
