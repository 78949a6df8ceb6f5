import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { TrainSummary } from '../../src/loop/train-job.js';
import { heed } from '../cli/support.js';
import { scratchFolder } from '../support/scratch.js';

const { folder, write } = scratchFolder();

it('a run that unlearns the end of turn says so', async () => {
  const answers = ['Rain falls from clouds.', 'It is wet.', 'Water, in drops.', 'Rain.'];
  const rows = answers.map((completion) => ({ prompt: 'What is rain?', completion, label: false }));
  const data = write('bad.jsonl', rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const recipe = write('recipe.yaml', [
    'model: SmolLM2-135M-Instruct', `data: ${data}`, 'method: gradient-ascent', 'adapter: { rank: 4 }',
    'train: { batch: 4, epochs: 3, learningRate: 2e-3, schedule: constant }', `run: { dir: ${folder}/run }`, '',
  ].join('\n'));
  const { code, err } = await heed(['train', recipe, 'samples.prompts=0']);
  expect(code, err).toBe(0);
  const { endOfTurn } = JSON.parse(readFileSync(`${folder}/run/summary.json`, 'utf8')) as TrainSummary;
  expect(endOfTurn!.after).toBeLessThan(endOfTurn!.before / 10);
  expect(err).toContain('Answers stop ending');
});
