import type { HfConfig } from './checkpoint/config.js';
import { commonArchitecture, only } from './config.js';
import type { Architecture } from './parts.js';

/** Mistral (Jiang et al. 2023): a Llama that may see a sliding window only, in all layers (version 0.1: 4096 tokens; later ones: all). */
export function mistralArchitecture(config: HfConfig): Architecture {
  only(config, 'hidden_act', 'silu');
  return commonArchitecture('llama', config);
}
