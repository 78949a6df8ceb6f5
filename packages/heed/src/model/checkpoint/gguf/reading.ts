import type { Gguf, GgufTensor } from './read.js';

/** How a GGUF of one architecture is read: what it has otherwise than a plain Llama. */
export interface GgufReading {
  /** llama.cpp's name, `general.architecture`. */
  readonly architecture: string;
  /** Hugging Face modules by the tensor names that differ. */
  readonly layer?: Readonly<Record<string, string>>;
  /** Whether llama.cpp's converter interleaved the rotary rows of queries and keys. */
  readonly permuted?: true;
  /** What the converter added to the weights of all norms: Gemma's models apply 1 + w, and llama.cpp stores that sum. */
  readonly norms?: number;
  /** Only a part of each head may rotate. */
  readonly partlyRotary?: true;
  /** Tensors that are not weights: `config` reads them. */
  readonly rotary?: readonly string[];
  /** config.json's keys that the architecture adds or sets, `model_type` among them. `values` reads a tensor's numbers. */
  readonly config: (gguf: Gguf, where: string, values: (tensor: GgufTensor) => Float32Array) => Readonly<Record<string, unknown>>;
}
