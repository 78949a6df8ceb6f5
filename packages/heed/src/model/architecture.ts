import { UserError } from '../errors.js';
import type { HfConfig } from './checkpoint/config.js';
import type { Checkpoint } from './checkpoint/open.js';
import { gemma3Architecture } from './gemma3.js';
import { llamaArchitecture } from './llama.js';
import { mistralArchitecture } from './mistral.js';
import type { Architecture } from './parts.js';
import { phi3Architecture } from './phi3.js';
import { qwen2Architecture } from './qwen2.js';
import { qwen3Architecture } from './qwen3.js';

const READERS = new Map<string, (config: HfConfig) => Architecture>([
  ['llama', llamaArchitecture],
  ['mistral', mistralArchitecture],
  ['qwen2', qwen2Architecture],
  ['qwen3', qwen3Architecture],
  ['phi3', phi3Architecture],
  ['gemma3_text', gemma3Architecture],
]);

/**
 * Reads a decoder's dimensions from its config.json, by its `model_type`.
 *
 * @throws UserError for an architecture that Heed cannot run, by name, with those that it can; and for a setting of it that it cannot
 */
export function architectureOf({ id, config }: Pick<Checkpoint, 'id' | 'config'>): Architecture {
  const read = READERS.get(config.model_type);
  if (read === undefined) throw new UserError(`${id} is a "${config.model_type}" model; Heed can run: ${[...READERS.keys()].join(', ')}.`);
  return read(config);
}
