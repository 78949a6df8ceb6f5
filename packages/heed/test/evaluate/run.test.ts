import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runEvaluation } from '../../src/evaluate/run.js';
import { loadModel } from '../../src/model/load.js';
import { tinyChat } from '../cli/support.js';
import { scratch } from '../model/support.js';

const folder = scratch();

it('closes the reward where rating fails', async () => {
  const { model } = await tinyChat(folder);
  const closed = join(folder, 'closed');
  const file = join(folder, 'rewards.ts');
  writeFileSync(file, `
    import { writeFileSync } from 'node:fs';
    import { defineReward } from '@heed/heed';
    import { z } from 'zod';
    export const broken = defineReward({
      name: 'broken', options: z.strictObject({}),
      open: async () => ({
        name: 'broken', drawsLine: false,
        rate: async () => { throw new Error('The reward broke.'); },
        close: async () => writeFileSync(${JSON.stringify(closed)}, ''),
      }),
    });
  `);
  const rows = [{ source: { file: 'p', line: 1 }, prompt: [{ role: 'user' as const, content: 'Hi' }], extra: {} }];
  const sampling = { maxNewTokens: 2, temperature: 0, seed: 0 };
  const evaluation = { model: await loadModel(model), rows, sampling, reward: `${file}#broken` };
  await expect(runEvaluation(evaluation)).rejects.toThrow('The reward broke.');
  expect(existsSync(closed)).toBe(true);
});
