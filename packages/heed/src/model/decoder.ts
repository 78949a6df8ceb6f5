import type { Tensor } from '@heed/tensor';
import { gemma3, gemma3FinalNorm } from './gemma3.js';
import { llama } from './llama.js';
import { type Architecture, type Decoder, type Family, type Weights, norm } from './parts.js';
import { phi3 } from './phi3.js';
import { qwen3 } from './qwen3.js';

export { type Architecture, type Checkpointing, type Rows, type Weights, ropeInputs } from './parts.js';

const DECODERS: Readonly<Record<Family, Decoder>> = { llama, qwen3, phi3, gemma3 };

/** The decoder of any architecture that Heed can run. Reads only what its arguments name, so training and generation share it. */
export const decoder: Decoder = (architecture, weights, rows, attend, keep) => DECODERS[architecture.family](architecture, weights, rows, attend, keep);

/** The final norm of the rows that are read. */
export const finalNorm = (architecture: Architecture, weights: Weights, x: Tensor): Tensor =>
  architecture.family === 'gemma3' ? gemma3FinalNorm(architecture, weights, x) : norm(architecture, weights, 'model.norm', x);

/** The matrix that turns hidden rows into logits: the embeddings where they are tied. */
export const head = ({ tied }: Architecture, weights: Weights): Tensor => weights.tensor(tied ? 'model.embed_tokens.weight' : 'lm_head.weight');
