import { type Table, type Tensor, log, max, softmax, sub } from '@heed/tensor';
import type { Architecture, Attend, Checkpointing, Rows, Weights } from './architecture.js';
import { norm } from './parts.js';

export type { Architecture, Checkpointing, Rows, Weights } from './architecture.js';
export { ropeInputs } from './parts.js';

/** The hidden rows of any architecture, before the final norm. Reads only what its arguments name: training and generation share it. */
export const decoder = (architecture: Architecture, weights: Weights, rows: Rows, attend: Attend, keep: Checkpointing): Tensor =>
  architecture.definition.decoder(architecture, weights, rows, attend, keep);

/** The final norm of the rows that are read. */
export function finalNorm(architecture: Architecture, weights: Weights, x: Tensor): Tensor {
  const { finalNorm: own } = architecture.definition;
  return own === undefined ? norm(architecture, weights, 'model.norm', x) : own(architecture, weights, x);
}

/**
 * Logits of hidden rows, before the final norm, for programs without gradients: the head is one of the linear layers, of whatever
 * precision they are.
 */
export const logitsOf = (architecture: Architecture, weights: Weights, x: Tensor): Tensor =>
  weights.linear(architecture.tied ? 'model.embed_tokens' : 'lm_head', finalNorm(architecture, weights, x));

/** log Σ exp of each row of logits, [n, 1]: max x − log max softmax(x), which is one pass of exponentials over the vocabulary. */
export const logNormaliser = (logits: Tensor): Tensor => sub(max(logits, 1, true), log(max(softmax(logits), 1, true)));

/** The matrix that turns hidden rows into logits: the embeddings where they are tied. */
export const head = ({ tied }: Architecture, weights: Weights): Table =>
  weights.table(tied ? 'model.embed_tokens.weight' : 'lm_head.weight');
