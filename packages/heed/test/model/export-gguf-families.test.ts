import { describe, expect, it } from 'vitest';
import { initialParameters, planAdapter } from '../../src/model/adapter.js';
import { openCheckpoint, readTensor } from '../../src/model/checkpoint/open.js';
import { readGguf } from '../../src/model/checkpoint/gguf/read.js';
import { fileSource } from '../../src/model/checkpoint/source.js';
import { exportGguf, exportGgufLora } from '../../src/model/export-gguf.js';
import { fixture, scratch } from './support.js';

const folder = scratch();
const names = (file: string): string[] => {
  const source = fileSource(file), { tensors } = readGguf(source);
  source.close();
  return [...tensors.values()].map(({ name, shape }) => `${name} ${shape.join('x')}`).sort();
};

// tools/oracles/gguf_families.py wrote each file as llama.cpp's converter does.
describe.each(['qwen2', 'qwen3', 'mistral', 'phi3', 'gemma3'])('a base of %s that is a GGUF file', (name) => {
  const base = fixture(`families/${name}.gguf`), file = `${folder}/${name}.gguf`;

  it('is written back as it was: the same tensors, the same numbers in 16 bits', async () => {
    const checkpoint = await openCheckpoint(base, { cacheDir: folder });
    const targets = [...new Set([...checkpoint.tensors.keys()].flatMap((one) => /\.(\w+_proj)\.weight$/.exec(one)?.[1] ?? []))];
    const plan = planAdapter(checkpoint.tensors.values(), { rank: 2, alpha: 2, targets, dropout: 0, rslora: false });
    // B is 0: nothing is changed.
    const adapter = { plan, parameters: initialParameters(plan, 0) };
    await exportGguf(checkpoint, adapter, file, 'f16');
    expect(names(file)).toEqual(names(base));
    const back = await openCheckpoint(file, { cacheDir: folder });
    expect(back.config).toEqual(checkpoint.config);
    for (const tensor of checkpoint.tensors.keys()) {
      const [a, b] = [await readTensor(back, tensor), await readTensor(checkpoint, tensor)];
      const most = b.reduce((largest, x) => Math.max(largest, Math.abs(x)), 0);
      const off = a.reduce((largest, x, i) => Math.max(largest, Math.abs(x - b[i]!)), 0);
      expect([tensor, off <= most * 2 ** -11 + 1.2e-7]).toEqual([tensor, true]);
    }
    const lora = `${folder}/${name}-lora.gguf`;
    await exportGgufLora(checkpoint, adapter, lora);
    // Every factor belongs to a matrix of the base, and fits it.
    const shapes = new Map(names(base).map((line) => line.split(' ') as [string, string]));
    for (const [factor, shape] of names(lora).map((line) => line.split(' ') as [string, string])) {
      const [rows, columns] = shapes.get(factor.replace(/\.lora_[ab]$/, ''))!.split('x');
      expect([factor, shape]).toEqual([factor, factor.endsWith('_a') ? `2x${columns}` : `${rows}x2`]);
    }
  });
});
