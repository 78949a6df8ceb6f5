import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { heed } from '../cli/support.js';
import { tinyTalker } from '../loop/talkative.js';
import { promptLines } from '../support/rows.js';
import { scratchFolder } from '../support/scratch.js';
import { heedStopped } from '../train/interrupted.js';
import { dpoRecipe, expectSame } from './support.js';

// Killed or stopped anywhere, a sweep goes on to the same numbers as one that was not; and a run of it has the numbers of a run alone.
const scratch = scratchFolder();
const dirOf = (name: string): string => join(scratch.folder, name);
const NAMES = ['beta=0.1,seed=0', 'beta=0.1,seed=1', 'beta=0.5,seed=0', 'beta=0.5,seed=1'];
let recipe: string;
const args = (name: string): string[] => ['sweep', recipe, 'method.beta=0.1,0.5', 'train.seed=0,1', `run.dir=${dirOf(name)}`];

beforeAll(async () => {
  ({ recipe } = await dpoRecipe(scratch));
  const ran = await heed(args('whole'));
  expect(ran.code, ran.err).toBe(0);
});

describe('heed sweep', () => {
  it.each([
    ['in the middle of a run', 'line', '^\\{"step":3,'],
    ['while a run ends', 'rename', 'seed=1.*adapter_model.safetensors$'],
    ['while a shared result is put in place', 'rename', 'shared/answers'],
    ['while it writes how far it is', 'rename', 'sweep.json$'],
  ] as const)('killed %s goes on to the same numbers', async (when, on, matching) => {
    const name = when.replaceAll(' ', '-');
    const killed = await heedStopped(args(name), { how: 'SIGKILL', on, matching });
    expect(killed.signal, killed.err).toBe('SIGKILL');
    const ran = await heed(args(name));
    expect(ran.code, ran.err).toBe(0);
    for (const one of NAMES) expectSame(join(dirOf(name), one), join(dirOf('whole'), one));
  });

  it('asked to stop saves the run, says how to go on, and ends with the code of the signal', async () => {
    const stopped = await heedStopped(args('asked'), { how: 'SIGINT', on: 'line', matching: '^\\{"step":3,' });
    expect(stopped.code, stopped.err).toBe(130);
    expect(stopped.err).toContain('The same command goes on');
    const { runs } = JSON.parse(readFileSync(join(dirOf('asked'), 'sweep.json'), 'utf8')) as { runs: { state: string }[] };
    expect(runs.map(({ state }) => state)).toEqual(['stopped', 'waiting', 'waiting', 'waiting']);
    expect(readFileSync(join(dirOf('asked'), 'sweep.html'), 'utf8')).toContain('0 of 4 runs have finished');
  });

  it('aligns, with answers of the base that are written once', async () => {
    const model = await tinyTalker(scratch.folder, { context: 256 });
    const align = scratch.write('align.yaml', `
model: ${model}
data: ${scratch.write('prompts.jsonl', promptLines(12, 'Why'))}
reward: rules:${scratch.write('tiny.rules.yaml', `
name: tiny
rules:
  - {id: letters, kind: forbidden-pattern, pattern: '[a-m]', message: 'It has {quotes}.'}
`)}
generate: {maxNewTokens: 8, samples: 2}
loop: {iterations: 2}
evaluate: {prompts: ${scratch.write('held.jsonl', promptLines(4, 'How'))}, maxNewTokens: 6}
method: {name: cut, ratio: null}
adapter: {rank: 2, alpha: 4, targets: [q_proj, down_proj]}
train: {batch: 4, learningRate: 1e-2, steps: 2}
run: {dir: ${dirOf('unused')}}
`);
    const settings = [['1.1', '0'], ['1.1', '1'], ['1.5', '0'], ['1.5', '1']] as const;
    const ran = await heed(['sweep', align, 'method.lambda=1.1,1.5', 'train.seed=0,1', `run.dir=${dirOf('aligned')}`]);
    expect(ran.code, ran.err).toBe(0);
    expect(ran.out).toMatch(/^good enough answers \(satisfied\), higher is better$/m);
    for (const [lambda, seed] of settings) {
      const alone = dirOf(`${lambda}-${seed}`);
      const one = await heed(['align', align, `method.lambda=${lambda}`, `train.seed=${seed}`, `run.dir=${alone}`]);
      expect(one.code, one.err).toBe(0);
      expectSame(join(dirOf('aligned'), `lambda=${lambda},seed=${seed}`), alone);
    }
    // The likeliest answers to the held-out prompts are the same for every seed; those that a first round draws are a seed's own.
    expect(readdirSync(join(dirOf('aligned'), 'shared')).map((file) => file.replace(/-.*/, ''))).toEqual(['answers', 'answers', 'answers']);
  });
});
