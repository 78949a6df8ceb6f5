import { type Engine, startEngine } from '@heed/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AnyRow, Message, NegativeRow, RefinedRow, RowKind } from '../../src/data/rows.js';
import { openGenerator } from '../../src/generate/open.js';
import { createAnswerer } from '../../src/loop/answerer.js';
import { openRowMaker, requireEnoughMade } from '../../src/loop/row-maker.js';
import { methodOf } from '../../src/method/index.js';
import { planAdapter } from '../../src/model/adapter.js';
import { type Model, loadModel } from '../../src/model/load.js';
import { createRandom } from '../../src/run/random.js';
import { refinementPrompt } from '../../src/text/refine.js';
import { selfCorrectionPrompt } from '../../src/text/self-correct.js';
import { RowsOptions } from '../../src/loop/rows-recipe.js';
import { scratchFolder } from '../support/scratch.js';
import { sampleRows } from '../support/rows.js';
import { tinyTalker } from './talkative.js';

const { folder } = scratchFolder();
let engine: Engine;
let model: Model;
beforeAll(async () => {
  engine = await startEngine({ threads: 1 });
  model = await loadModel(await tinyTalker(folder, { context: 1024 }));
});
afterAll(() => engine.close());

let runs = 0;
function maker(options: object, kind: RowKind, said: string[] = []) {
  const name = `made-${runs++}`;
  const run = { path: (...parts: string[]) => [folder, name, ...parts].join('/') };
  const plan = planAdapter(model.checkpoint.tensors.values(), { rank: 2, alpha: 2, targets: ['q_proj'], dropout: 0, rslora: false });
  const answerer = createAnswerer(engine, model, plan, {});
  return openRowMaker(RowsOptions.parse({ maxNewTokens: 8, ...options }), { answerer, kind, run, seed: 0, say: (line) => said.push(line) });
}

/** What the model says under a prompt, ended by itself and worth keeping, else undefined. */
async function drawn(prompts: readonly (readonly Message[])[], bad: readonly string[]): Promise<(string | undefined)[]> {
  const generator = await openGenerator(engine, model, { batch: 32 });
  const completions = await generator.generate(
    prompts.map((prompt, row) => ({ prompt: model.template.prompt(prompt), row })),
    { maxNewTokens: 8, temperature: 1, seed: createRandom('rows', 0, 'train').int(2 ** 31) },
  );
  await generator.release();
  return prompts
    .map((_, i) => completions.find(({ row }) => row === i)!)
    .map(({ text, finish }, i) => (finish === 'stop' && text.trim() !== '' && text.trim() !== bad[i] ? text.trim() : undefined));
}

describe('refine', () => {
  it('puts the model\'s text in place of the refinement, and keeps rows that are satisfactory or got nothing usable', async () => {
    const rows = sampleRows('refined') as RefinedRow[];
    const bad = rows.filter(({ satisfied }) => !satisfied);
    const wanted = await drawn(
      bad.map(({ prompt, completion, judgment }) => refinementPrompt(prompt, completion, judgment!)),
      bad.map(({ completion }) => completion),
    );
    const usable = wanted.filter((text) => text !== undefined).length;
    expect(usable).toBeGreaterThan(0); // else this would show nothing
    const said: string[] = [];
    const made = await maker({ make: 'refine' }, 'refined', said).make('train', rows, undefined);
    expect(made).toEqual(rows.map((row) => (row.satisfied ? row : { ...row, refinement: wanted[bad.indexOf(row)] ?? row.refinement })));
    expect(said.join()).toContain(`refine, train: ${usable} texts for 4 rows`);
    if (usable < 4) expect(said.join()).toMatch(new RegExp(`${4 - usable} rows? got none and stays? as (it is|they are)`));
  });
});

describe('self-correct', () => {
  it.each([true, false])('correct: %s draws positives under the prompt that it says', async (correct) => {
    const rows = sampleRows('negative') as NegativeRow[];
    const wanted = await drawn(
      rows.map(({ prompt }) => (correct ? selfCorrectionPrompt(prompt) : prompt)),
      rows.map(({ rejected }) => rejected),
    );
    expect(wanted.some((text) => text !== undefined)).toBe(true);
    const made = await maker({ make: 'self-correct', samples: 1, correct }, 'negative').make('train', rows, undefined);
    expect(made).toEqual(rows.map((row, i) => (wanted[i] === undefined ? row : { ...row, positives: [wanted[i]] })));
  });
});

describe('a kind of row that a maker does not make', () => {
  it.each([
    ['refine', 'negative', 'refined'],
    ['self-correct', 'refined', 'negative'],
    ['self-correct', 'preference', 'negative'],
  ] as const)('%s for %s rows is refused', (make, kind, own) => {
    expect(() => maker({ make }, kind)).toThrow(
      `rows.make: ${make} makes rows of the kind "${own}", but the method learns from "${kind}" rows.`,
    );
  });
});

describe('what a maker takes a row for', () => {
  it('is the row with one text everywhere', () => {
    const [row] = sampleRows('negative') as [AnyRow];
    expect(maker({ make: 'self-correct', samples: 3 }, 'negative').pretend(row, 'Yes.')).toEqual({
      ...row,
      positives: ['Yes.', 'Yes.', 'Yes.'],
    });
  });
});

describe('texts that would not be enough', () => {
  const rows = sampleRows('negative');
  const three = (): ReturnType<typeof maker> => maker({ make: 'self-correct', samples: 3 }, 'negative');

  it('are refused before any is written, with the rows', () => {
    const require = (k: number, junk?: 'skip'): void => requireEnoughMade(three(), rows, methodOf({ name: 'd2o', k }), { junk });
    expect(() => require(3)).not.toThrow();
    expect(() => require(4)).toThrow(/d2o could not learn from \d+ rows[^]*it has 3 of the 4 positives that d2o needs/);
    expect(() => require(4, 'skip')).toThrow('could not learn');
  });
});
