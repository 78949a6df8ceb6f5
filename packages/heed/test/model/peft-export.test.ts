import fs from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { main } from '../../src/cli/main.js';
import { openCheckpoint, readTensor } from '../../src/model/checkpoint/open.js';
import { loadAdapter } from '../../src/model/peft.js';
import { json, scratch } from './support.js';
import { type Scored, distance, modelFixture, openTiny, scorer, useEngine } from './tiny.js';

const engine = useEngine();
const temporary = scratch();

async function heed(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '', err = '';
  const code = await main(argv, { stdout: { write: (text: string) => (out += text) }, stderr: { write: (text: string) => (err += text) } });
  return { code, out, err };
}

const model = modelFixture('llama3');
const { sequences } = json<{ list: { sequences: Scored[] } }>(modelFixture('peft.json')).list;

describe('heed export', () => {
  it('merges an adapter into its model: the log-probabilities that PEFT has with the adapter', async () => {
    const output = path.join(temporary, 'merged');
    const { code, out } = await heed(
      'export',
      '--model',
      model,
      '--adapter',
      modelFixture('peft/list'),
      '--to',
      'safetensors',
      '-o',
      output,
      '--json',
    );
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ output, to: 'safetensors', modules: 14, parameters: 3712 });
    const merged = await scorer(engine(), await openCheckpoint(output));
    expect(distance(await merged.score(sequences), sequences.map((s) => s.logprobs))).toBeLessThan(1e-4);
    await merged.release();
  });

  it('merges exactly: every weight is the 32-bit float next to W + s·B·A', async () => {
    const [base, merged] = [await openTiny('llama3'), await openCheckpoint(path.join(temporary, 'merged'))];
    const { plan, parameters } = await loadAdapter(modelFixture('peft/list'), base);
    for (const name of base.tensors.keys()) {
      const [before, after] = [await readTensor(base, name), await readTensor(merged, name)];
      const module = plan.modules.get(name.replace(/\.weight$/, ''));
      if (module === undefined) {
        expect(after).toEqual(before);
        continue;
      }
      const { a, b, inputs, outputs } = module;
      for (let o = 0; o < outputs; o++) for (let i = 0; i < inputs; i++) {
        let exact = before[o * inputs + i]!;
        for (let r = 0; r < 4; r++) exact += 1.5 * parameters[b.offset + o * 4 + r]! * parameters[a.offset + r * inputs + i]!;
        expect(Math.abs(after[o * inputs + i]! - exact)).toBeLessThanOrEqual(2 ** -24 * Math.max(Math.abs(exact), 1e-6) * 1.0001);
      }
    }
  });

  it('writes the adapter alone for PEFT', async () => {
    const output = path.join(temporary, 'peft');
    const argv = [
      'export',
      '--model',
      model,
      '--adapter',
      modelFixture('written'),
      '--to',
      'peft',
      '-o',
      output,
      '--base',
      'organisation/name',
    ];
    expect(await heed(...argv)).toMatchObject({ code: 0, err: '' });
    expect(json(path.join(output, 'adapter_config.json'))).toEqual({
      ...json<object>(modelFixture('written/adapter_config.json')),
      base_model_name_or_path: 'organisation/name',
    });
    expect(await fs.readFile(path.join(output, 'adapter_model.safetensors'))).toEqual(
      await fs.readFile(modelFixture('written/adapter_model.safetensors')),
    );
    const again = await heed(...argv);
    expect(again.code).toBe(2);
    expect(again.err).toContain('is not empty');
  });

  it('says what is missing or wrong', async () => {
    const unknown = await heed('export', '--model', model, '--adapter', modelFixture('written'), '--to', 'onnx', '-o', temporary);
    expect(unknown).toMatchObject({ code: 2 });
    expect(unknown.err).toContain('Allowed choices are peft, safetensors, hf, gguf-lora, gguf, ollama, openai, trl');
    expect((await heed('export', '--model', model, '--to', 'peft', '-o', temporary)).err).toContain('--adapter');
    const other = await heed(
      'export',
      '--model',
      modelFixture('plain'),
      '--adapter',
      modelFixture('written'),
      '--to',
      'safetensors',
      '-o',
      path.join(temporary, 'none'),
    );
    expect(other.code).toBe(2);
    expect(other.err).toContain('another base (llama3)');
  });
});
