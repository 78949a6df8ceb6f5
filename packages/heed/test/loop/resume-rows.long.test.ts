import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { openRun } from '../../src/run/folder.js';
import { silentProgress } from '../../src/run/progress.js';
import { loadRecipe } from '../../src/run/recipe.js';
import { Interrupted } from '../../src/run/signals.js';
import { TrainRecipe } from '../../src/loop/train-recipe.js';
import { type TrainSummary, runTraining } from '../../src/loop/train-job.js';
import { scratchFolder } from '../support/scratch.js';
import { sampleRows } from '../support/rows.js';
import { adapterBytes, log } from '../train/interrupted.js';
import { tinyTalker } from './talkative.js';

// What a run carries besides the adapter goes on too: a method's memory, moving averages, losses over several passes, rows that the model
// wrote.
const { folder, write } = scratchFolder();
let model: string;
beforeAll(async () => {
  model = await tinyTalker(folder, { context: 512 });
});

const plain = (row: object): string => {
  const { prompt } = row as { prompt: { content: string }[] };
  return JSON.stringify({ ...row, source: undefined, prompt: prompt[0]!.content });
};
const CASES = {
  'the memory of bco, over several passes': { kind: 'labelled', section: 'method: {name: bco}', micro: 3 },
  'the mismatched pairs of kto, over several passes': { kind: 'labelled', section: 'method: {name: kto}', micro: 2 },
  'the averages of d2o and the positives that it draws as it goes': {
    kind: 'negative', micro: 2,
    section: `
method: {name: d2o, k: 1, rPlus: {every: 1, rate: 0.5}, rMinus: {every: 2, rate: 0.25}}
rows: {make: self-correct, every: 2, samples: 3, maxNewTokens: 8}`,
  },
  'the positives that are drawn under the plain prompt': {
    kind: 'negative', micro: 2,
    section: `
method: {name: npo, retain: 1}
rows: {make: self-correct, correct: false, every: 2, samples: 2, maxNewTokens: 8}`,
  },
  'the refinements that ilf has written as it goes': {
    kind: 'refined', micro: 2,
    section: `
method: {name: ilf, ratio: null}
rows: {make: refine, every: 2, maxNewTokens: 8}`,
  },
} as const;

describe.each(Object.entries(CASES))('%s', (name, { kind, section, micro }) => {
  const writes = section.includes('rows:');
  const dirOf = (what: string): string => join(folder, `${name} ${what}`);
  const run = async (what: string, { resume = false, stopAfter = Infinity } = {}): Promise<TrainSummary> => {
    const data = write(
      `${kind}.jsonl`,
      sampleRows(kind)
        .map((row) => `${plain({ ...row, positives: undefined, refinement: undefined })}\n`)
        .join(''),
    );
    const file = write(
      `${kind}.yaml`,
      `
model: ${model}
data: {path: ${data}, junk: skip}
${section}
adapter: {rank: 2, alpha: 4, targets: [q_proj, down_proj]}
train: {steps: 6, batch: 4, microBatch: ${micro}, learningRate: 1e-2, checkpointEvery: 2}
run: {dir: unused}
`);
    const { recipe, text } = await loadRecipe(file, [`run.dir=${dirOf(what)}`], TrainRecipe);
    const folderOf = await openRun(dirOf(what), { recipe: text, resume });
    const interrupt = { requested: false };
    const progress = {
      ...silentProgress,
      update: (step: number, note?: string) => {
        if (note?.startsWith('loss') === true) interrupt.requested = step >= stopAfter;
      },
    };
    try {
      return await runTraining(recipe, folderOf, { interrupt, progress });
    } finally {
      await folderOf.close();
    }
  };

  it('goes on to the same numbers', async () => {
    await run('whole');
    // Rows are made every two steps: stopped right before, and in between. For what is not made anew, one place is as good as another.
    for (const stopAfter of writes ? [2, 3] : [3]) {
      const what = `stopped ${stopAfter}`;
      await expect(run(what, { stopAfter })).rejects.toThrow(Interrupted);
      expect((await run(what, { resume: true })).resumedFrom).toBe(stopAfter);
      expect(log(dirOf(what))).toEqual(log(dirOf('whole')));
      expect(adapterBytes(dirOf(what)).equals(adapterBytes(dirOf('whole')))).toBe(true);
    }
    if (writes) expect(readdirSync(join(dirOf('whole'), 'work', 'rows')).sort()).toEqual(['step-2', 'step-4', 'train']);
  });
});
