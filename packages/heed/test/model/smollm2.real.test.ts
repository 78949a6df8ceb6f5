import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { openCheckpoint, readTensor } from '../../src/model/checkpoint/open.js';
import { fixture, hex, json } from './support.js';

interface Expected {
  config: Record<string, unknown>;
  tensors: Record<string, { shape: number[]; first: string; sum: number; sha256: string }>;
}

it('the default model is, bit for bit, what transformers reads from the same GGUF', async () => {
  const checkpoint = await openCheckpoint(undefined);
  const { config, tensors } = json<Expected>(fixture('smollm2.json'));
  expect(checkpoint.config).toMatchObject(config);
  expect(checkpoint.config.rms_norm_eps).toBe(1e-5);
  expect(checkpoint.config.rope_theta).toBe(100000);
  expect(checkpoint.tensors.size).toBe(272);
  for (const [name, { shape, first, sum, sha256 }] of Object.entries(tensors)) {
    const values = await readTensor(checkpoint, name);
    expect(checkpoint.tensors.get(name)?.shape).toEqual(shape);
    expect(hex(values.subarray(0, 8))).toBe(first);
    expect(values.subarray(0, 4096).reduce((a, b) => a + b, 0)).toBeCloseTo(sum, 6);
    expect(createHash('sha256').update(new Uint8Array(values.buffer)).digest('hex')).toBe(sha256);
  }
});
