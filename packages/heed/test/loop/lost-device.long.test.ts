import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type * as Tensor from '@heed/tensor';
import { heed, tinyChat } from '../cli/support.js';
import { scratchFolder } from '../support/scratch.js';
import { adapterBytes, log } from '../train/interrupted.js';
import { promptLines } from '../support/rows.js';
import { tinyTalker } from './talkative.js';

// What ONNX Runtime 1.30 says where its WebGPU device is lost: reading results back fails.
const LOST = 'Failed to download data from buffer. wgpu::MapAsyncStatus value: 4';
/** An engine of the CPU that says it is a GPU, and is lost once so many of its runs are over. */
const gpu = vi.hoisted(() => ({ runs: Infinity }));

vi.mock('@heed/tensor', async (importActual) => {
  const actual = await importActual<typeof Tensor>();
  const startEngine: typeof actual.startEngine = async (options) => {
    const engine = await actual.startEngine({ ...options, device: 'cpu' });
    if (options?.device !== 'webgpu') return engine;
    const use = (): void => {
      if (gpu.runs-- <= 0) throw new actual.DeviceFailed(`ONNX Runtime failed on the GPU: ${LOST}`);
    };
    return {
      __proto__: engine,
      device: { kind: 'webgpu', adapter: 'A GPU' },
      read: async (...given) => {
        if (gpu.runs <= 0) use();
        return engine.read(...given);
      },
      async compile(...given) {
        const session = await engine.compile(...given);
        return {
          program: session.program,
          bind: (...views) => session.bind(...views),
          release: () => session.release(),
          run: async (...feeds) => {
            use();
            return session.run(...feeds);
          },
        };
      },
      allocate: (...given) => engine.allocate(...given), upload: (...given) => engine.upload(...given),
      write: (...given) => engine.write(...given), copy: (...given) => engine.copy(...given), free: (...given) => engine.free(...given),
      memory: () => engine.memory(), close: () => engine.close(), threads: engine.threads, zeroCopy: engine.zeroCopy,
    };
  };
  return { ...actual, startEngine };
});

const { folder, write } = scratchFolder();
const dirOf = (name: string): string => join(folder, name);
let recipe: string;
let talker: string;
const checkpoints = (name: string): number[] => {
  const dir = join(dirOf(name), 'checkpoints');
  return existsSync(dir) ? readdirSync(dir).flatMap((one) => /^step-(\d+)$/.exec(one)?.slice(1).map(Number) ?? []) : [];
};
const summaryOf = (dir: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(dir, 'summary.json'), 'utf8')) as Record<string, unknown>;
const train = (name: string, ...more: string[]) => heed(['train', recipe, `run.dir=${dirOf(name)}`, ...more]);

beforeAll(async () => {
  const { model } = await tinyChat(folder, { context: 512 });
  const rows = Array.from({ length: 6 }, (_, i) => ({ prompt: `Question ${i}?`, completion: `The answer is ${i * 7}.` }));
  talker = await tinyTalker(folder, { context: 384 });
  recipe = write('recipe.yaml', `
model: ${model}
data: ${write('rows.jsonl', rows.map((row) => `${JSON.stringify(row)}\n`).join(''))}
method: sft
adapter: {rank: 2, alpha: 4, targets: [q_proj, down_proj]}
samples: {prompts: 0}
train: {steps: 6, batch: 4, learningRate: 1e-2, checkpointEvery: 2, seed: 5}
run: {dir: unused}
`);
});
afterEach(() => { gpu.runs = Infinity; });

