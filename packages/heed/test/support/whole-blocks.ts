import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ARCHITECTURES } from '../../src/model/architectures/index.js';
import { expectedTensors } from '../../src/model/checkpoint/expected.js';
import { parseConfig } from '../../src/model/checkpoint/parse-config.js';
import { writeSafetensors } from '../../src/model/checkpoint/safetensors-write.js';
import { createRandom } from '../../src/run/random.js';

/** Makes a tiny model one whose widths are whole blocks of 32, which can be rounded, with random weights. */
export async function withWholeBlocks(home: string): Promise<void> {
  const file = join(home, 'config.json');
  const shape = { hidden_size: 64, intermediate_size: 96, num_attention_heads: 4, num_key_value_heads: 2, head_dim: 16 };
  const config = { ...(JSON.parse(readFileSync(file, 'utf8')) as object), ...shape };
  writeFileSync(file, JSON.stringify(config));
  const random = createRandom('whole blocks', 0);
  const tensors = [...expectedTensors(parseConfig(config, home, ARCHITECTURES))].map(([name, dims]) => ({
    name, dtype: 'float32' as const, shape: dims,
    data: Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => (name.includes('norm') ? 1 : 0.1 * random.normal())),
  }));
  await writeSafetensors(join(home, 'model.safetensors'), tensors);
}
