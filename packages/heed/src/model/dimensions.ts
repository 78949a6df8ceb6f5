/** What architectures share in reading config.json: dimensions, and the shapes of a layer's weights. */
import { UserError } from '../errors.js';
import type { Dimensions, Shapes } from './architecture.js';
import { type HfConfig, headDim } from './checkpoint/config.js';

/** What config.json says in the same words for every architecture. */
export function commonDimensions(config: HfConfig): Dimensions {
  const headSize = headDim(config);
  const dimensions: Dimensions = {
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
  if (window == null || types === undefined || window >= dimensions.context || !types.includes('sliding_attention')) return dimensions;
  return { ...dimensions, local: { window, layers: types.map((type) => type === 'sliding_attention') } };
}

/** Refuses a config.json whose `key` is set to something that changes the computation in a way that is not known here. */
export function only(config: HfConfig, key: string, known?: unknown): void {
  const value = config[key] ?? undefined;
  if (value === undefined || value === known) return;
  const wanted = known === undefined ? 'none' : JSON.stringify(known);
  throw new UserError(`config.json: ${key} is ${JSON.stringify(value)}; Heed runs ${config.model_type} models with ${wanted} only.`);
}

/** Sizes that the weights of a layer are made of: the model's width, the feed-forward width, all queries, all keys, one head. */
export function sizesOf(config: HfConfig): {
  readonly width: number;
  readonly inner: number;
  readonly queries: number;
  readonly keys: number;
  readonly head: number;
} {
  const head = headDim(config);
  const { hidden_size: width, intermediate_size: inner, num_attention_heads: heads, num_key_value_heads: keyHeads } = config;
  return { width, inner, queries: heads * head, keys: keyHeads * head, head };
}

/** Shapes of a linear module: weight [outputs, inputs], and bias [outputs] where it has one. */
export const linearShapes = (module: string, outputs: number, inputs: number, bias = false): Shapes =>
  ({ [`${module}.weight`]: [outputs, inputs], ...(bias && { [`${module}.bias`]: [outputs] }) });

/** Which modules of a layer have biases, and which norms there are beside Llama's two. */
export interface LayerOptions {
  /** Biases of queries, keys and values. */
  readonly inputBias?: boolean;
  /** Bias of attention's output. */
  readonly outputBias?: boolean;
  /** Biases of the feed-forward part. */
  readonly mlpBias?: boolean;
  /** A norm for each head of the queries and keys. */
  readonly headNorms?: boolean;
  /** Norms before and after the feed-forward part. */
  readonly feedForwardNorms?: boolean;
}

/** The tensors of a layer as Llama has them, in the order of its files. */
export function llamaLayer(config: HfConfig, { inputBias, outputBias, mlpBias, headNorms, feedForwardNorms }: LayerOptions): Shapes {
  const { width, inner, queries, keys, head } = sizesOf(config);
  return {
    'input_layernorm.weight': [width],
    ...linearShapes('self_attn.q_proj', queries, width, inputBias),
    ...linearShapes('self_attn.k_proj', keys, width, inputBias),
    ...linearShapes('self_attn.v_proj', keys, width, inputBias),
    ...(headNorms && { 'self_attn.q_norm.weight': [head], 'self_attn.k_norm.weight': [head] }),
    ...linearShapes('self_attn.o_proj', width, queries, outputBias),
    'post_attention_layernorm.weight': [width],
    ...(feedForwardNorms && { 'pre_feedforward_layernorm.weight': [width], 'post_feedforward_layernorm.weight': [width] }),
    ...linearShapes('mlp.gate_proj', inner, width, mlpBias),
    ...linearShapes('mlp.up_proj', inner, width, mlpBias),
    ...linearShapes('mlp.down_proj', width, inner, mlpBias),
  };
}
