/** Adapters and merged models as GGUF files, for llama.cpp and what is built on it. */
import path from 'node:path';
import { requireNoHead } from './adapter.js';
import { ARCHITECTURES } from './architectures/index.js';
import { CheckpointError } from './checkpoint/error.js';
import type { Checkpoint } from './checkpoint/open.js';
import { readTensor } from './checkpoint/open.js';
import { fitting, type WrittenType } from './checkpoint/gguf/encode.js';
import { type GgufName, ggufNamer, interleaveRows, ROPE_FACTORS } from './checkpoint/gguf/names.js';
import type { GgufReading } from './checkpoint/gguf/reading.js';
import { f32, type Metadata, text, type TensorToWrite, u32, writeGguf } from './checkpoint/gguf/write.js';
import { ggufFile, modelMetadata, ropeFactors } from './gguf-metadata.js';
import { mergedModule } from './merge-host.js';
import type { Adapter } from './peft.js';

/** How a merged model's matrices are packed: 16 bits a weight, or 8 and a half. */
export type GgufType = 'f16' | 'q8_0';
const TYPES: Readonly<Record<GgufType, WrittenType>> = { f16: 'F16', q8_0: 'Q8_0' };
/** llama.cpp's numbers of a file's type. */
const FILE_TYPE = { F32: 0, F16: 1, Q8_0: 7 } as const;

/**
 * Writes an adapter as llama.cpp's `--lora` takes it. The format has one alpha for all modules and scales by alpha ÷ rank; rank-stabilised
 * adapters are written with alpha·√rank, and where modules differ in strength, their B makes up for it.
 *
 * @param file Must not be there.
 * @throws UserError for an adapter with a head, CheckpointError for a model that GGUF has no names for
 */
export async function exportGgufLora(checkpoint: Checkpoint, { plan, parameters }: Adapter, file: string): Promise<void> {
  requireNoHead(plan);
  const reading = readingOf(checkpoint), nameOf = namer(checkpoint, reading);
  const modules = [...plan.modules.values()];
  // 0 would mean a scale of 1.
  const alpha = modules.map(({ scale, rank }) => scale * rank).find((strength) => strength !== 0) ?? 1;
  const tensors = modules.flatMap(({ name: module, rank, scale, a, b }): TensorToWrite[] => {
    const { name, heads } = nameOf(`${module}.weight`), strength = (scale * rank) / alpha;
    const cut = (part: typeof a): Float32Array => parameters.subarray(part.offset, part.offset + part.shape[0] * part.shape[1]);
    return [
      { name: `${name}.lora_a`, shape: a.shape, type: 'F32', data: () => cut(a) },
      {
        name: `${name}.lora_b`, shape: b.shape, type: 'F32',
        data: () => turned(strength === 1 ? cut(b) : cut(b).map((x) => x * strength), b.shape[0], heads),
      },
    ];
  });
  await writeGguf(file, {
    'general.type': text('adapter'), 'general.architecture': text(reading.architecture), 'general.name': text(path.basename(file, '.gguf')),
    'general.file_type': u32(FILE_TYPE.F32), 'adapter.type': text('lora'), 'adapter.lora.alpha': f32(alpha),
  }, tensors);
}

/**
 * Writes a model with an adapter merged in. Vectors and norms stay 32-bit. From a base that is a GGUF file, its own keys are copied.
 *
 * @param file Must not be there.
 * @param onTensor is told how many tensors are done
 * @throws UserError or CheckpointError for a model or tokenizer that Heed cannot write to GGUF
 */
export async function exportGguf(
  checkpoint: Checkpoint, adapter: Adapter, file: string, type: GgufType, onTensor?: (done: number) => void,
): Promise<void> {
  requireNoHead(adapter.plan);
  const reading = readingOf(checkpoint), nameOf = namer(checkpoint, reading), packed = TYPES[type];
  const metadata: Metadata = {
    ...await modelMetadata(checkpoint, reading), 'general.file_type': u32(FILE_TYPE[packed]), 'general.quantization_version': u32(2),
  };
  const extra = extraTensors(checkpoint, reading);
  let done = 0;
  const tensors = [...checkpoint.tensors.values()].map(({ name: module, shape }): TensorToWrite => {
    const { name, heads } = nameOf(module), vector = shape.length === 1 || name.includes('norm');
    return {
      name, shape, type: vector ? 'F32' : fitting(packed, shape.at(-1)!),
      async data() {
        const values = turned(await valuesOf(checkpoint, adapter, module), shape[0], heads);
        onTensor?.(++done);
        return reading.norms !== undefined && name.includes('norm') ? values.map((x) => x + reading.norms!) : values;
      },
    };
  });
  await writeGguf(file, metadata, [...extra, ...tensors]);
}

function valuesOf(checkpoint: Checkpoint, adapter: Adapter, name: string): Promise<Float32Array> {
  const module = adapter.plan.modules.get(name.replace(/\.weight$/, ''));
  return module === undefined ? readTensor(checkpoint, name) : mergedModule(checkpoint, adapter.parameters, module);
}

const turned = (values: Float32Array, rows: number, heads: number | undefined): Float32Array =>
  (heads === undefined ? values : interleaveRows(values, rows, heads));

/** Llama 3's rotary factors. Others are not written: a model that has them is refused, unless a file brings its own keys for them. */
function extraTensors(checkpoint: Checkpoint, { rotary = [] }: GgufReading): TensorToWrite[] {
  if (ggufFile(checkpoint) !== undefined && rotary.length > 0 && checkpoint.config.rope_scaling) {
    throw new CheckpointError(`${checkpoint.id}: the rotary factors of a long context cannot be written to GGUF; use --to safetensors`);
  }
  const factors = ropeFactors(checkpoint.config);
  return factors === undefined ? [] : [{ name: ROPE_FACTORS, shape: [factors.length], type: 'F32', data: () => factors }];
}

/** Mistral's models are "llama" for llama.cpp. */
function readingOf({ id, definition }: Checkpoint): GgufReading {
  const type = definition.type === 'mistral' ? 'llama' : definition.type;
  const reading = definition.gguf ?? ARCHITECTURES.find((one) => one.type === type)?.gguf;
  if (reading === undefined) throw new CheckpointError(`${id}: a ${definition.type} model has no form in GGUF; use --to safetensors`);
  return reading;
}

function namer({ config }: Checkpoint, reading: GgufReading): (name: string) => GgufName {
  return ggufNamer(reading, { heads: config.num_attention_heads, keyHeads: config.num_key_value_heads });
}
