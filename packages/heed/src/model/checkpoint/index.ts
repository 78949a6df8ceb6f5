/** Weights in: where a model's tensors lie on disk. */
export { listCached } from './cache.js';
export { type Checkpoint, openCheckpoint, readTensor } from './open.js';
