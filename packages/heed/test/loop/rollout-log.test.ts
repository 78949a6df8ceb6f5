import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { openRolloutLog } from '../../src/loop/rollout-log.js';
import { scratchFolder } from '../support/scratch.js';

const { folder } = scratchFolder();

it('the log of rollouts says which answers of earlier rounds it has lost', async () => {
  const file = join(folder, 'rollouts.jsonl');
  const lines = [1, 1, 2, 3, 3].map((round, sample) => `${JSON.stringify({ round, sample })}\n`);
  writeFileSync(file, lines.join(''));
  const said: string[] = [];
  const log = openRolloutLog(file, 2, (line) => said.push(line));
  await log.check(5);
  expect(said).toEqual([
    `${file} has 1 of the 2 answers of round 2: the others were lost.`, `${file} has 0 of the 2 answers of round 4: the others were lost.`,
  ]);
  // Once a process.
  await log.check(6);
  expect(said).toHaveLength(2);
  const first: string[] = [];
  await openRolloutLog(join(folder, 'none.jsonl'), 2, (line) => first.push(line)).check(1);
  expect(first).toEqual([]);
});
