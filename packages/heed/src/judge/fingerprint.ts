import { fingerprintOf } from '../model/fingerprint.js';
import type { Model } from '../model/load.js';
import type { Adapter } from '../model/peft.js';

/** Names a model, the way it is talked to, and its adapter by content, for the keys of stored labels: the name beside it is for people. */
export const fingerprint = ({ checkpoint, template, tokenizer }: Model, adapter?: Adapter): string =>
  fingerprintOf(checkpoint, adapter, [template.name, template.name === 'chat' ? tokenizer.chatTemplate : null]);
