import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AlignSummary } from '../../src/loop/align-job.js';
import { alarmsOf, exploded, signsOf } from '../../src/loop/alarms.js';
import { heed } from '../cli/support.js';
import { promptLines } from '../support/rows.js';
import { scratchFolder } from '../support/scratch.js';
import { adapterBytes, heedStopped, log } from '../train/interrupted.js';
import { tinyTalker } from './talkative.js';

// A policy gradient whose steps are far too large: within a few rounds the policy is nowhere near the model that it began as.
const { folder, write } = scratchFolder();
const dirOf = (name: string): string => join(folder, name);
let recipe: string;

beforeAll(async () => {
  const model = await tinyTalker(folder, { context: 512, leaning: 2 });
  const reward = write('reward.ts', `
export const share = ({ completions }: { completions: readonly string[] }): number[] =>
  completions.map((text) => [...text].filter((c) => c >= ' ' && c <= '~').length / Math.max(1, [...text].length));
`);
  recipe = write('recipe.yaml', `
model: ${model}
data: ${write('train.jsonl', promptLines(8, 'Why'))}
reward: '${reward}#share'
generate: {maxNewTokens: 96, prompts: 4, samples: 4}
loop: {iterations: 5}
evaluate: {prompts: ${write('held.jsonl', promptLines(2, 'How'))}, maxNewTokens: 6}
method: {name: rloo, beta: 0.001}
adapter: {rank: 8, alpha: 16}
train: {schedule: constant, batch: 4, learningRate: 0.05, checkpointEvery: 2}
run: {dir: unused}
`);
});

const args = (name: string, ...more: string[]): string[] => ['align', recipe, `run.dir=${dirOf(name)}`, '--json', ...more];
const kls = ({ rounds }: AlignSummary): number[] => rounds.map((round) => (round as unknown as { kl: number }).kl);

describe('the KL divergence', () => {
  const at = (kl: number) => signsOf(Array.from({ length: 8 }, () => ({ text: 'so', value: 1, kl })));

  it('has exploded above 100 nats an answer, and where it is no number', () => {
    expect([99, 101, Infinity, NaN].map((kl) => exploded(at(kl)))).toEqual([false, true, true, true]);
    expect(exploded(signsOf([{ text: 'so', value: 1 }]))).toBe(false);
    expect(alarmsOf([at(NaN)]).map(({ sign }) => sign)).toEqual(['kl']);
  });
});

describe('heed align whose KL explodes', () => {
  let summary: AlignSummary;
  let ended: number;
  beforeAll(async () => {
    const ran = await heed(args('exploded'));
    expect(ran.code, ran.err).toBe(0);
    summary = ran.json<AlignSummary>();
    ended = summary.rounds.length;
    expect(ran.err).toContain(`round ${ended} is not learnt from, and the run ends here`);
    expect(ran.err).toContain(`the adapter is that after step ${ended - 2}, which wrote the answers of round ${ended - 1}.`);
  });

  it('ends there, and its adapter is that of a run which ended a round earlier', async () => {
    console.log(`KL by round: ${kls(summary).map((kl) => kl.toFixed(1)).join(', ')}`);
    expect(kls(summary).slice(0, -1).every((kl) => kl <= 100)).toBe(true);
    expect(kls(summary).at(-1)!).toBeGreaterThan(100);
    expect(summary).toMatchObject({ wentBack: { round: ended - 1, step: ended - 2, from: ended - 1 }, steps: ended - 2 });
    expect(summary.rounds.at(-1)).toMatchObject({ steps: 0, trainedOn: 0 });
    // Its steps are logged, those that were taken back, too.
    expect(log(dirOf('exploded')).slice(0, -1)).toHaveLength(ended - 1);
    const before = await heed(args('before', `loop.iterations=${ended - 2}`));
    expect(before.code, before.err).toBe(0);
    expect(adapterBytes(dirOf('exploded')).equals(adapterBytes(dirOf('before')))).toBe(true);
    expect(summary.after).toEqual(before.json<AlignSummary>().after);
  });

  it('killed with the exploded policy in its newest checkpoint, and resumed, ends the same', async () => {
    const often = 'train.checkpointEvery=1';
    const killed = await heedStopped(args('killed', often), { how: 'SIGKILL', on: 'rename', matching: `round-${ended}.signs.json$` });
    expect(killed.signal, killed.err).toBe('SIGKILL');
    const checkpoints = (): string[] => readdirSync(join(dirOf('killed'), 'checkpoints')).filter((name) => name.startsWith('step'));
    const named = (step: number): string => `step-${String(step).padStart(6, '0')}`;
    expect(checkpoints().sort().at(-1)).toBe(named(ended - 1));
    const resumed = await heed(args('killed', often, '--resume'));
    expect(resumed.code, resumed.err).toBe(0);
    expect(checkpoints().sort().at(-1)).toBe(named(ended - 2));
    expect(resumed.json()).toMatchObject({ rounds: summary.rounds, wentBack: summary.wentBack, after: summary.after });
    expect(adapterBytes(dirOf('killed')).equals(adapterBytes(dirOf('exploded')))).toBe(true);
  });

  it('goes on from the policy that was kept where it is told to, as if it had never stopped', async () => {
    const never = await heed(args('never', 'watch.stop=false'));
    expect(never.json<AlignSummary>().rounds).toHaveLength(5);
    expect(never.json()).not.toHaveProperty('wentBack');
    const on = await heed(args('exploded', '--resume', 'watch.stop=false'));
    expect(on.code, on.err).toBe(0);
    expect(on.json<AlignSummary>().resumedFrom).toBe(ended - 2);
    expect(on.json<AlignSummary>().rounds).toEqual(never.json<AlignSummary>().rounds);
    expect(adapterBytes(dirOf('exploded')).equals(adapterBytes(dirOf('never')))).toBe(true);
    expect(log(dirOf('exploded'))).toEqual(log(dirOf('never')));
  });

  it('measures it also without β, where any alarm ends the run', async () => {
    const ran = await heed(args('without', 'watch.stop=true', 'method.beta=0'));
    expect(ran.code, ran.err).toBe(0);
    const { alarms, wentBack, ...rest } = ran.json<AlignSummary>();
    expect(alarms.length).toBeGreaterThan(0);
    expect(wentBack!.step).toBe(wentBack!.from - 1);
    expect(kls(rest as AlignSummary).at(-1)!).toBeGreaterThan(1);
    await heed(args('unwatched', 'method.beta=0', 'loop.iterations=1'));
    const first = (name: string): Record<string, number> =>
      JSON.parse(readFileSync(join(dirOf(name), 'metrics.jsonl'), 'utf8').split('\n')[0]!) as Record<string, number>;
    // What is read for the watch alone changes nothing that is learnt.
    expect(first('without')).toHaveProperty('kl');
    expect(first('unwatched')).not.toHaveProperty('kl');
    expect(first('without')['grad_norm']).toBe(first('unwatched')['grad_norm']);
  });
});
