import { CheckpointError } from './error.js';
import type { Parsed } from './parse-config.js';

/** Every tensor that a model of this configuration has, by its Hugging Face name, with its shape. */
export function expectedTensors({ config, definition }: Parsed): Map<string, readonly number[]> {
  const { hidden_size: width, vocab_size: vocabulary, num_hidden_layers: layers } = config;
  const out = new Map<string, readonly number[]>([['model.embed_tokens.weight', [vocabulary, width]]]);
  const inLayer = Object.entries(definition.layerTensors(config));
  for (let layer = 0; layer < layers; layer++) for (const [name, shape] of inLayer) out.set(`model.layers.${layer}.${name}`, shape);
  out.set('model.norm.weight', [width]);
  if (!config.tie_word_embeddings) out.set('lm_head.weight', [vocabulary, width]);
  return out;
}

/** Check that the weights are those the configuration describes; returns the names of tensors that it does not use. */
export function checkTensors(parsed: Parsed, shapes: ReadonlyMap<string, readonly number[]>, where: string): string[] {
  const expected = expectedTensors(parsed);
  const faults: string[] = [];
  for (const [name, shape] of expected) {
    const found = shapes.get(name);
    if (!found) faults.push(`${name} is missing`);
    else if (found.join() !== shape.join())
      faults.push(`${name} has the shape [${found.join(', ')}] where config.json implies [${shape.join(', ')}]`);
  }
  if (faults.length > 0) {
    const shown = faults.slice(0, 5).join('; ');
    throw new CheckpointError(
      `${where}: the weights are not those that config.json describes: ` +
      `${shown}${faults.length > 5 ? `; and ${faults.length - 5} more` : ''}`,
    );
  }
  return [...shapes.keys()].filter((name) => !expected.has(name));
}
