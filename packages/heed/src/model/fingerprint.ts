import { createHash } from 'node:crypto';
import type { Checkpoint } from './checkpoint/open.js';
import type { Model } from './load.js';
import type { Adapter } from './peft.js';

/**
 * Twelve hex digits that name a checkpoint with an adapter by content: samples of the checkpoint's weights, and the whole adapter.
 * `more` holds anything else that tells two of them apart.
 */
export function fingerprintOf({ fingerprint: base, precision }: Checkpoint, adapter?: Adapter, more?: unknown): string {
  const hash = createHash('sha256').update(JSON.stringify([base, more, ...(precision === undefined ? [] : [precision])]));
  if (adapter !== undefined) {
    const { plan, parameters } = adapter;
    const scales = [...plan.modules.values()].map(({ scale }) => scale);
    const scale = scales.every((one) => one === scales[0]) ? scales[0] : scales;
    hash.update(JSON.stringify([scale, [...plan.modules.keys()]])).update(parameters);
  }
  return hash.digest('hex').slice(0, 12);
}

/** Twelve hex digits that name a model by content, with its chat template and its adapter: part of the keys of cached replies. */
export const fingerprint = ({ checkpoint, template, tokenizer }: Model, adapter?: Adapter): string =>
  fingerprintOf(checkpoint, adapter, [template.name, template.name === 'chat' ? tokenizer.chatTemplate : null]);
