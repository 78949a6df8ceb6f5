import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { LabelReport } from '../../src/label/report.js';
import type { UsageTotals } from '../../src/label/usage.js';
import { heed } from '../cli/support.js';
import { tinyTalker } from '../loop/talkative.js';
import { promptLines, rowsFor } from '../support/rows.js';
import { scratchFolder } from '../support/scratch.js';

// Whole jobs on two workers beside the same jobs in one process.

const { folder, write } = scratchFolder();
let model: string;
beforeAll(async () => {
  model = await tinyTalker(folder, { context: 512, leaning: 2 });
});

const read = (dir: string, file: string): Record<string, unknown>[] =>
  readFileSync(join(folder, dir, file), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);

const summaryOf = (dir: string): { readonly cluster?: object } =>
  JSON.parse(readFileSync(join(folder, dir, 'summary.json'), 'utf8')) as { cluster?: object };

/** Numbers to 1e-5, all else exactly. Seconds are left out. */
function expectNear(actual: unknown, expected: unknown, where = ''): void {
  if (typeof actual === 'number' && typeof expected === 'number') {
    expect(Math.abs(actual - expected), where).toBeLessThanOrEqual(1e-5 * Math.max(1, Math.abs(expected)));
  } else if (typeof actual === 'object' && actual !== null && typeof expected === 'object' && expected !== null) {
    expect(Object.keys(actual), where).toEqual(Object.keys(expected));
    for (const [key, value] of Object.entries(actual))
      if (!key.endsWith('seconds')) expectNear(value, (expected as Record<string, unknown>)[key], `${where}.${key}`);
  } else expect(actual, where).toEqual(expected);
}

/** Runs a command in one process and on two workers; returns both folders. */
async function both(name: string, ...argv: string[]): Promise<readonly [string, string]> {
  const dirs = [`${name}-alone`, `${name}-two`] as const;
  for (const [i, more] of [[], ['cluster=local:2']].entries()) {
    const ran = await heed([...argv, `run.dir=${join(folder, dirs[i]!)}`, ...more]);
    expect(ran.code, ran.err).toBe(0);
  }
  expect(summaryOf(dirs[0]).cluster).toBeUndefined();
  expect(summaryOf(dirs[1]).cluster).toMatchObject({ workers: 2, workersLost: 0, repeats: 0 });
  return dirs;
}

describe('two workers', () => {
  it.each(['cut', 'kto', 'dpo'] as const)('train with %s as one process does', async (method) => {
    const rows = rowsFor({ name: method }).map((row) => `${JSON.stringify({ ...row, source: undefined })}\n`).join('');
    const recipe = write(`${method}.yaml`, JSON.stringify({
      model, data: write(`${method}.jsonl`, rows), method: { name: method },
      train: { steps: 4, batch: 6, microBatch: 2, learningRate: 1e-3 }, samples: { prompts: 2, maxNewTokens: 12 }, run: { dir: 'unused' },
    }));
    const [alone, two] = await both(method, 'train', recipe);
    expectNear(read(two, 'metrics.jsonl'), read(alone, 'metrics.jsonl'));
    expectNear(read(two, 'samples.jsonl'), read(alone, 'samples.jsonl'));
  });

  it('align with grpo as one process does, with the same answers', async () => {
    const rewards = write('rewards.ts', `
export const share = ({ completions }: { completions: readonly string[] }): number[] =>
  completions.map((text) => [...text].filter((c) => c >= ' ' && c <= '~').length / Math.max(1, [...text].length));
`);
    const recipe = write('grpo.yaml', `
model: ${model}
data: ${write('train.jsonl', promptLines(16, 'Why'))}
reward: '${rewards}#share'
method: grpo
generate: {maxNewTokens: 12, prompts: 8, samples: 4}
loop: {iterations: 3}
evaluate: {prompts: ${write('held.jsonl', promptLines(8, 'How'))}, maxNewTokens: 12, temperature: 1}
adapter: {rank: 8, alpha: 16}
train: {schedule: constant, batch: 8, learningRate: 1e-3}
run: {dir: unused}
`);
    const [alone, two] = await both('grpo', 'align', recipe);
    expectNear(read(two, 'rollouts.jsonl'), read(alone, 'rollouts.jsonl'));
    expectNear(read(two, 'metrics.jsonl'), read(alone, 'metrics.jsonl'));
    expectNear(read(two, 'samples.jsonl'), read(alone, 'samples.jsonl'));
  });

  it('label as one process does, and ask nothing again', async () => {
    const pairs = Array.from({ length: 9 }, (_, i) =>
      `${JSON.stringify({ prompt: `Why ${i}?`, responses: ['So.', `Because of ${i}.`] })}\n`);
    const recipe = write('label.yaml', JSON.stringify({
      data: write('pairs.jsonl', pairs.join('')), judge: { local: { model } }, label: 'preferences', allowedFailures: 1,
      run: { dir: 'unused' },
    }));
    const asking: UsageTotals[] = [];
    const runs = [['label-alone', 'alone.db'], ['label-two', 'two.db', 'cluster=local:2'], ['again', 'two.db']];
    for (const [dir, store, ...more] of runs) {
      const ran = await heed(['label', recipe, `run.dir=${join(folder, dir!)}`, `store=${join(folder, store!)}`, ...more, '--json']);
      expect(ran.code, ran.err).toBe(0);
      asking.push(ran.json<LabelReport>().asking);
    }
    expectNear(read('label-two', 'rows.jsonl'), read('label-alone', 'rows.jsonl'));
    expect(read('again', 'rows.jsonl')).toEqual(read('label-two', 'rows.jsonl'));
    expect(summaryOf('label-two').cluster).toMatchObject({ workers: 2, workersLost: 0, repeats: 0 });
    expect(readFileSync(join(folder, 'label-two', 'report.html'), 'utf8')).toContain('2 workers; nothing lost');
    const [alone, two, again] = asking;
    expect(two!.asked).toBe(alone!.asked);
    expect([again!.asked, again!.reused]).toEqual([0, two!.questions]);
  });
});
