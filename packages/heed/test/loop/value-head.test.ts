import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { AlignSummary } from '../../src/loop/align-job.js';
import { heed } from '../cli/support.js';
import { scratchFolder } from '../support/scratch.js';
import { tinyTalker } from './talkative.js';

// A user's own policy gradient: `heed align` trains its value head with the adapter, and saves both.
const { folder, write } = scratchFolder();

it('heed align trains a method with a head at every token; each round begins with a ratio of exactly 1', async () => {
  const method = write('gradient.ts', `
import { defineMethod } from '@heed/heed';
import { abs, mul, neg, square, sum } from '@heed/tensor';
import { z } from 'zod';
export const gradient = defineMethod({
  name: 'gradient', paper: 'none: a test', row: 'scored', options: z.strictObject({}), names: ['response'], columns: ['score'],
  heads: () => ({ value: { size: 1, at: 'tokens' } }),
  references: () => ({ old: { is: 'round', scores: ['response'] } }),
  sequences: ({ prompt, completion }, text) => ({ response: text.respond(prompt, completion) }),
  columnsOf: ({ score }) => ({ score }),
  loss({ logp, under, values, columns }) {
    const ratio = logp.response.sub(under.old.response).exp();
    const count = sum(logp.response.count());
    const error = values.value.response.sub(1).map(square);
    const over = (x) => ({ sum: x, count });
    return {
      terms: [over(neg(sum(mul(columns.score, ratio.sum())))), over(sum(error.sum()))],
      metrics: { ratio_gap: over(sum(ratio.sub(1).map(abs).sum())), value: over(sum(values.value.response.sum())) },
    };
  },
});
`);
  const reward = write('reward.ts', 'export const length = ({ completions }) => completions.map((text) => text.length / 16);\n');
  const prompts = (word: string): string =>
    Array.from({ length: 8 }, (_, i) => `${JSON.stringify({ prompt: `${word} ${i}?` })}\n`).join('');
  const dir = join(folder, 'run');
  const recipe = write('recipe.yaml', `
model: ${await tinyTalker(folder, { context: 512, leaning: 2 })}
data: ${write('train.jsonl', prompts('Why'))}
method: ${method}#gradient
reward: ${reward}#length
generate: {maxNewTokens: 16}
evaluate: {prompts: ${write('held.jsonl', prompts('How'))}, maxNewTokens: 8}
loop: {iterations: 2}
adapter: {rank: 2, alpha: 4}
train: {schedule: constant, batch: 4, epochs: 3, learningRate: 1.0e-2}
run: {dir: ${dir}}
`);
  const ran = await heed(['align', recipe, '--json']);
  expect(ran.code, ran.err).toBe(0);
  expect(ran.json<AlignSummary>().rounds).toHaveLength(2);

  const steps = readFileSync(join(dir, 'metrics.jsonl'), 'utf8').trim().split('\n')
    .map((line) => JSON.parse(line) as { round: number; ratio_gap: number; value: number });
  const first = [1, 2].map((round) => steps.find((step) => step.round === round)!);
  expect(first.map(({ ratio_gap: gap }) => gap)).toEqual([0, 0]);
  expect(steps.some(({ ratio_gap: gap }) => gap > 0)).toBe(true);
  // The head starts at zero, and learns towards 1.
  expect(first[0]!.value).toBe(0);
  expect(Math.abs(1 - steps.at(-1)!.value)).toBeLessThan(1);
  const config = readFileSync(join(dir, 'adapter', 'adapter_config.json'), 'utf8');
  expect(JSON.parse(config)).toMatchObject({ modules_to_save: ['value'], task_type: 'CAUSAL_LM' });
});
