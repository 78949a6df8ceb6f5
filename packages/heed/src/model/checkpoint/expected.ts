import { CheckpointError } from './error.js';
import { headDim, type HfConfig } from './config.js';

/** Every tensor that a model of this configuration has, by its Hugging Face name, with its shape. */
export function expectedTensors(config: HfConfig): Map<string, readonly number[]> {
  const { model_type: family, hidden_size: hidden, intermediate_size: inner, vocab_size: vocabulary } = config;
  const head = headDim(config), queries = config.num_attention_heads * head, keys = config.num_key_value_heads * head;
  const gemma = family === 'gemma3_text';
  // Mistral and Phi-3 never have biases, Qwen 2 has them on the three inputs of attention and nowhere else, whatever the file says.
  const attentionBias = config.attention_bias && family !== 'mistral' && family !== 'phi3';
  const inputBias = family === 'qwen2' || attentionBias, outputBias = family !== 'qwen2' && attentionBias;
  const mlpBias = config.mlp_bias && family === 'llama';
  const out = new Map<string, readonly number[]>();
  const norm = (name: string, size: number): void => { out.set(`${name}.weight`, [size]); };
  const linear = (name: string, rows: number, columns: number, bias: boolean): void => {
    out.set(`${name}.weight`, [rows, columns]);
    if (bias) out.set(`${name}.bias`, [rows]);
  };
  out.set('model.embed_tokens.weight', [vocabulary, hidden]);
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const at = `model.layers.${layer}`;
    norm(`${at}.input_layernorm`, hidden);
    if (family === 'phi3') linear(`${at}.self_attn.qkv_proj`, queries + 2 * keys, hidden, false);
    else {
      linear(`${at}.self_attn.q_proj`, queries, hidden, inputBias);
      linear(`${at}.self_attn.k_proj`, keys, hidden, inputBias);
      linear(`${at}.self_attn.v_proj`, keys, hidden, inputBias);
    }
    if (gemma || family === 'qwen3') {
      norm(`${at}.self_attn.q_norm`, head);
      norm(`${at}.self_attn.k_norm`, head);
    }
    linear(`${at}.self_attn.o_proj`, hidden, queries, outputBias);
    norm(`${at}.post_attention_layernorm`, hidden);
    if (gemma) {
      norm(`${at}.pre_feedforward_layernorm`, hidden);
      norm(`${at}.post_feedforward_layernorm`, hidden);
    }
    if (family === 'phi3') linear(`${at}.mlp.gate_up_proj`, 2 * inner, hidden, false);
    else {
      linear(`${at}.mlp.gate_proj`, inner, hidden, mlpBias);
      linear(`${at}.mlp.up_proj`, inner, hidden, mlpBias);
    }
    linear(`${at}.mlp.down_proj`, hidden, inner, mlpBias);
  }
  norm('model.norm', hidden);
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
