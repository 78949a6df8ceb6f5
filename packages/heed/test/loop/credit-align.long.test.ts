import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AlignSummary } from '../../src/loop/align-job.js';
import { heed } from '../cli/support.js';
import { promptLines } from '../support/rows.js';
import { scratchFolder } from '../support/scratch.js';
import { tinyTalker } from './talkative.js';

// Credit by token on a tiny random model whose tokens are bytes: each printable ASCII character earns its share.
const { folder, write } = scratchFolder();
let recipe: string;
const few = 'evaluate.limit=4';

beforeAll(async () => {
  const model = await tinyTalker(folder, { context: 512, leaning: 2 });
  const rewards = write('rewards.ts', `
export const places = ({ completions }: { completions: readonly string[] }) => completions.map((text) => {
  const spans = [...text.matchAll(/[ -~]/g)].map(({ index }) => ({ start: index, end: index + 1, value: 1 / Math.max(1, text.length) }));
  return { value: spans.length / Math.max(1, text.length), spans };
});
export const beyond = ({ completions }: { completions: readonly string[] }) =>
  completions.map((text) => ({ value: 1, spans: [{ start: 0, end: text.length + 1, value: 1 }] }));
`);
  recipe = write('recipe.yaml', `
model: ${model}
data: ${write('train.jsonl', promptLines(16, 'Why'))}
reward: '${rewards}#places'
generate: {maxNewTokens: 12, prompts: 8, samples: 4}
evaluate: {prompts: ${write('held.jsonl', promptLines(32, 'How'))}, maxNewTokens: 12, temperature: 1}
adapter: {rank: 8, alpha: 16}
train: {schedule: constant, batch: 8, learningRate: 3e-3}
loop: {iterations: 1}
method: {name: rloo, beta: 0, ratio: token}
run: {dir: unused}
`);
});

interface Line {
  readonly reward: number;
  readonly advantage: number;
  readonly tokens: number;
  readonly ids?: readonly number[];
  readonly advantages?: readonly number[];
}
const lines = <T>(dir: string, file: string): T[] =>
  readFileSync(join(folder, dir, file), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as T);

/** Runs a recipe, and gives its answers. */
async function align(dir: string, ...more: string[]) {
  const ran = await heed(['align', recipe, `run.dir=${join(folder, dir)}`, ...more, '--json']);
  return { ...ran, rollouts: () => lines<Line>(dir, 'rollouts.jsonl'), steps: () => lines<Record<string, number>>(dir, 'metrics.jsonl') };
}

describe('heed align with credit by token', () => {
  it('learns from what places earned', async () => {
    const ran = await align('spans', 'credit={by: spans}', 'loop.iterations=6', 'train.learningRate=6e-3');
    expect(ran.code, ran.err).toBe(0);
    expect(ran.json<AlignSummary>().change['value']!.low, ran.err).toBeGreaterThan(0.1);
    const own = ran.rollouts().filter(({ advantages }) => advantages !== undefined);
    expect(own.length).toBeGreaterThan(50);
    for (const { tokens, ids, advantages } of own) expect([ids!.length, advantages!.length]).toEqual([tokens, tokens]);
    expect(ran.steps()[0]!['credit/segments']).toBeGreaterThan(1);
  });

  it('whose answers heed inspect shows with the advantages of their tokens', async () => {
    const { code, out, err } = await heed(['inspect', join(folder, 'spans'), '--round', '2']);
    expect(code, err).toBe(0);
    const own = lines<Line & { round: number }>('spans', 'rollouts.jsonl').filter(({ round }) => round === 2);
    const rewards = own.map(({ reward }) => reward).sort((a, b) => b - a);
    expect(out).toContain('round 2 of 6, 32 rated answers');
    expect([...out.matchAll(/^(\w+) {2}reward ([\d.]+)/gm)].map(([, is, reward]) => [is, reward])).toEqual([
      ['best', rewards[0]!.toFixed(3)], ['median', rewards[15]!.toFixed(3)], ['worst', rewards[31]!.toFixed(3)],
    ]);
    expect(out).toMatch(/\n\[[+−]\d\.\d\d\]/);
    const missing = await heed(['inspect', join(folder, 'spans'), '--round', '9']);
    expect(missing.code).toBe(2);
    expect(missing.err).toContain('has no round 9; it has 1 to 6.');
    expect((await heed(['inspect', folder])).err).toContain('has no rollouts.jsonl');
  });

  it('by attention keeps the mean advantage of an answer, and reports the mass', async () => {
    const [whole, attention, uniform] = [
      await align('whole', few),
      await align('attention', few, 'credit={by: attention, share: 0.8}'),
      await align('uniform', few, 'credit={by: uniform}'),
    ];
    for (const { code, err } of [whole, attention, uniform]) expect(code, err).toBe(0);
    attention.rollouts().forEach(({ advantage }, i) => expect(advantage).toBeCloseTo(whole.rollouts()[i]!.advantage, 6));
    expect(attention.rollouts().filter(({ advantages }) => advantages !== undefined).length).toBeGreaterThan(10);
    const [{ 'credit/mass': mass }] = attention.steps() as [Record<string, number>];
    expect(mass).toBeGreaterThan(0);
    expect(mass).toBeLessThan(1);
    // Without a critic, an equal share for every token is the advantage of the whole answer.
    expect(uniform.rollouts().map(({ advantage }) => advantage)).toEqual(whole.rollouts().map(({ advantage }) => advantage));
    expect(uniform.rollouts().every(({ advantages }) => advantages === undefined)).toBe(true);
  });

  it('with a critic spreads the reward itself', async () => {
    const ran = await align('ppo', 'method={name: ppo, beta: 0, whiten: false}', 'credit={by: attention}', few);
    expect(ran.code, ran.err).toBe(0);
    expect(ran.rollouts().some(({ advantages }) => advantages !== undefined)).toBe(true);
  });

  it('refuses a method that would undo it, and a place outside the answer', async () => {
    const undone = await align('undone', 'method={name: rloo}', 'credit={by: spans}');
    expect(undone.code).not.toBe(0);
    expect(undone.err).toMatch(/set method\.ratio: token/);
    expect(existsSync(join(folder, 'undone', 'rollouts.jsonl'))).toBe(false);
    const beyond = await align('beyond', `reward=${join(folder, 'rewards.ts')}#beyond`);
    expect(beyond.code).not.toBe(0);
    expect(beyond.err).toMatch(/returned \{ value: 1, spans: .* for response 1 of 32/);
  });
});
