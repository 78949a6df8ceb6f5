import type { ArchitectureDefinition } from '../../architecture.js';
import { CheckpointError } from '../error.js';
import { number } from './metadata.js';
import type { GgufReading } from './reading.js';
import type { Gguf, GgufTensor } from './read.js';

/** One tensor on its way from GGUF to Hugging Face. */
export interface Renamed {
  readonly name: string;
  readonly tensor: GgufTensor;
  /** llama.cpp interleaves the two halves of each rotary head's rows: the number of heads to undo it for. */
  readonly heads?: number;
  /** What llama.cpp's converter added to every value. */
  readonly added?: number;
}

const TOP: Readonly<Record<string, string>> = { token_embd: 'model.embed_tokens', output_norm: 'model.norm', output: 'lm_head' };
const LAYER: Readonly<Record<string, string>> = {
  attn_norm: 'input_layernorm', ffn_norm: 'post_attention_layernorm',
  attn_q: 'self_attn.q_proj', attn_k: 'self_attn.k_proj', attn_v: 'self_attn.v_proj', attn_output: 'self_attn.o_proj',
  ffn_gate: 'mlp.gate_proj', ffn_up: 'mlp.up_proj', ffn_down: 'mlp.down_proj',
};

/** Llama 3's rotary factors: read into the configuration, not among the weights. */
export const ROPE_FACTORS = 'rope_freqs.weight';

/** The architecture that a GGUF's metadata names, read as one of `architectures` says. */
export function ggufReading(gguf: Gguf, where: string, architectures: readonly ArchitectureDefinition[]): GgufReading {
  const name = gguf.metadata.get('general.architecture');
  if (typeof name !== 'string') throw new CheckpointError(`${where}: the metadata has no general.architecture`);
  const readings = architectures.flatMap(({ gguf: reading }) => reading ?? []);
  const found = readings.find(({ architecture }) => architecture === name);
  if (found !== undefined) return found;
  const known = [...new Set(readings.map(({ architecture }) => architecture))].join(', ');
  throw new CheckpointError(`${where}: the architecture is "${name}"; these can be run: ${known}`);
}

/** Hugging Face names of a GGUF's tensors. A tensor without one is an error: leaving it out would be another model. */
export function renameTensors(gguf: Gguf, where: string, architectures: readonly ArchitectureDefinition[]): Renamed[] {
  const reading = ggufReading(gguf, where, architectures), { architecture } = reading;
  const layers = { ...LAYER, ...reading.layer };
  const heads = number(gguf, `${architecture}.attention.head_count`, where);
  const keyHeads = gguf.metadata.has(`${architecture}.attention.head_count_kv`)
    ? number(gguf, `${architecture}.attention.head_count_kv`, where)
    : heads;
  const rotaryHeads = new Map([['attn_q', heads], ['attn_k', keyHeads]]);
  const out: Renamed[] = [];
  for (const tensor of gguf.tensors.values()) {
    if (tensor.name === ROPE_FACTORS || reading.rotary?.includes(tensor.name)) continue;
    const match = /^(?:blk\.(\d+)\.)?(\w+)\.(weight|bias)$/.exec(tensor.name);
    const [, layer, part, kind] = match ?? [];
    const table = layer === undefined ? TOP : layers;
    if (part === undefined || kind === undefined || !Object.hasOwn(table, part)) {
      throw new CheckpointError(
        `${where}: the tensor ${tensor.name} is not part of a plain ${architecture} model (mixtures of experts and multimodal ` +
        'models cannot be run)',
      );
    }
    out.push({
      name: `${layer === undefined ? '' : `model.layers.${Number(layer)}.`}${table[part]}.${kind}`,
      tensor,
      heads: reading.permuted ? rotaryHeads.get(part) : undefined,
      added: reading.norms !== undefined && part.endsWith('norm') ? reading.norms : undefined,
    });
  }
  return out;
}

/** A GGUF name, and of how many rotary heads the rows are that llama.cpp interleaves. */
export interface GgufName {
  readonly name: string;
  readonly heads?: number;
}

/**
 * The way back: from Hugging Face names to those of GGUF.
 *
 * @param counts Attention heads, and those of keys.
 * @throws CheckpointError for a name that the format has no place for
 */
export function ggufNamer(
  { architecture, layer = {}, permuted }: GgufReading, { heads, keyHeads }: { readonly heads: number; readonly keyHeads: number },
): (name: string) => GgufName {
  const swap = (table: Readonly<Record<string, string>>): Map<string, string> =>
    new Map(Object.entries(table).map(([theirs, ours]) => [ours, theirs]));
  const [top, layers] = [swap(TOP), swap({ ...LAYER, ...layer })];
  const rotary = new Map([['attn_q', heads], ['attn_k', keyHeads]]);
  return (name) => {
    const [, index, part = '', kind = ''] = /^(?:model\.layers\.(\d+)\.)?(.+?)(\.weight|\.bias)?$/.exec(name) ?? [];
    const theirs = index === undefined ? top.get(part) : layers.get(part);
    if (theirs === undefined) throw new CheckpointError(`${name}: a GGUF of the architecture ${architecture} has no such tensor`);
    return { name: `${index === undefined ? '' : `blk.${index}.`}${theirs}${kind}`, heads: permuted ? rotary.get(theirs) : undefined };
  };
}

/** llama.cpp's `permute`: row i·(size/2) + j of a rotary head becomes its row 2j + i. */
export function interleaveRows(values: Float32Array, rows: number, heads: number): Float32Array {
  const width = values.length / rows, size = rows / heads, out = new Float32Array(values.length);
  for (let head = 0; head < heads; head++) {
    for (let j = 0; j < size / 2; j++) {
      for (let i = 0; i < 2; i++) {
        const from = (head * size + i * (size / 2) + j) * width;
        out.set(values.subarray(from, from + width), (head * size + 2 * j + i) * width);
      }
    }
  }
  return out;
}
