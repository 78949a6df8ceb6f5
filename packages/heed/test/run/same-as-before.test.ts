import { join } from 'node:path';
import { expect, it } from 'vitest';
import { moduleDigest } from '../../src/run/module-digest.js';
import { sameAsBefore } from '../../src/run/same-as-before.js';
import { scratchFolder } from '../support/scratch.js';

const { folder, write } = scratchFolder();

it('what a run works on is held to what it began with; the first difference is named', async () => {
  const file = join(folder, 'kept.json');
  const rows = [{ line: 1, text: 'a' }, { line: 2, text: 'b' }, { line: 3, text: 'c' }];
  const hold = (given: typeof rows) => sameAsBefore(file, given, 'The rows are not those', ({ line }) => `f:${line}`);
  await hold(rows);
  await hold(structuredClone(rows));
  const other = [rows[0]!, { line: 2, text: 'B' }, { line: 3, text: 'C' }];
  await expect(hold(other)).rejects.toThrow('so the run cannot go on: the first that differs is f:2.');
  await expect(hold(rows.slice(0, 2))).rejects.toThrow('there were 3, and there are 2.');
  await expect(hold([...rows, rows[0]!])).rejects.toThrow('there were 3, and there are 4.');
});

it('texts are shown as they were and as they are', async () => {
  const hold = (names: string[]) => sameAsBefore(join(folder, 'names.json'), names, 'The reward is not the one');
  await hold(['length 1', 'rules 2']);
  await expect(hold(['length 1', 'rules 3'])).rejects.toThrow('so the run cannot go on: rules 2 → rules 3.');
});

it('a module is another one where a file that it imports is another one', async () => {
  write('data.json', '[1]');
  write('deep.ts', "import data from './data.json';\nexport const deep = data;\n");
  write('helper.ts', "import { a } from './module.js';\nexport * from './deep.js';\nexport const of = a;\n"); // a cycle
  const module = write('module.ts', "import { of } from './helper.js';\nimport { z } from 'zod';\nexport const a = [of, z];\n");
  const before = await moduleDigest(module);
  expect(before).toMatch(/^[0-9a-f]{12}$/);
  expect(await moduleDigest(module)).toBe(before);
  write('unrelated.ts', 'export const x = 1;\n');
  expect(await moduleDigest(module)).toBe(before);
  write('data.json', '[2]');
  const after = await moduleDigest(module);
  expect(after).not.toBe(before);
  write('module.ts', "import { of } from './helper.js';\nimport { z } from 'zod';\nexport const a = [z, of];\n");
  expect(await moduleDigest(module)).not.toBe(after);
});
