import { cpSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { type Engine, startEngine } from '@heed/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useSoftwareGpu } from '../../../tensor/test/support/software-gpu.js';
import { openGenerator } from '../../src/generate/open.js';
import { readSafetensors } from '../../src/model/checkpoint/safetensors.js';
import { loadModel } from '../../src/model/load.js';
import type { AnyRow } from '../../src/data/rows.js';
import { heed, tinyChat } from '../cli/support.js';
import { scratchFolder } from '../support/scratch.js';
import { type Pass, bench, gradientDistance, judgedRows, passes } from './support.js';

// Training and writing on a GPU, which here is a Vulkan driver that computes on the CPU, beside the CPU. `npm run test:gpu` holds every
// method to TRL there.
const missing = useSoftwareGpu();
if (missing !== undefined) it.skip(missing);

const { folder, write } = scratchFolder();
const pairs: readonly AnyRow[] = [
  ['Name a colour.', 'Blue is one.', 'No.'],
  ['Count to two.', 'One, two.', 'Two, three, four.'],
].map(([prompt, chosen, rejected], i) => ({
  source: { file: 'pairs.jsonl', line: i + 1 }, prompt: [{ role: 'user', content: prompt! }], chosen: chosen!, rejected: rejected!,
}));
const judged = judgedRows([['Name a colour.', 'Blue is one.', null], ['Count to two.', 'Two, three.', 'It begins with two.']]);

describe.skipIf(missing !== undefined)('on a software GPU', () => {
  let engines: { readonly cpu: Engine; readonly gpu: Engine };
  let model: string;
  beforeAll(async () => {
    engines = { cpu: await startEngine({ device: 'cpu' }), gpu: await startEngine({ device: 'webgpu-software' }) };
    ({ model } = await tinyChat(folder));
  });
  afterAll(async () => {
    await engines.cpu.close();
    await engines.gpu.close();
  });

  it.each([['dpo', pairs], ['cut', judged]] as const)('%s: loss and gradient are those of the CPU', async (name, rows) => {
    const made = await bench(model, { name }, rows);
    const step = async (engine: Engine): Promise<Pass> => (await passes(engine, made, [[made.items]], { keep: 'selective' }))[0]!;
    const [cpu, gpu] = [await step(engines.cpu), await step(engines.gpu)];
    expect(Math.abs(gpu.loss / cpu.loss - 1)).toBeLessThan(1e-5);
    expect(cpu.result.gradientNorm).toBeGreaterThan(1e-3);
    expect(gradientDistance(cpu, gpu)).toBeLessThan(1e-5);
  });

  it('a run says what it runs on, and goes on elsewhere to the same numbers within rounding', async () => {
    const chat = (text: string): object =>
      ({ messages: [{ role: 'user', content: `Name ${text}.` }, { role: 'assistant', content: `${text} is one.` }] });
    const data = write('rows.jsonl', ['Blue', 'Red', 'A green'].map((text) => `${JSON.stringify(chat(text))}\n`).join(''));
    const recipe = write('recipe.yaml', [
      `model: ${model}`, `data: ${data}`, 'method: sft', 'adapter: { rank: 2, targets: [q_proj] }', 'samples: { prompts: 0 }',
      'train: { steps: 4, batch: 3, learningRate: 1e-2, checkpointEvery: 2 }', 'run: { dir: unused }',
    ].join('\n'));
    const dirOf = (name: string): string => path.join(folder, name);
    const train = async (name: string, ...more: string[]): Promise<string> => {
      const ran = await heed(['train', recipe, `run.dir=${dirOf(name)}`, ...more]);
      expect(ran.code, ran.err).toBe(0);
      return ran.err;
    };
    const said = await train('gpu', 'device=webgpu-software');
    expect(said).toContain('Runs on webgpu: SwiftShader Device (Subzero).');
    const deviceOf = (name: string): string => readFileSync(path.join(dirOf(name), 'device.json'), 'utf8');
    expect(deviceOf('gpu')).toBe('"webgpu: SwiftShader Device (Subzero)"');
    await train('cpu', 'device=cpu');

    // As a kill after the second step leaves it.
    cpSync(dirOf('gpu'), dirOf('moved'), { recursive: true });
    for (const name of ['adapter', 'summary.json', 'report.html', 'checkpoints/step-000004'])
      rmSync(path.join(dirOf('moved'), name), { recursive: true });
    const again = await train('moved', 'device=cpu', '--resume');
    expect(again).toContain('This run was on webgpu: SwiftShader Device (Subzero) and goes on on cpu:');
    expect(deviceOf('moved')).toBe('"cpu"');
    const adapterOf = (name: string): number[] =>
      [...readSafetensors(path.join(dirOf(name), 'adapter/adapter_model.safetensors')).tensors.values()].flatMap(({ data }) => [...data]);
    const moved = adapterOf('moved');
    const size = Math.hypot(...moved);
    expect(size).toBeGreaterThan(0.01);
    for (const name of ['gpu', 'cpu']) {
      const away = Math.hypot(...adapterOf(name).map((x, i) => x - moved[i]!)) / size;
      console.log(`${name} and the run that moved: ${away}`);
      expect(away).toBeLessThan(1e-4);
    }
  });

  const short = [[5, 9, 40], [7, 3, 3, 21, 60]].map((prompt, row) => ({ prompt, row, samples: 1 }));
  // A cache of 32 sequences with more than 128 places is large enough to stay on the device.
  const long = [{ prompt: Array.from({ length: 130 }, (_, i) => 5 + ((i * 37) % 200)), row: 0, samples: 32 }];
  it.each([
    ['the likeliest', { temperature: 0 }, short],
    ['drawn', { temperature: 1 }, short],
    ['drawn of the likeliest tokens', { temperature: 0.8, topK: 20, topP: 0.9 }, short],
    ['many to a long prompt', { temperature: 1 }, long],
  ])('answers, %s, are those of the CPU', async (_, options, prompts) => {
    const loaded = await loadModel(model);
    const answer = async (engine: Engine): Promise<readonly (readonly number[])[]> => {
      const generator = await openGenerator(engine, loaded, { batch: 32 });
      const completions = await generator.generate(prompts, { ...options, maxNewTokens: 6, seed: 1 });
      await generator.release();
      return completions.map(({ ids }) => ids);
    };
    const found = await answer(engines.gpu);
    expect(found.flat().length).toBeGreaterThan(5);
    expect(found).toEqual(await answer(engines.cpu));
  });
});
