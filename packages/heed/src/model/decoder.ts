import { type Tensor, log, max, softmax, sub } from '@heed/tensor';
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

/** Logits of hidden rows, before the final norm, for programs without gradients: the head is one of the linear layers, of whatever precision they are. */
export const logitsOf = (architecture: Architecture, weights: Weights, x: Tensor): Tensor =>
  weights.linear(architecture.tied ? 'model.embed_tokens' : 'lm_head', finalNorm(architecture, weights, x));

/** log Σ exp of each row of logits, [n, 1]: max x − log max softmax(x), which is one pass of exponentials over the vocabulary. */
export const logNormaliser = (logits: Tensor): Tensor => sub(max(logits, 1, true), log(max(softmax(logits), 1, true)));

/** The matrix that turns hidden rows into logits: the embeddings where they are tied. */
export const head = ({ tied }: Architecture, weights: Weights): Tensor => weights.tensor(tied ? 'model.embed_tokens.weight' : 'lm_head.weight');
