import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inspectSample, promptfooResult, SAMPLES, webuiRating } from '../exchange/samples.js';
import { scratchFolder } from '../support/scratch.js';
import { heed } from './support.js';

const { folder, write } = scratchFolder();
const lines = (all: readonly object[]): string => all.map((one) => `${JSON.stringify(one)}\n`).join('');
const read = (file: string): unknown[] => readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as unknown);

describe('heed import', () => {
  it('says how many rows of each kind there are, what was refused and where, what is unused, and what to do next', async () => {
    const ratings = [webuiRating({ rating: -1, comment: 'No.' }), { ...webuiRating({ rating: 1 }), snapshot: null }];
    const file = write('ratings.json', JSON.stringify(ratings));
    const { code, out } = await heed(['import', file]);
    expect(code).toBe(0);
    expect(out).toContain('2 records of open-webui');
    expect(out).toMatch(/judged +1 {2}cut, hindsight/);
    expect(out).toContain('refused: 1 × snapshot: the record has no chat');
    expect(out).toContain('ratings.json row 2');
    expect(out).toMatch(/Not used: .*user_id/);
    expect(out).toContain('--redact takes out');
    expect(out).toContain(`Write some: heed import ${file} --from open-webui --kind judged -o rows.jsonl`);
  });

  it('writes the only kind, asks where there are several, and takes personal data out where that is asked for', async () => {
    const answer = { role: 'assistant', content: 'Hi.' };
    const chats = write('chats.jsonl', lines([{ messages: [{ role: 'user', content: 'I am a@b.org' }, answer] }]));
    const rows = join(folder, 'rows.jsonl');
    const ran = await heed(['import', chats, '--from', 'openai', '-o', rows, '--redact', '--json']);
    expect(ran.json()).toMatchObject({ kind: 'conversation', rows: 1, redacted: { 'e-mail address': 1 } });
    expect(read(rows)).toEqual([{ messages: [{ role: 'user', content: 'I am [EMAIL]' }, answer] }]);
    const taken = await heed(['import', chats, '--from', 'openai', '-o', rows]);
    expect([taken.code, taken.err]).toEqual([2, expect.stringContaining('is there already')]);
    const results = write('results.jsonl', lines([promptfooResult('Pear.', true), promptfooResult('Leek.', false)]));
    const several = await heed(['import', results, '-o', join(folder, 'x.jsonl')]);
    expect([several.code, several.err]).toEqual([2, expect.stringContaining('rows of several kinds')]);
    const one = await heed(['import', results, '--kind', 'labelled', '-o', join(folder, 'x.jsonl')]);
    expect(one.out + one.err).toMatch(/2 labelled rows are in .*\n {2}of other kinds, by --kind: /);
  });

  it('scores of Python without a number are no reason to refuse a log', async () => {
    const sample = inspectSample(1, 'say "NaN"', { j: { value: 'C' }, k: { value: 'NUMBER' } });
    const text = JSON.stringify({ version: 2, plan: {}, samples: [sample] });
    const log = write('log.json', text.replace('"NUMBER"', 'NaN'));
    const ran = await heed(['import', log, '--from', 'inspect', '--kind', 'labelled', '-o', join(folder, 'log.jsonl'), '--json']);
    expect(ran.json()).toMatchObject({ rows: 1, notes: { [Object.keys(ran.json<{ notes: object }>().notes)[0]!]: 1 } });
    expect(read(join(folder, 'log.jsonl'))).toEqual([{ id: '1/1', prompt: 'Name a fruit.', completion: 'say "NaN"', label: true }]);
    const archive = await heed(['import', write('log.eval', 'PK'), '--from', 'inspect']);
    expect([archive.code, archive.err]).toEqual([2, expect.stringContaining('inspect log convert --to json')]);
  });

  it('a file of nobody in particular needs --from; labels and fields are said on the command line', async () => {
    const unknown = await heed(['import', write('a.jsonl', lines([{ a: 1 }]))]);
    expect([unknown.code, unknown.err]).toEqual([2, expect.stringContaining('Which tool wrote this file is not certain')]);
    const records = write('argilla.json', JSON.stringify([{ ...SAMPLES.argilla[0], 'ok.responses': ['grand', 'meh'] }]));
    const fields = ['--fields', 'prompt=prompt,completion=response,vote=ok', '--map', 'grand=good,meh=bad'];
    const rows = join(folder, 'argilla.jsonl');
    expect((await heed(['import', records, ...fields, '--kind', 'labelled', '-o', rows])).code).toBe(0);
    expect(read(rows)).toMatchObject([{ label: true }, { label: false }]);
    const wrong = await heed(['import', records, '--from', 'argilla', '--fields', 'prompt=prompt,answer=response']);
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('--fields answer: argilla has no such field')]);
  });
});
