import { defineArchitecture } from '../architecture.js';
import { llamaLayer } from '../dimensions.js';
import { llama } from './llama.js';

/**
 * Mistral (Jiang et al. 2023): a Llama without biases that may see a sliding window only, in all layers (version 0.1: 4096 tokens;
 * later ones: all). Its GGUF files are read as Llama's.
 */
export const mistral = defineArchitecture({
  type: 'mistral',
  defaults: { sliding_window: 4096 },
  windowed: () => 'every layer',
  dimensions: llama.dimensions,
  layerTensors: (config) => llamaLayer(config, {}),
  decoder: llama.decoder,
});
