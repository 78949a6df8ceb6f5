import { CheckpointError } from '../error.js';
import type { Gguf } from './read.js';

/** The Llama 3 models all use these; only the factor differs between them, and a GGUF keeps nothing but the resulting factors. */
const LLAMA3 = { low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 };

/** `rope_scaling` as config.json has it, from the metadata or, for Llama 3, from the factors it was baked into. */
export function ropeScaling(
  gguf: Gguf,
  factors: Float32Array | undefined,
  headDim: number,
  where: string,
): Record<string, unknown> | undefined {
  const architecture = gguf.metadata.get('general.architecture'),
    name = typeof architecture === 'string' ? architecture : 'llama';
  const get = (key: string): unknown => gguf.metadata.get(`${name}.rope.scaling.${key}`);
  const type = get('type') ?? 'none',
    factor = get('factor');
  if (factors) {
    if (type !== 'none' && type !== 'llama3')
      throw new CheckpointError(
        `${where}: has both rope_freqs.weight and ${name}.rope.scaling.type ${JSON.stringify(type)}; what they mean together is unknown`,
      );
    return llama3(
      factors,
      Number(gguf.metadata.get(`${name}.rope.freq_base`) ?? 10000),
      headDim,
      Number(get('original_context_length') ?? LLAMA3.original_max_position_embeddings),
      where,
    );
  }
  switch (type) {
    case 'none':
      return undefined;
    case 'linear':
      if (typeof factor !== 'number')
        throw new CheckpointError(`${where}: ${name}.rope.scaling.type is linear, but ${name}.rope.scaling.factor is ${String(factor)}`);
      return { rope_type: 'linear', factor };
    default:
      throw new CheckpointError(
        `${where}: ${name}.rope.scaling.type is ${JSON.stringify(type)}, which cannot be run (none, linear and Llama 3's can); ` +
        `take the model's safetensors`,
      );
  }
}

/** Transformers' `_compute_llama3_parameters`, as the divisors llama.cpp stores: accepted only if they reproduce the file's. */
function llama3(stored: Float32Array, base: number, headDim: number, context: number, where: string): Record<string, unknown> {
  const factor = stored.reduce((most, value) => Math.max(most, value), 1);
  const { low_freq_factor: low, high_freq_factor: high } = LLAMA3;
  const agrees = stored.length === headDim / 2 && stored.every((value, i) => {
    const wavelength = 2 * Math.PI * base ** ((2 * i) / headDim);
    const smooth = (context / wavelength - low) / (high - low);
    let expected = 1 / ((1 - smooth) / factor + smooth);
    if (wavelength < context / high) expected = 1;
    else if (wavelength > context / low) expected = factor;
    return Math.abs(value - expected) <= 1e-4 * expected;
  });
  if (!agrees)
    throw new CheckpointError(
      `${where}: rope_freqs.weight is not Llama 3's rotary scaling (low 1, high 4, context ${context}), and no other can be run; ` +
      `take the model's safetensors`,
    );
  return { rope_type: 'llama3', factor, ...LLAMA3, original_max_position_embeddings: context };
}