describe('a GPU that is lost in the middle of a run', () => {
  it('leaves the last good state, says how to go on, and the run ends as if nothing had been', async () => {
    const whole = await train('whole', 'device=webgpu');
    expect(whole.code, whole.err).toBe(0);
    expect(whole.err).toContain('Runs on webgpu: A GPU.');

    // Before anything is kept; while the second step is kept; and later.
    const seen: (number | undefined)[] = [];
    for (const runs of [1, 11, 14]) {
      const name = `lost-${runs}`;
      gpu.runs = runs;
      const lost = await train(name, 'device=webgpu', '--json');
      expect(lost.code, lost.err).toBe(2);
      expect(lost.err).toContain(`error: ONNX Runtime failed on the GPU: ${LOST}`);
      expect(lost.err).not.toContain('    at ');
      const newest = checkpoints(name).at(-1);
      seen.push(newest);
      const kept = newest === undefined ? 'No step is kept yet' : `The state after step ${newest} is kept`;
      expect(lost.err).toContain(`${kept} in ${dirOf(name)}: go on with --resume, on the CPU with --resume device=cpu.`);
      expect(lost.json()).toMatchObject({ ok: false, hints: [expect.stringContaining('--resume'), expect.stringContaining('microBatch')] });

      gpu.runs = Infinity;
      const resumed = await train(name, 'device=webgpu', '--resume', '--json');
      expect(resumed.code, resumed.err).toBe(0);
      expect(resumed.json()['resumedFrom']).toBe(newest);
      expect(log(dirOf(name))).toEqual(log(dirOf('whole')));
      expect(adapterBytes(dirOf(name)).equals(adapterBytes(dirOf('whole')))).toBe(true);
      expect(checkpoints(name)).toEqual([4, 6]);
    }
    expect(seen).toEqual([undefined, undefined, 2]);
  });

  const LOOPS: readonly (readonly [verb: string, sections: string])[] = [
    ['align', `
reward: REWARDS#vowels
generate: {maxNewTokens: 6, prompts: 2, samples: 4}
evaluate: {prompts: HELD, maxNewTokens: 4}
loop: {iterations: 4}
data: TRAIN
method: {name: rloo, beta: 0.1}
adapter: {rank: 2, alpha: 4, targets: [q_proj]}
train: {learningRate: 1e-2, schedule: constant, batch: 2, checkpointEvery: 1}`],
    ['control', `
tasks: {one: {data: TRAIN, heldOut: HELD, reward: REWARDS#vowels}}
actions: {cool: {temperature: 0.5}, warm: {temperature: 1.2}}
generate: {maxNewTokens: 4, prompts: 2, samples: 2}
grid: {prompts: 0.4, samples: 2}
learn: {rounds: 4, hidden: [4], components: 2}
evaluate: {samples: 1}`],
  ];

  it.each(LOOPS)('in heed %s leaves what was done, and the run ends as if nothing had been', async (verb, sections) => {
    const files = {
      TRAIN: write(`${verb}-train.jsonl`, promptLines(6, 'Why')), HELD: write(`${verb}-held.jsonl`, promptLines(2, 'How')),
      REWARDS: write('rewards.ts', 'export const vowels = ({ completions }) => completions.map((text) => text.split(/[aeiou]/).length);\n'),
    };
    const text = Object.entries(files).reduce((all, [name, file]) => all.replaceAll(name, file), sections);
    const loop = write(`${verb}.yaml`, `model: ${talker}${text}\nrun: {dir: unused}\n`);
    const heedIn = (dir: string, ...more: string[]) => heed([verb, loop, `run.dir=${dirOf(dir)}`, 'device=webgpu', ...more, '--json']);
    const result = (dir: string): unknown => {
      const { before, after, change, rounds, rows } = summaryOf(dirOf(dir));
      return { before, after, change, rounds, rows };
    };

    const many = 1e6;
    gpu.runs = many;
    const whole = await heedIn(`${verb}-whole`);
    expect(whole.code, whole.err).toBe(0);
    const used = many - gpu.runs;
    for (const share of [0.1, 0.5, 0.8]) {
      const name = `${verb}-lost-${share}`;
      gpu.runs = Math.floor(share * used);
      const lost = await heedIn(name);
      expect(lost.code, lost.err).toBe(2);
      expect(lost.err).toContain(`error: ONNX Runtime failed on the GPU: ${LOST}`);
      expect(lost.err).toContain('go on with --resume');
      gpu.runs = Infinity;
      const resumed = await heedIn(name, '--resume');
      expect(resumed.code, resumed.err).toBe(0);
      expect(result(name)).toEqual(result(`${verb}-whole`));
    }
  });

  it('goes on on the CPU', async () => {
    gpu.runs = 10;
    expect((await train('elsewhere', 'device=webgpu')).code).toBe(2);
    const resumed = await train('elsewhere', 'device=cpu', '--resume');
    expect(resumed.code, resumed.err).toBe(0);
    expect(resumed.err).toContain('This run was on webgpu: A GPU and goes on on cpu');
  });

  it('ends what has no run to go on with, and says how it works without', async () => {
    gpu.runs = 2;
    const { model } = await tinyChat(folder, { context: 511 });
    const prompts = write('prompts.jsonl', '{"prompt":"Name a colour."}\n');
    const lost = await heed(['generate', '--model', model, '--prompts', prompts, '-o', '-', '--device', 'webgpu', '--max-tokens', '8']);
    expect(lost.code, lost.err).toBe(1);
    expect(lost.err).toContain(LOST);
    expect(lost.err).toContain('→ Without the GPU: --device cpu');
    expect(lost.err).not.toContain('    at ');
  });
});
