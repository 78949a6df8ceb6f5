import { CheckpointError } from './error.js';
import { headDim, type HfConfig } from './config.js';

/** Every tensor that a Llama model of this configuration has, by its Hugging Face name, with its shape. */
export function expectedTensors(config: HfConfig): Map<string, readonly number[]> {
  const { hidden_size: hidden, intermediate_size: inner, vocab_size: vocabulary } = config;
  const queries = config.num_attention_heads * headDim(config), keys = config.num_key_value_heads * headDim(config);
  const out = new Map<string, readonly number[]>();
  const linear = (name: string, rows: number, columns: number, bias: boolean): void => {
    out.set(`${name}.weight`, [rows, columns]);
    if (bias) out.set(`${name}.bias`, [rows]);
  };
  out.set('model.embed_tokens.weight', [vocabulary, hidden]);
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const at = `model.layers.${layer}`;
    out.set(`${at}.input_layernorm.weight`, [hidden]);
    linear(`${at}.self_attn.q_proj`, queries, hidden, config.attention_bias);
    linear(`${at}.self_attn.k_proj`, keys, hidden, config.attention_bias);
    linear(`${at}.self_attn.v_proj`, keys, hidden, config.attention_bias);
    linear(`${at}.self_attn.o_proj`, hidden, queries, config.attention_bias);
    out.set(`${at}.post_attention_layernorm.weight`, [hidden]);
    linear(`${at}.mlp.gate_proj`, inner, hidden, config.mlp_bias);
    linear(`${at}.mlp.up_proj`, inner, hidden, config.mlp_bias);
    linear(`${at}.mlp.down_proj`, hidden, inner, config.mlp_bias);
  }
  out.set('model.norm.weight', [hidden]);
  if (!config.tie_word_embeddings) out.set('lm_head.weight', [vocabulary, hidden]);
  return out;
}

/** Check that the weights are those the configuration describes; returns the names of tensors that it does not use. */
export function checkTensors(config: HfConfig, shapes: ReadonlyMap<string, readonly number[]>, where: string): string[] {
  const expected = expectedTensors(config);
  const faults: string[] = [];
  for (const [name, shape] of expected) {
    const found = shapes.get(name);
    if (!found) faults.push(`${name} is missing`);
    else if (found.join() !== shape.join()) faults.push(`${name} has the shape [${found.join(', ')}] where config.json implies [${shape.join(', ')}]`);
  }
  if (faults.length > 0) {
    const shown = faults.slice(0, 5).join('; ');
    throw new CheckpointError(`${where}: the weights are not those that config.json describes: ${shown}${faults.length > 5 ? `; and ${faults.length - 5} more` : ''}`);
  }
  return [...shapes.keys()].filter((name) => !expected.has(name));
}
