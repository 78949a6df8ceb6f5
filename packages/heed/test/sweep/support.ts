import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { tinyChat } from '../cli/support.js';
import { adapterBytes, log } from '../train/interrupted.js';

export const jsonl = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

export const PAIRS = Array.from({ length: 10 }, (_, i) => ({
  prompt: `Question ${i}?`, chosen: `It is ${i * 7}.`, rejected: `It is ${'very '.repeat(1 + (i % 3))}much.`,
}));

/** A recipe of DPO on a tiny model: four steps, three rows held out, two answers for the report. */
export async function dpoRecipe(
  { folder, write }: { readonly folder: string; readonly write: (name: string, text: string) => string },
): Promise<{ readonly recipe: string; readonly data: string }> {
  const { model } = await tinyChat(folder, { context: 512 });
  const data = write('pairs.jsonl', jsonl(PAIRS));
  const recipe = write('dpo.yaml', `
model: ${model}
data: {path: ${data}, eval: 3}
method: {name: dpo}
adapter: {rank: 2, alpha: 4, targets: [q_proj, down_proj]}
train: {epochs: 2, batch: 4, learningRate: 1e-2, checkpointEvery: 2}
samples: {prompts: 2, maxNewTokens: 6}
run: {dir: ${join(folder, 'one')}}
`);
  return { recipe, data };
}

/** What a run measured, apart from time and memory, and from what is counted since a resume. */
function summaryOf(dir: string): object {
  const summary = JSON.parse(readFileSync(join(dir, 'summary.json'), 'utf8')) as Record<string, unknown>;
  for (const name of ['seconds', 'trainingSeconds', 'peakRssMb', 'tokens', 'resumedFrom']) delete summary[name];
  return summary;
}

/** That two runs came to the same numbers, bit for bit. */
export function expectSame(dir: string, other: string): void {
  expect(log(dir), dir).toEqual(log(other));
  expect(log(dir, 'samples.jsonl'), dir).toEqual(log(other, 'samples.jsonl'));
  expect(summaryOf(dir), dir).toEqual(summaryOf(other));
  expect(adapterBytes(dir).equals(adapterBytes(other)), dir).toBe(true);
}
