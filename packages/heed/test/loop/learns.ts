import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AlignSummary } from '../../src/loop/align-job.js';
import { heed } from '../cli/support.js';
import { scratchFolder } from '../support/scratch.js';
import { tinyTalker } from './talkative.js';

/** A method, how it is trained, and the share of good answers that it must reach. */
export interface Learner {
  readonly method: string;
  readonly learningRate: number;
  readonly epochs: number;
  readonly reached: number;
}

/**
 * A loop learns a toy: a tiny random model comes to answer in printable ASCII. The model's tokens are bytes, so a few of its answers do so
 * by chance.
 */
export function describeLearning(learners: readonly Learner[]): void {
  const rounds = 4;
  const { folder, write } = scratchFolder();
  const prompts = (n: number, word: string): string =>
    Array.from({ length: n }, (_, i) => `${JSON.stringify({ id: `${word}-${i}`, prompt: `${word} ${i}?` })}\n`).join('');
  let recipe: string;

  beforeAll(async () => {
    const model = await tinyTalker(folder, { context: 512, leaning: 2 });
    const reward = write('reward.ts', `
const printable = (text: string): number => [...text].filter((c) => c >= ' ' && c <= '~').length;
export const share = ({ completions }: { completions: readonly string[] }): number[] =>
  completions.map((text) => printable(text) / Math.max(1, [...text].length));
`);
    recipe = write('recipe.yaml', `
model: ${model}
data: ${write('train.jsonl', prompts(32, 'Why'))}
reward: {fn: {module: '${reward}#share', threshold: 0.7}}
generate: {maxNewTokens: 16, samples: 4}
evaluate: {prompts: ${write('held.jsonl', prompts(64, 'How'))}, maxNewTokens: 16, temperature: 1}
adapter: {rank: 8, alpha: 16}
train: {schedule: constant, batch: 8}
run: {dir: unused}
`);
  });

  describe('heed align', () => {
    // Of 64 held-out answers, 9 % have seven printable characters in ten before training.
    it.each(learners)('with $method reaches the share $reached', async ({ method, learningRate, epochs, reached }) => {
      const dir = join(folder, method.replace(/\W+/g, '-'));
      const ran = await heed([
        'align', recipe, `run.dir=${dir}`, `method=${method}`, `loop.iterations=${rounds}`,
        `train.learningRate=${learningRate}`, `train.epochs=${epochs}`, '--json',
      ]);
      expect(ran.code, ran.err).toBe(0);
      const { before, after, change, rounds: done } = ran.json<AlignSummary>();
      expect(done).toHaveLength(rounds);
      const share = (of: AlignSummary['before']): number => (of['satisfied'] as { readonly mean: number }).mean;
      expect(share(before)).toBeLessThan(0.15);
      expect(share(after), ran.err).toBeGreaterThan(reached);
      expect(change['satisfied']!.low).toBeGreaterThan(0.4);
    });
  });
}
