import { expect, it } from 'vitest';
import { scratchFolder } from '../support/scratch.js';
import { node } from './programs.js';

const { folder } = scratchFolder();

it('benchmarks: a finished labelling run is gone on with, and asks nobody', async () => {
  const model = 'packages/heed/test/fixtures/model/llama3'; // it is named in the results, and not asked
  const { code, out, err } = await node(folder, ['benchmarks/bench.js', '--quick', '--only', 'resume-labels', '--model', model]);
  expect(out, err).toMatch(/resume-labels: 100 labels that are in the store/);
  expect(code).toBe(0);
});
