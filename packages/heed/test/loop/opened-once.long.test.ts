import { join } from 'node:path';
import type * as Tensor from '@heed/tensor';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type * as Generate from '../../src/generate/open.js';
import { type AlignSummary, runAlignment } from '../../src/loop/align-job.js';
import { AlignRecipe } from '../../src/loop/align-recipe.js';
import { runTraining } from '../../src/loop/train-job.js';
import { TrainRecipe } from '../../src/loop/train-recipe.js';
import type * as Rewards from '../../src/reward/open.js';
import { openRun } from '../../src/run/folder.js';
import type { Hooks } from '../../src/run/job.js';
import { silentProgress } from '../../src/run/progress.js';
import { loadRecipe } from '../../src/run/recipe.js';
import { promptLines, sampleRows } from '../support/rows.js';
import { scratchFolder } from '../support/scratch.js';
import { tinyTalker } from './talkative.js';

// A run of many rounds compiles and opens what it needs once. Compiled programs are counted by the round that asked for them.
const seen = vi.hoisted(() => ({ now: 'before', opened: [] as string[], compiled: [] as string[], training: [] as string[] }));

vi.mock('@heed/tensor', async (original) => {
  const tensor = await original<typeof Tensor>();
  return {
    ...tensor,
    startEngine: async (...given: Parameters<typeof tensor.startEngine>): Promise<Tensor.Engine> => {
      seen.opened.push('engine');
      const engine = await tensor.startEngine(...given);
      const compile = engine.compile.bind(engine);
      engine.compile = async (...given) => {
        seen.compiled.push(seen.now);
        const session = await compile(...given);
        if (!given[0].inputs.some(({ name }) => name === 'carry' || name === 'learningRate')) return session;
        seen.training.push('opened');
        const release = session.release.bind(session);
        session.release = () => {
          seen.training.push(`closed ${seen.now}`);
          return release();
        };
        return session;
      };
      return engine;
    },
  };
});
vi.mock('../../src/generate/open.js', async (original) => {
  const { openGenerator } = await original<typeof Generate>();
  return {
    openGenerator: (...given: Parameters<typeof openGenerator>) => {
      seen.opened.push('generator');
      return openGenerator(...given);
    },
  };
});
vi.mock('../../src/reward/open.js', async (original) => {
  const open = await original<typeof Rewards>();
  return {
    ...open,
    openReward: (...given: Parameters<typeof open.openReward>) => {
      seen.opened.push('reward');
      return open.openReward(...given);
    },
  };
});

const { folder, write } = scratchFolder();
let model: string;
let rules: string;
beforeAll(async () => {
  model = await tinyTalker(folder, { context: 512 });
  rules = write('tiny.rules.yaml', `
name: tiny
rules:
  - {id: letters, kind: forbidden-pattern, pattern: '[n-z]', message: 'It has {quotes}.'}
`);
});
beforeEach(() => {
  seen.now = 'before';
  seen.opened.length = seen.compiled.length = seen.training.length = 0;
});

/** Hooks that notice which round begins, by what the run says it is doing. */
const hooks: Hooks = {
  progress: {
    ...silentProgress,
    start(what) {
      const round = /^round (\d+) of \d+: answering/.exec(what)?.[1];
      const step = /^self-correct, step-(\d+)$/.exec(what)?.[1];
      if (round !== undefined) seen.now = `round ${round}`;
      if (step !== undefined) seen.now = `round ${Number(step) + 1}`;
      if (/^answering the held-out prompts, after/.test(what)) seen.now = 'after';
    },
  },
};
const compiledIn = (when: string): number => seen.compiled.filter((one) => one === when).length;

/** Runs four rounds of heed align. */
async function fourRounds(name: string, sections: string): Promise<AlignSummary> {
  const file = write('align.yaml', `
model: ${model}
${sections}
loop: {iterations: 4}
evaluate: {prompts: ${write('held.jsonl', promptLines(4, 'How'))}, reward: 'rules:${rules}', maxNewTokens: 6}
adapter: {rank: 2, alpha: 4, targets: [q_proj, down_proj]}
run: {dir: '${join(folder, `align ${name}`)}'}
`);
  const { recipe, text } = await loadRecipe(file, [], AlignRecipe);
  const run = await openRun(recipe.run.dir, { recipe: text, resume: false });
  const summary = await runAlignment(recipe, run, hooks);
  await run.close();
  return summary;
}

/**
 * Training is compiled in the first round; generation with the adapter in the second. What only trains is let go of when all is learnt,
 * before the held-out prompts are answered.
 */
