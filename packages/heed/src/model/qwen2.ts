import type { HfConfig } from './checkpoint/config.js';
import { commonArchitecture, only } from './config.js';
import type { Architecture } from './parts.js';

/**
 * Qwen 2 and 2.5 (Yang et al. 2024): a Llama whose queries, keys and values have biases. Upper layers may see a window only,
 * where `use_sliding_window` says so.
 */
export function qwen2Architecture(config: HfConfig): Architecture {
  only(config, 'hidden_act', 'silu');
  return commonArchitecture('llama', config);
}
