import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type AlignSummary, runAlignment } from '../../src/loop/align-job.js';
import { AlignRecipe } from '../../src/loop/align-recipe.js';
import { readSafetensors } from '../../src/model/checkpoint/safetensors.js';
import { openRun } from '../../src/run/folder.js';
import type { Hooks } from '../../src/run/job.js';
import { loadRecipe } from '../../src/run/recipe.js';
import { scratchFolder } from '../support/scratch.js';
import { adapterBytes, log } from '../train/interrupted.js';
import { tinyTalker } from './talkative.js';

// Rounds whose answers teach the method nothing: all are equally good. A run that has learnt something goes on, and ends well.
const { folder, write } = scratchFolder();
const prompts = (n: number, word: string): string => Array.from({ length: n }, (_, i) => `{"prompt": "${word} ${i}?"}\n`).join('');
let model: string;
beforeAll(async () => {
  model = await tinyTalker(folder, { context: 512 });
});

/** A recipe with a reward that calls every other answer good, but in the named rounds all of them. Its module counts the rounds. */
function recipeOf(name: string, method: string, allGood: readonly number[]): string {
  const reward = write(`${name}.ts`, `
let round = 0;
export const votes = ({ completions }) => {
  round++;
  return completions.map((_, i) => (${JSON.stringify(allGood)}.includes(round) ? 1 : i % 2));
};
export const length = ({ completions }) => completions.map((text) => text.length);
`);
  return write(`${name}.yaml`, `
model: ${model}
data: ${write('prompts.jsonl', prompts(8, 'Why'))}
reward: {fn: {module: '${reward}#votes', threshold: 1}}
generate: {maxNewTokens: 16, samples: 8}
loop: {iterations: 3}
evaluate: {prompts: ${write('held.jsonl', prompts(2, 'How'))}, maxNewTokens: 6, reward: {fn: '${reward}#length'}}
method: ${method}
adapter: {rank: 2, alpha: 4, targets: [q_proj, down_proj], dropout: 0.1}
train: {steps: 2, batch: 4, learningRate: 1e-2}
run: {dir: '${join(folder, name)}'}
`);
}

interface Aligned {
  readonly summary: AlignSummary;
  readonly said: readonly string[];
  readonly dir: string;
}

async function align(file: string, { resume = false, ...hooks }: Hooks & { readonly resume?: boolean } = {}): Promise<Aligned> {
  const { recipe, text } = await loadRecipe(file, [], AlignRecipe);
  const run = await openRun(recipe.run.dir, { recipe: text, resume });
  const said: string[] = [];
  const say = (line: string): void => {
    said.push(line);
    hooks.say?.(line);
  };
  try {
    return { summary: await runAlignment(recipe, run, { ...hooks, say }), said, dir: recipe.run.dir };
  } finally {
    await run.close();
  }
}

describe('a round of answers that are all good', () => {
  it('teaches nothing; the next round learns again', async () => {
    const { summary, said, dir } = await align(recipeOf('middle', '{name: dpo}', [2]));
    expect(summary.rounds.map(({ round, steps, trainedOn }) => [round, steps, trainedOn > 0])).toEqual([
      [1, 2, true], [2, 0, false], [3, 2, true],
    ]);
    expect(summary.rounds[1]).toMatchObject({ loss: null, reward: 1, trainedOn: 0 });
    expect(summary.steps).toBe(4);
    const words = /^round 2 teaches nothing, and the policy stays as it is: dpo takes none of these rows/;
    expect(said.filter((line) => words.test(line))).toHaveLength(1);
    expect(log(dir).slice(0, -1).map((line) => (JSON.parse(line) as { round: number }).round)).toEqual([1, 1, 3, 3]);
  });

  it('at the end leaves the adapter of the round before, which is exported', async () => {
    const { summary, dir } = await align(recipeOf('late', '{name: npo}', [2, 3]));
    expect(summary.rounds.map(({ steps }) => steps)).toEqual([2, 0, 0]);
    expect(existsSync(join(dir, 'report.html'))).toBe(true);
    const { tensors } = readSafetensors(join(dir, 'adapter', 'adapter_model.safetensors'));
    expect([...tensors.values()].every(({ data }) => data.some((x) => x !== 0))).toBe(true);
  });

  it('is gone on from after a stop, to the same numbers', async () => {
    const whole = await align(recipeOf('whole', '{name: bco}', [2]));
    const file = recipeOf('stopped', '{name: bco}', [2]);
    const interrupt = { requested: false };
    const say = (line: string): void => { interrupt.requested ||= /^round 2 teaches nothing/.test(line); };
    await expect(align(file, { interrupt, say })).rejects.toThrow('Stopped after round 2; go on with --resume.');
    const { summary, dir } = await align(file, { resume: true });
    expect(summary.resumedFrom).toBe(2);
    expect(summary.rounds).toEqual(whole.summary.rounds);
    expect(log(dir)).toEqual(log(whole.dir));
    expect(adapterBytes(dir).equals(adapterBytes(whole.dir))).toBe(true);
  });
});
