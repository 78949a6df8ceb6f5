import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { cached } from '../../src/label/cached.js';
import { labelRows } from '../../src/label/label-rows.js';
import { loadLabelRecipe } from '../../src/label/recipe.js';
import { openStore } from '../../src/label/store.js';
import { openRun } from '../../src/run/folder.js';
import { heed } from '../cli/support.js';
import { tinyTalker } from '../loop/talkative.js';
import { scratchFolder } from '../support/scratch.js';
import { broke, chose, fake, wordsOf } from './fake.js';

const { folder, write } = scratchFolder();
// A labeler as a user writes it: one file outside of the package.
const module = write('polite.ts', `
  import { defineLabeler, failed } from '@heed/heed';
  import { z } from 'zod';
  export const polite = defineLabeler({
    name: 'polite', material: 'singles', files: ['rude'],
    options: z.strictObject({ like: z.string().default('please'), least: z.number().default(0.5) }),
    prepare: async ({ like }) => like.toUpperCase(),
    async label(singles, judge, { least }, like) {
      const replies = await judge.choose(singles.map(({ completion }) => (
        { messages: [{ role: 'user', content: 'As polite as ' + like + '? ' + completion }], answers: ['Yes', 'No'] })));
      const all = singles.map(({ source, id, completion }, i) => {
        const reply = replies[i];
        if (failed(reply)) return { source, id, failure: reply.failure, detail: reply.detail };
        return { id, completion, polite: 1 / (1 + Math.exp(reply.logprobs[1] - reply.logprobs[0])) };
      });
      const rows = all.filter((one) => !('failure' in one));
      return {
        rows: rows.filter((row) => row.polite >= least), failures: all.filter((one) => 'failure' in one),
        more: { rude: rows.filter((row) => row.polite < least) }, measures: { rude: rows.filter((row) => row.polite < least).length },
      };
    },
    report: ({ rude }, labelled) => ({ lines: ['rude: ' + rude + ' of ' + labelled] }),
  });
  export const nothing = { name: 'nothing' };
`,
);
const data = write(
  'data.jsonl',
  ['Yes, please.', 'No.', 'Perhaps?'].map((completion, i) => `${JSON.stringify({ id: `r${i}`, prompt: 'Tea?', completion })}\n`).join(''),
);
const recipe = write(
  'polite.yaml',
  `data: ${data}\njudge: { local: {} }\nlabel: ${module}#polite\nallowedFailures: 0.5\nrun: { dir: ${join(folder, 'run')} }\n`,
);
const lines = (dir: string, name: string): unknown[] =>
  readFileSync(join(dir, name), 'utf8').split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as unknown);

describe('a labeler of a user\'s module, named by a recipe', () => {
  it('labels: options with their defaults, rows, a further file, failures and its part of the report', async () => {
    const loaded = await loadLabelRecipe(recipe, ['label.least=0.6']);
    expect(loaded.recipe.label).toEqual({ name: `${module}#polite`, like: 'please', least: 0.6 });
    expect(loaded.text).toContain('like: please');
    const run = await openRun(join(folder, 'fake'), { recipe: loaded.text, resume: true });
    const store = await openStore(join(folder, 'fake.db'));
    const judge = fake({ choose: (_, i) => [chose(0.9, 0.1), broke('timeout', 'slow'), chose(0.25, 0.75)][i]! });
    const summary = await labelRows(loaded.recipe, run, { judge: cached(judge, store) });
    store.close();
    await run.close();
    expect(wordsOf(judge.choices[0]!)).toContain('As polite as PLEASE? Yes, please.');
    expect(summary).toMatchObject({
      labeler: `${module}#polite`,
      rows: 3,
      labelled: 2,
      measures: { rude: 1 },
      failed: { reasons: { timeout: 1 } },
    });
    expect(lines(run.dir, 'rows.jsonl')).toEqual([{ id: 'r0', completion: 'Yes, please.', polite: expect.closeTo(0.9, 12) as number }]);
    expect(lines(run.dir, 'rude.jsonl')).toEqual([{ id: 'r2', completion: 'Perhaps?', polite: expect.closeTo(0.25, 12) as number }]);
    expect(lines(run.dir, 'failures.jsonl')).toMatchObject([{ source: `${data}:2`, id: 'r1', failure: 'timeout', detail: 'slow' }]);
    expect(readFileSync(run.path('report.html'), 'utf8')).toContain('rude: 1 of 2');
  });

  it('works from the command line, is inspected, and goes on with its run', async () => {
    const model = await tinyTalker(folder, { context: 2048 });
    const args = [recipe, `judge={ local: { model: "${model}" } }`, `store=${join(folder, 'cli.db')}`];
    const inspected = await heed(['inspect', ...args, '--json']);
    expect(inspected.json()).toMatchObject({ labeler: `${module}#polite`, toLabel: { what: 'singles', rows: 3 } });
    const first = await heed(['label', ...args]);
    expect(first.code, first.err).toBe(0);
    expect(first.out).toMatch(/rude: \d of 3/);
    const again = await heed(['label', ...args, '--json']);
    expect(again.json()).toMatchObject({ labelled: 3, asking: { asked: 0, reused: 3 } });
    // A further file of the labeler is data that its own run would replace.
    const own = await heed(['label', ...args, `data=${join(folder, 'run', 'rude.jsonl')}`, '--overwrite']);
    expect(own.code).toBe(2);
  });

  it('as docs/labels.md shows one', async () => {
    const page = readFileSync(fileURLToPath(new URL('../../../../docs/labels.md', import.meta.url)), 'utf8');
    const shown = write('shown.ts', /<!-- own-labeler -->\n```ts\n([^]*?)```/.exec(page)![1]!);
    const { recipe: loaded, text } = await loadLabelRecipe(recipe, [`label={ name: "${shown}#polite", word: thanks }`]);
    const run = await openRun(join(folder, 'shown'), { recipe: text, resume: true });
    const store = await openStore(join(folder, 'shown.db'));
    const judge = fake({ choose: (_, i) => [chose(0.9, 0.1), chose(0.2, 0.8), broke('refused', 'no')][i]! });
    const summary = await labelRows(loaded, run, { judge: cached(judge, store) });
    store.close();
    await run.close();
    expect(wordsOf(judge.choices[1]!)).toBe('Is this reply as polite as "thanks"? No.\n');
    expect(summary).toMatchObject({ labelled: 2, measures: { polite: 1 }, failed: { reasons: { refused: 1 } } });
    expect(lines(run.dir, 'rows.jsonl')).toEqual([
      { id: 'r0', completion: 'Yes, please.', polite: true }, { id: 'r1', completion: 'No.', polite: false },
    ]);
  });

  it.each([
    ['an option that it lacks', 'polite', ['label.leest=1'], /leest[^]*least/],
    ['an export that is no labeler', 'nothing', [], /#nothing is no labeler[^]*defineLabeler/],
    ['an export that is not there', 'polit', [], /exports no "polit"; did you mean "polite"/],
  ])('says what is wrong: %s', async (_, name, overrides, message) => {
    const ran = await heed(['label', recipe, `label=${module}#${name}`, ...overrides]);
    expect(ran.code).toBe(2);
    expect(ran.err).toMatch(message);
  });
});
