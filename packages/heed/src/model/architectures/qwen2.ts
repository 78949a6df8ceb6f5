import { defineArchitecture } from '../architecture.js';
import { llamaLayer } from '../dimensions.js';
import { llama } from './llama.js';

/**
 * Qwen 2 and 2.5 (Yang et al. 2024): a Llama whose queries, keys and values have biases, whatever config.json says. Layers from
 * `max_window_layers` on may see a window only, where `use_sliding_window` says so.
 */
export const qwen2 = defineArchitecture({
  type: 'qwen2',
  defaults: { use_sliding_window: false, sliding_window: 4096, max_window_layers: 28 },
  windowed(config) {
    const first = Number(config.max_window_layers);
    return config.use_sliding_window === true ? (layer) => layer >= first : undefined;
  },
  dimensions: llama.dimensions,
  layerTensors: (config) => llamaLayer(config, { inputBias: true }),
  decoder: llama.decoder,
  gguf: {
    architecture: 'qwen2',
    config: () => ({ model_type: 'qwen2', architectures: ['Qwen2ForCausalLM'], attention_bias: undefined, use_sliding_window: false }),
  },
});
