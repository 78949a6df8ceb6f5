import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { LabelRecipe } from '../../src/label/recipe.js';
import { labelRows, type LabelSummary } from '../../src/label/label-rows.js';
import { openStore } from '../../src/label/store.js';
import { cached } from '../../src/label/cached.js';
import { openRun } from '../../src/run/folder.js';
import { checkRecipe } from '../../src/run/recipe.js';
import { heed } from '../cli/support.js';
import { tinyTalker } from '../loop/talkative.js';
import { scratchFolder } from '../support/scratch.js';
import { heedStopped } from '../train/interrupted.js';
import { broke, chose, fake, said, type Fake, type Script, wordsOf } from './fake.js';

const { folder, write } = scratchFolder();
const data = write(
  'pairs.jsonl',
  Array.from(
    { length: 12 },
    (_, i) => `${JSON.stringify({ id: `p${i}`, prompt: `Question ${i}?`, chosen: `Good ${i}.`, rejected: `Bad ${i}.` })}\n`,
  ).join(''),
);
const labelSection = 'label: { name: preferences, rationale: { samples: 2, temperature: 0.5 } }';
const recipe = `data: ${data}\njudge: { local: {} }\n${labelSection}\nrun: { dir: x }\n`;

/** Answers depend on the words of a question alone, as a judge's with a seed do. */
const number = (text: string): number => [...text].reduce((sum, c) => (sum * 31 + c.codePointAt(0)!) % 9973, 7) / 9973;
const script: Script = {
  write: (q) => said(`Thought ${number(wordsOf(q) + q.seed).toFixed(4)}`),
  choose: (q) => { const p = number(wordsOf(q)); return chose(p, 1 - p); },
};

/** Labels into a run folder with a store; the files by name. */
async function label(run: string, store: string, inner: Fake): Promise<{ rows: string; report: LabelSummary }> {
  const checked = checkRecipe(recipe, 'r.yaml', [], LabelRecipe);
  const opened = await openRun(join(folder, run), { recipe: checked.text, resume: true });
  const labels = await openStore(join(folder, store));
  try {
    const report = await labelRows(checked.recipe, opened, { judge: cached(inner, labels) });
    return { rows: readFileSync(opened.path('rows.jsonl'), 'utf8'), report };
  } finally {
    labels.close();
    await opened.close();
  }
}

describe('a labelling run that is killed', () => {
  it('asks only what is missing when it is started again, at whatever question it was killed; the rows are the same', async () => {
    const whole = fake(script);
    const { rows, report } = await label('whole', 'whole.db', whole);
    expect(report).toMatchObject({ labelled: 12, asking: { questions: 96, asked: 96 } });
    // 48 rationales, then 48 choices.
    for (const at of [0, 5, 47, 48, 60, 95]) {
      let n = 0;
      const crash = <Q, R>(reply: (q: Q, i: number) => R) => (q: Q, i: number): R => {
        if (n++ === at) throw new Error('killed');
        return reply(q, i);
      };
      const dying = fake({ choose: crash(script.choose!), write: crash(script.write!) });
      await expect(label(`at-${at}`, `at-${at}.db`, dying)).rejects.toThrow('killed');
      const rest = fake(script);
      const resumed = await label(`at-${at}`, `at-${at}.db`, rest);
      expect(rest.choices.length + rest.texts.length).toBe(96 - at);
      expect(resumed.rows).toBe(rows);
    }
  });

  it('failures of a bad day are mended by the next run, and only they are asked again', async () => {
    const day = fake({ ...script, choose: (q, i) => (i % 4 === 0 ? broke('rate-limit', '429') : script.choose!(q, i)) });
    const bad = await label('mended', 'mended.db', day);
    expect(bad.report.failed).toMatchObject({ rows: 12, reasons: { 'rate-limit': 12 } });
    const good = fake(script);
    const { rows } = await label('mended', 'mended.db', good);
    expect(good.texts).toHaveLength(0);
    expect(good.choices).toHaveLength(12);
    expect(rows).toBe((await label('whole', 'whole.db', fake({}))).rows);
  });

  it('on the command line: killed before its rows were written, it goes on to the same rows without asking', async () => {
    const model = await tinyTalker(folder, { context: 2048 });
    const file = fileURLToPath(new URL('../../../../recipes/label-preferences.yaml', import.meta.url));
    const args = (run: string, store: string): string[] => [
      'label',
      file,
      `data=${data}`,
      `judge={ local: { model: "${model}" } }`,
      `run.dir=${join(folder, run)}`,
      `store=${join(folder, store)}`,
      '--json',
    ];
    const killed = await heedStopped(args('cli', 'cli.db'), { how: 'SIGKILL', on: 'rename', matching: 'rows\\.jsonl$' });
    expect(killed.signal, killed.err).toBe('SIGKILL');
    const resumed = (await heed([...args('cli', 'cli.db'), '--resume'])).json<{ asking: { asked: number; reused: number } }>();
    expect(resumed.asking).toMatchObject({ asked: 0, reused: 24 });
    const whole = (await heed(args('cli-whole', 'cli-whole.db'))).json<{ asking: { asked: number } }>();
    expect(whole.asking.asked).toBe(24);
    expect(readFileSync(join(folder, 'cli', 'rows.jsonl'), 'utf8')).toBe(readFileSync(join(folder, 'cli-whole', 'rows.jsonl'), 'utf8'));
  });
});