function expectCompiledOnce(): void {
  expect(compiledIn('round 1')).toBeGreaterThan(2);
  expect(compiledIn('round 2')).toBeGreaterThan(0);
  expect([compiledIn('round 3'), compiledIn('round 4')]).toEqual([0, 0]);
  const open = seen.training.filter((what) => what === 'opened').length;
  expect(open).toBeGreaterThanOrEqual(2);
  expect(seen.training.slice(open)).toEqual(Array.from({ length: open }, () => 'closed round 4'));
}

describe('four rounds of heed align', () => {
  it.each([
    ['one pass and no reference', '{name: cut, ratio: null}', 'microBatch: 2'],
    ['a reference that is scored ahead', '{name: dpo}', 'microBatch: 2'],
    ['two passes, and the policy as a reference', '{name: kto, reference: base}', 'microBatch: 2'],
  ])('compile nothing after the second round: %s', async (name, method, train) => {
    const { rounds } = await fourRounds(name, `
data: ${write('prompts.jsonl', promptLines(24, 'Why'))}
reward: rules:${rules}
generate: {maxNewTokens: 16, samples: 4}
method: ${method}
train: {steps: 3, batch: 4, learningRate: 1e-4, ${train}}
`);
    expect(rounds.map(({ steps }) => steps)).toEqual([3, 3, 3, 3]);
    // A reward for training, and one for the held-out answers.
    expect([...seen.opened].sort()).toEqual(['engine', 'generator', 'reward', 'reward']);
    expectCompiledOnce();
    // The likelihood of the answers under the model without the adapter.
    expect(compiledIn('after')).toBe(1);
  });

  it('compile nothing after the second round: policy gradient with a value head', async () => {
    const { rounds } = await fourRounds('ppo', `
data: ${write('prompts.jsonl', promptLines(24, 'Why'))}
reward: rules:${rules}
generate: {maxNewTokens: 16, prompts: 4, samples: 4}
method: {name: ppo}
train: {batch: 2, microBatch: 1, learningRate: 1e-4}
`);
    expect(rounds.map(({ steps }) => steps)).toEqual([2, 2, 2, 2]);
    expect([...seen.opened].sort()).toEqual(['engine', 'generator', 'reward', 'reward']);
    expectCompiledOnce();
  });

  it('compile nothing after the second round: self-play', async () => {
    const demos = Array.from({ length: 8 }, (_, i) => `${JSON.stringify({ prompt: `Why ${i}?`, completion: 'zz yy' })}\n`).join('');
    const { rounds } = await fourRounds('spin', `
data: ${write('demos.jsonl', demos)}
rows: {make: self-play}
generate: {maxNewTokens: 16, samples: 4}
method: {name: dpo, reference: round}
train: {steps: 3, batch: 4, microBatch: 2, learningRate: 1e-4}
`);
    expect(rounds.map(({ steps }) => steps)).toEqual([3, 3, 3, 3]);
    // No reward rates the answers that are learnt from.
    expect([...seen.opened].sort()).toEqual(['engine', 'generator', 'reward']);
    expectCompiledOnce();
  });
});

describe('rows that are made anew after every step', () => {
  it('compile nothing after the second round', async () => {
    const lines = sampleRows('negative').map((row) => {
      const { prompt } = row as unknown as { prompt: { content: string }[] };
      return `${JSON.stringify({ ...row, source: undefined, prompt: prompt[0]!.content, positives: undefined })}\n`;
    });
    const file = write('rows.yaml', `
model: ${model}
data: {path: ${write('negative.jsonl', lines.join(''))}, junk: skip}
method: {name: d2o, k: 1, rMinus: {every: 2, rate: 0.25}}
rows: {make: self-correct, every: 1, samples: 6, maxNewTokens: 8}
samples: {prompts: 0}
adapter: {rank: 2, alpha: 4, targets: [q_proj, down_proj]}
train: {steps: 6, batch: 4, microBatch: 2, learningRate: 1e-4}
run: {dir: '${join(folder, 'rows')}'}
`);
    const { recipe, text } = await loadRecipe(file, [], TrainRecipe);
    const run = await openRun(recipe.run.dir, { recipe: text, resume: false });
    expect((await runTraining(recipe, run, hooks)).steps).toBe(6);
    await run.close();
    expect([...seen.opened].sort()).toEqual(['engine', 'generator']);
    expect(compiledIn('before')).toBeGreaterThan(2);
    expect(compiledIn('round 2')).toBeGreaterThan(0);
    // One more when all is learnt: it looks whether answers still end.
    expect(['round 3', 'round 4', 'round 5', 'round 6'].map(compiledIn)).toEqual([0, 0, 0, 1]);
  });
});
