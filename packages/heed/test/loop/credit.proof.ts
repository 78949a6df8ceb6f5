import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { AlignSummary } from '../../src/loop/align-job.js';
import type { Estimate } from '../../src/run/statistics.js';
import { heed } from '../cli/support.js';
import { scratchFolder } from '../support/scratch.js';
import { tinyTalker } from './talkative.js';

// What credit by token changes, on a tiny random model whose tokens are bytes: each printable ASCII character of at most 40 earns 1/40.
// The numbers are those of docs/credit.md.
const { folder, write } = scratchFolder();
const prompts = (n: number, word: string): string =>
  Array.from({ length: n }, (_, i) => `${JSON.stringify({ prompt: `${word} ${i}?` })}\n`).join('');
const SEEDS = [0, 1, 2, 3];

it('a critic learns faster from an equal share than from whole answers, and faster still from spans', async () => {
  const rewards = write('rewards.ts', `
export const printable = ({ completions }: { completions: readonly string[] }) => completions.map((text) => {
  const spans = [...text.matchAll(/[ -~]/g)].map(({ index }) => ({ start: index, end: index + 1, value: 1 / 40 }));
  return { value: spans.length / 40, spans };
});
`);
  const recipe = write('recipe.yaml', `
model: ${await tinyTalker(folder, { context: 512, leaning: 2 })}
data: ${write('train.jsonl', prompts(16, 'Why'))}
reward: '${rewards}#printable'
generate: {maxNewTokens: 40, prompts: 8, samples: 4}
evaluate: {prompts: ${write('held.jsonl', prompts(64, 'How'))}, maxNewTokens: 40, temperature: 1}
adapter: {rank: 8, alpha: 16}
train: {schedule: constant, batch: 8, learningRate: 2e-3}
loop: {iterations: 4}
method: {name: rloo, beta: 0, ratio: token}
run: {dir: unused}
`);
  /** The mean reward of held-out answers after four rounds, by seed. */
  const after = async (method: string, by: string): Promise<number[]> => {
    const found: number[] = [];
    for (const seed of SEEDS) {
      const dir = join(folder, `${method.replace(/\W+/g, '-')}-${by}-${seed}`);
      const ran = await heed(['align', recipe, `run.dir=${dir}`, `train.seed=${seed}`, `method=${method}`, `credit={by: ${by}}`, '--json']);
      expect(ran.code, ran.err).toBe(0);
      found.push((ran.json<AlignSummary>().after['value'] as Estimate).mean);
    }
    return found;
  };
  const ppo = '{name: ppo, beta: 0}';
  const [answer, uniform, attention, spans] = [
    await after(ppo, 'answer'), await after(ppo, 'uniform'), await after(ppo, 'attention'), await after(ppo, 'spans'),
  ];
  for (const i of SEEDS) {
    expect(uniform[i]).toBeGreaterThan(answer[i]!);
    expect(spans[i]).toBeGreaterThan(uniform[i]!);
    // A random model attends to everything alike.
    expect(Math.abs(attention[i]! - uniform[i]!)).toBeLessThan(0.01);
  }
  const rloo = '{name: rloo, beta: 0, ratio: token}';
  const mean = (x: readonly number[]): number => x.reduce((sum, y) => sum + y, 0) / x.length;
  expect(Math.abs(mean(await after(rloo, 'spans')) - mean(await after(rloo, 'answer')))).toBeLessThan(0.03);
}, 300_000);
