/** The keys of a model's GGUF file, out of config.json and the tokenizer's files, or out of the GGUF that the base was read from. */
import fs from 'node:fs/promises';
import path from 'node:path';
import { gguf } from '@huggingface/gguf';
import { ggufVocabulary } from '../text/gguf-vocabulary-write.js';
import { loadTokenizer } from '../text/tokenizer.js';
import { headDim, type HfConfig } from './checkpoint/config.js';
import { CheckpointError } from './checkpoint/error.js';
import type { Checkpoint } from './checkpoint/open.js';
import type { GgufReading } from './checkpoint/gguf/reading.js';
import { f32, flag, i32s, type Metadata, text, texts, u32 } from './checkpoint/gguf/write.js';

/** Architectures whose config.json says nothing that these keys do not say. */
const PLAIN: ReadonlySet<string> = new Set(['llama', 'mistral', 'qwen2', 'qwen3']);

const OTHER_WAYS = 'take the base as a .gguf file, whose keys are copied; or export --to safetensors and convert that with llama.cpp\'s ' +
  'convert_hf_to_gguf.py';

/** The `.gguf` file that a model was opened from; undefined for a folder. */
export const ggufFile = ({ id }: Pick<Checkpoint, 'id'>): string | undefined => (id.toLowerCase().endsWith('.gguf') ? id : undefined);

/** @throws CheckpointError or UserError for a model whose keys Heed cannot write */
export async function modelMetadata(checkpoint: Checkpoint, { architecture }: GgufReading): Promise<Metadata> {
  const file = ggufFile(checkpoint);
  if (file !== undefined) return copied(file);
  return { ...configKeys(checkpoint, architecture), ...await tokenizerKeys(checkpoint) };
}

/** All keys of a file but those that are about how its numbers were packed. */
async function copied(file: string): Promise<Metadata> {
  const { typedMetadata } = await gguf(path.resolve(file), { allowLocalFile: true, typedMetadata: true });
  const keys = Object.entries(typedMetadata as Metadata).filter(([key]) =>
    !/^(version|tensor_count|kv_count|quantize\..*|general\.(file_type|quantization_version|alignment))$/.test(key));
  return Object.fromEntries(keys);
}

function configKeys({ id, config, definition }: Checkpoint, architecture: string): Metadata {
  const { type } = definition;
  if (!PLAIN.has(type)) throw new CheckpointError(`${id}: the keys of a ${type} model cannot be written; ${OTHER_WAYS}`);
  const size = headDim(config), key = (name: string): string => `${architecture}.${name}`;
  return {
    'general.architecture': text(architecture),
    'general.type': text('model'),
    'general.name': text(path.basename(id)),
    [key('context_length')]: u32(config.max_position_embeddings),
    [key('embedding_length')]: u32(config.hidden_size),
    [key('block_count')]: u32(config.num_hidden_layers),
    [key('feed_forward_length')]: u32(config.intermediate_size),
    [key('attention.head_count')]: u32(config.num_attention_heads),
    [key('attention.head_count_kv')]: u32(config.num_key_value_heads),
    [key('attention.layer_norm_rms_epsilon')]: f32(config.rms_norm_eps),
    [key('attention.key_length')]: u32(size),
    [key('attention.value_length')]: u32(size),
    [key('rope.dimension_count')]: u32(size),
    [key('rope.freq_base')]: f32(config.rope_theta),
    [key('vocab_size')]: u32(config.vocab_size),
    ...windowKeys(id, config, type, key),
    ...scalingKeys(id, config, key),
  };
}

function windowKeys(id: string, { sliding_window: window }: HfConfig, type: string, key: (name: string) => string): Metadata {
  if (window === null || window === undefined) return {};
  if (type === 'mistral') return { [key('attention.sliding_window')]: u32(window) };
  throw new CheckpointError(`${id}: a ${type} model with a sliding window cannot be written to GGUF; ${OTHER_WAYS}`);
}

/** Llama 3's scaling is a tensor (`ropeFactors`), and no key. */
function scalingKeys(id: string, { rope_scaling: scaling }: HfConfig, key: (name: string) => string): Metadata {
  const type = scaling?.['rope_type'] ?? scaling?.['type'] ?? 'default';
  if (type === 'default' || type === 'llama3') return {};
  if (type !== 'linear') throw new CheckpointError(`${id}: rotary scaling ${JSON.stringify(type)} cannot be written; ${OTHER_WAYS}`);
  return { [key('rope.scaling.type')]: text('linear'), [key('rope.scaling.factor')]: f32(Number(scaling!['factor'])) };
}

/** What each rotary frequency is divided by under Llama 3's scaling (transformers' `_compute_llama3_parameters`); undefined without it. */
export function ropeFactors(config: HfConfig): Float32Array | undefined {
  const { rope_scaling: scaling, rope_theta: base } = config, size = headDim(config);
  if ((scaling?.['rope_type'] ?? scaling?.['type']) !== 'llama3') return undefined;
  const [factor, low, high, context] = ['factor', 'low_freq_factor', 'high_freq_factor', 'original_max_position_embeddings']
    .map((key) => Number(scaling![key])) as [number, number, number, number];
  return Float32Array.from({ length: size / 2 }, (_, i) => {
    const wavelength = 2 * Math.PI * base ** ((2 * i) / size);
    if (wavelength < context / high) return 1;
    if (wavelength > context / low) return factor;
    const smooth = (context / wavelength - low) / (high - low);
    return 1 / ((1 - smooth) / factor + smooth);
  });
}

async function tokenizerKeys({ home, config }: Checkpoint): Promise<Metadata> {
  const read = async (name: string): Promise<Record<string, unknown>> =>
    JSON.parse(await fs.readFile(path.join(home, name), 'utf8')) as Record<string, unknown>;
  const [json, own, tokenizer] = await Promise.all([read('tokenizer.json'), read('tokenizer_config.json'), loadTokenizer(home)]);
  const { pre, tokens, types, merges, ids, addsBos, chatTemplate } = ggufVocabulary(json, own, tokenizer, config.vocab_size);
  return {
    'tokenizer.ggml.model': text('gpt2'), 'tokenizer.ggml.pre': text(pre), 'tokenizer.ggml.tokens': texts(tokens),
    'tokenizer.ggml.token_type': i32s(types), 'tokenizer.ggml.merges': texts(merges),
    ...Object.fromEntries(Object.entries(ids).flatMap(([name, id]) =>
      (id === undefined ? [] : [[`tokenizer.ggml.${name}_token_id`, u32(id)]]))),
    'tokenizer.ggml.add_bos_token': flag(addsBos),
    ...(chatTemplate !== undefined && { 'tokenizer.chat_template': text(chatTemplate) }),
  };
}
