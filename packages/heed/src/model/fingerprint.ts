import { createHash } from 'node:crypto';
import type { Checkpoint } from './checkpoint/open.js';
import type { Adapter } from './peft.js';

/**
 * Twelve hex digits that name a checkpoint with an adapter by content: of its weights samples are read, of the adapter everything.
 * `more` is what else tells two apart.
 */
export function fingerprintOf(checkpoint: Checkpoint, adapter?: Adapter, more?: unknown): string {
  const hash = createHash('sha256').update(JSON.stringify([checkpoint.fingerprint, more]));
  if (adapter !== undefined) {
    const { plan, parameters } = adapter;
    hash.update(JSON.stringify([plan.scale, [...plan.modules.keys()]])).update(parameters);
  }
  return hash.digest('hex').slice(0, 12);
}
