import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openStore } from '../../src/label/store.js';
import { heed } from '../cli/support.js';
import { scratchFolder } from '../support/scratch.js';

// People as the judge, on the command line: what they write is read anew by each run, and is theirs alone.
const { folder, write } = scratchFolder();
const pairs = ['Dogs', 'Cats'].map((word) => ({ id: word, prompt: `Name one: ${word}.`, responses: ['Rex', 'Ink'] }));
const recipe = write('recipe.yaml', `
data: ${write('pairs.jsonl', pairs.map((pair) => `${JSON.stringify(pair)}\n`).join(''))}
judge: { human: { questions: none } }
label: { name: preferences, orders: one }
store: ${join(folder, 'labels.db')}
run: { dir: none }
`);
const questions = (name: string): string => join(folder, `${name}.jsonl`);
const label = (name: string, ...more: string[]) =>
  heed(['label', recipe, `judge={ human: { questions: ${questions(name)} } }`, `run.dir=${join(folder, name)}`, '--json', ...more]);

/** The file of questions with an answer to each. */
const filled = (name: string, answers: readonly string[]): string =>
  readFileSync(questions(name), 'utf8')
    .trim()
    .split('\n')
    .map((line, i) => `${JSON.stringify({ ...(JSON.parse(line) as object), answer: answers[i] })}\n`)
    .join('');
const chosen = (name: string): string[] =>
  readFileSync(join(folder, name, 'rows.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { chosen: string }).chosen);

describe('heed label with people', () => {
  it('waits for their answers, reads them, and a correction too', async () => {
    const waiting = await label('ann');
    expect(waiting.code, waiting.err).toBe(0);
    expect(waiting.json()).toMatchObject({ labelled: 0, waiting: { questions: 2, files: [questions('ann')] } });
    const told = await heed(['label', recipe, `judge={ human: { questions: ${questions('ann')} } }`, `run.dir=${join(folder, 'ann')}`]);
    expect(told.out).toContain(`2 questions wait in ${questions('ann')}; fill in \`answer\`, run again.`);
    writeFileSync(questions('ann'), filled('ann', ['1', '2']));
    const ran = await label('ann');
    expect(ran.code, ran.err).toBe(0);
    expect(ran.json()).toMatchObject({ judge: 'human', labelled: 2, asking: { questions: 2, asked: 2, reused: 0 } });
    expect(chosen('ann')).toEqual(['Rex', 'Ink']);

    writeFileSync(questions('ann'), filled('ann', ['2', '2']));
    expect((await label('ann')).code).toBe(0);
    expect(chosen('ann')).toEqual(['Ink', 'Ink']);
  });

  it('does not take one annotator for another, though both label into one store', async () => {
    await label('bea');
    writeFileSync(questions('bea'), filled('bea', ['1', '1']));
    expect((await label('bea')).code).toBe(0);
    expect([chosen('ann'), chosen('bea')]).toEqual([['Ink', 'Ink'], ['Rex', 'Rex']]);
    const store = await openStore(join(folder, 'labels.db'));
    expect(await store.count()).toEqual({ replies: 0, failures: 0 });
    store.close();
  });

  it('goes on with copies that people filled in, named only when they are there', async () => {
    await label('both');
    const copies = [
      ['1', '1'],
      ['1', '2'],
    ].map((answers, i) => write(`copy-${i}.jsonl`, filled('both', answers).replaceAll('"answer"', `"who":"p${i}","answer"`)));
    const ran = await label('both', `judge.human.answers=[${copies.join(', ')}]`);
    expect(ran.code, ran.err).toBe(0);
    const rows = readFileSync(join(folder, 'both', 'rows.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { soft_label: number }).soft_label);
    expect(rows).toEqual([1, 0.5]);
  });
});
