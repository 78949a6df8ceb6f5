import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEVICES as OF_THE_ENGINE } from '@heed/tensor';
import { openDeviceEngine, openRunEngine } from '../../src/model/device.js';
import { DEVICES } from '../../src/run/devices.js';
import type { RunFolder } from '../../src/run/folder.js';
import { scratchFolder } from '../support/scratch.js';

const { folder } = scratchFolder();
const run = (name: string): RunFolder => ({ path: (file: string) => path.join(folder, `${name}-${file}`) }) as RunFolder;

it('recipes know the devices that the engine knows', () => {
  expect(DEVICES).toEqual(OF_THE_ENGINE);
});

describe('the device of a run', () => {
  it('is the CPU without a word', async () => {
    const said: string[] = [];
    for (const time of ['first', 'again']) {
      const engine = await openRunEngine(run('cpu'), { say: (line) => said.push(line) });
      expect(engine.device, time).toEqual({ kind: 'cpu' });
      await engine.close();
    }
    expect(said).toEqual([]);
  });

  it('is said where it is not the one that the run was on', async () => {
    writeFileSync(run('moved').path('device.json'), '"webgpu: NVIDIA GeForce RTX 4060"');
    const said: string[] = [];
    const engine = await openRunEngine(run('moved'), { device: 'cpu', say: (line) => said.push(line) });
    await engine.close();
    expect(said).toEqual([
      'This run was on webgpu: NVIDIA GeForce RTX 4060 and goes on on cpu: its numbers will agree within rounding, not to the last bit.',
    ]);
  });
});

it('a device that there is not is the user’s to change', async () => {
  await expect(openDeviceEngine({ device: 'gpu' as 'cpu' })).rejects
    .toMatchObject({ name: 'UserError', hints: [expect.stringContaining('device: cpu')] });
});
