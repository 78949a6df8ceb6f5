import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { named } from '../../src/cli/named.js';
import { scratchFolder } from '../support/scratch.js';

const { folder } = scratchFolder();

it('takes NAME=FOLDER apart, but not a folder that is called so', () => {
  const run = join(folder, 'cut/seed=0');
  mkdirSync(join(run, 'adapter'), { recursive: true });
  expect(named([run, join(run, 'adapter'), `mine=${run}`, 'runs/cut/adapter', 'style=runs/cut'])).toEqual([
    ['seed=0', run], ['seed=0', join(run, 'adapter')], ['mine', run], ['cut', 'runs/cut/adapter'], ['style', 'runs/cut'],
  ]);
});
