import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { AlignSummary } from '../../src/loop/align-job.js';
import { heed } from '../cli/support.js';
import { promptLines } from '../support/rows.js';
import { scratchFolder } from '../support/scratch.js';
import { tinyTalker } from './talkative.js';

const { folder, write } = scratchFolder();

// Cooperative inverse reinforcement learning, end to end: people prefer words to gibberish, and say so by choices alone.
it('the policy learns what people were found to value, from the mean of the posterior', async () => {
  const module = write('features.ts', `
const share = (text: string): number => [...text].filter((c) => c >= ' ' && c <= '~').length / Math.max(1, [...text].length);
export const printable = ({ completions }: { completions: readonly string[] }): number[] => completions.map(share);
`);
  const rows = Array.from({ length: 12 }, (_, i) => ({
    prompt: `Why ${i}?`, chosen: `So it is, ${i} times.`, rejected: `\u0001\u0002${'é'.repeat(i + 1)}\u0003 so`,
  }));
  const values = join(folder, 'values.json');
  const file = write('choices.jsonl', rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const inferred = await heed(['infer', file, '--features', `${module}#printable`, '-o', values]);
  expect(inferred.code, inferred.err).toBe(0);
  expect(inferred.out).toMatch(/printable.* like/);
  const recipe = write('recipe.yaml', `
model: ${await tinyTalker(folder, { context: 512, leaning: 2 })}
data: ${write('train.jsonl', promptLines(16, 'Why'))}
reward: {inferred: {file: ${values}, caution: 0.5}}
generate: {maxNewTokens: 12, prompts: 8, samples: 4}
loop: {iterations: 6}
evaluate: {prompts: ${write('held.jsonl', promptLines(32, 'How'))}, reward: '${module}#printable', maxNewTokens: 12, temperature: 1}
method: {name: rloo, beta: 0}
adapter: {rank: 8, alpha: 16}
train: {schedule: constant, batch: 8, learningRate: 3e-3}
run: {dir: ${join(folder, 'run')}}
`);
  const ran = await heed(['align', recipe, '--json']);
  expect(ran.code, ran.err).toBe(0);
  expect(ran.json<AlignSummary>().change['value']!.low, ran.err).toBeGreaterThan(0.1);
  const lines = readFileSync(join(folder, 'run', 'rollouts.jsonl'), 'utf8').trim().split('\n');
  for (const line of lines) {
    const { reward, rewards: { value, deviation } } = JSON.parse(line) as { reward: number; rewards: { value: number; deviation: number } };
    expect(reward).toBeCloseTo(value - 0.5 * deviation, 9);
    expect(deviation).toBeGreaterThanOrEqual(0);
  }
});
