import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scratchFolder } from '../support/scratch.js';
import { heed } from './support.js';

const { folder, write } = scratchFolder();
const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const rows = write('rows.jsonl', lines(Array.from({ length: 12 }, (_, i) => (
  { prompt: `p${i}?`, chosen: `It takes ${i + 2} days.`, rejected: i % 3 === 0 ? 'It might take days, perhaps.' : 'It might take days.' }
))));
const candidates = write('candidates.jsonl', lines([
  { prompt: 'q1?', responses: ['It takes 3 days!', 'It takes 3 days.'] }, { prompt: 'q2?', responses: ['Yes.', 'No, perhaps.'] },
]));
const at = (name: string): string => join(folder, name);

describe('heed infer', () => {
  it('writes values, asks, and takes the answers of people', async () => {
    const asking = ['--candidates', candidates, '--ask', '1', '--questions', at('ask.jsonl'), '--features', 'hedges,numbers,exclamations'];
    const first = await heed(['infer', rows, '-o', at('values.json'), ...asking]);
    expect(first.code, first.err).toBe(0);
    expect(first.out).toMatch(/^12 comparisons, 0 demonstrations, 0 votes\n/);
    expect(first.out).toMatch(/numbers +0\.\d\d +0\.\d\d +\[-0\.\d\d, \d\.\d\d\] +unclear\nhedges +-0/);
    expect(first.out).toMatch(/exclamations +0\.00 +1\.00 +\[-1\.96, 1\.96\] +unclear/);
    expect(JSON.parse(readFileSync(at('ask.jsonl'), 'utf8'))).toMatchObject({
      prompt: 'q1?', responses: ['It takes 3 days!', 'It takes 3 days.'],
    });

    // A person is asked through files, and likes the quiet one.
    const label = write('label.yaml', `
data: ${at('ask.jsonl')}
judge: { human: { questions: ${at('waiting.jsonl')} } }
label: { name: preferences, orders: one }
allowedFailures: 1
store: ${at('labels.db')}
run: { dir: ${at('asked')} }
`);
    expect((await heed(['label', label])).code).toBe(0);
    const question = JSON.parse(readFileSync(at('waiting.jsonl'), 'utf8')) as { messages: { content: string }[]; answers: string[] };
    const said = question.messages.at(-1)!.content;
    const quiet = said.indexOf('It takes 3 days.') < said.indexOf('It takes 3 days!');
    writeFileSync(at('waiting.jsonl'), lines([{ ...question, answer: question.answers[quiet ? 0 : 1] }]));
    const labelled = await heed(['label', label]);
    expect(labelled.code, labelled.err).toBe(0);

    const again = await heed(['infer', rows, at('asked/rows.jsonl'), '--features', 'hedges,numbers,exclamations', '--json']);
    expect(again.code, again.err).toBe(0);
    const values = again.json<{ features: { name: string }[]; mean: number[]; evidence: { comparisons: number } }>();
    expect(values.evidence.comparisons).toBe(13);
    expect(values.mean[values.features.findIndex(({ name }) => name === 'exclamations')]).toBeLessThan(-0.1);
  });

  it('refuses half a question, a prior of nothing, and to replace a file', async () => {
    expect((await heed(['infer', rows, '--ask', '2'])).err).toContain('--ask, --candidates and --questions go together');
    expect((await heed(['infer', rows, '--prior', '0'])).err).toContain('--prior is 0; expected a number above 0');
    expect((await heed(['infer'])).err).toContain('nothing to infer from');
    expect((await heed(['infer', rows, '-o', write('there.json', '{}')])).err).toContain('there.json is already there');
  });
});
