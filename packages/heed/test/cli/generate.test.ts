import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readRows } from '../../src/data/read.js';
import { parseRows } from '../../src/data/parse.js';
import { scratchFolder } from '../support/scratch.js';
import { heed, tinyChat } from './support.js';

const { folder, write } = scratchFolder();
let model = '';
let adapter = '';
let prompts = '';
beforeAll(async () => {
  ({ model, adapter } = await tinyChat(folder));
  prompts = write('prompts.jsonl', [
    { id: 'a', prompt: 'Hi there' },
    { prompt: [{ role: 'system', content: 'Be brief' }, { role: 'user', content: 'Why?' }] },
    { prompt: 'And a third prompt, which is longer than the others' },
  ].map((row) => `${JSON.stringify(row)}\n`).join(''));
});

interface Row { id?: string; prompt: unknown; completion: unknown; sample: number; finish: string; logprob: number; tokens: number }
const lines = (text: string): Row[] => text.trim().split('\n').map((line) => JSON.parse(line) as Row);
const generate = (...more: string[]) => heed(['generate', '--model', model, '--prompts', prompts, '--max-tokens', '6', ...more]);

describe('heed generate', () => {
  it("writes TRL's columns in the order of the prompts, text for text and turns for turns", async () => {
    const output = join(folder, 'made', 'out.jsonl');
    const { code, json } = await generate('-n', '2', '--stop', 'e', 'a', '-o', output, '--json');
    expect(code).toBe(0);
    const rows = lines(readFileSync(output, 'utf8'));
    expect(rows.map(({ id }) => id)).toEqual(['a', 'a', undefined, undefined, undefined, undefined]);
    expect(rows.map(({ sample }) => sample)).toEqual([0, 1, 0, 1, 0, 1]);
    expect(rows[0]).toMatchObject({ prompt: 'Hi there', completion: expect.any(String) as string });
    expect(rows[2]).toMatchObject({
      prompt: [{ role: 'system' }, { role: 'user', content: 'Why?' }],
      completion: [{ role: 'assistant', content: expect.any(String) as string }],
    });
    for (const { logprob, tokens, finish } of rows) {
      expect(tokens).toBeLessThanOrEqual(6);
      expect(finish === 'stop' || tokens === 6).toBe(true);
      expect(tokens === 0 || logprob < 0).toBe(true);
    }
    const result = json<{ completions: number; tokens: number; finish: { stop: number; length: number } }>();
    expect(result).toMatchObject({ output, model, prompts: 3, completions: 6 });
    expect(result.tokens).toBe(rows.reduce((n, { tokens }) => n + tokens, 0));
    expect(result.finish.stop + result.finish.length).toBe(6);
    expect(parseRows('prompt', await readRows(output)).rows).toHaveLength(6);
  });

  it('gives the same rows for the same seed on stdout, others for another seed or with an adapter', async () => {
    const plain = await generate('-o', '-');
    expect(plain.code).toBe(0);
    expect(plain.err).toContain('3 answers to 3 prompts');
    expect((await generate('-o', '-')).out).toBe(plain.out);
    expect((await generate('-o', '-', '--seed', '1')).out).not.toBe(plain.out);
    const adapted = await generate('-o', '-', '--adapter', adapter);
    expect(lines(adapted.out).map(({ prompt }) => prompt)).toEqual(lines(plain.out).map(({ prompt }) => prompt));
    expect(adapted.out).not.toBe(plain.out);
    expect(lines((await generate('-o', '-', '--limit', '1')).out)).toHaveLength(1);
  });

  it('keeps what is finished when Ctrl-C stops it', async () => {
    // More prompts than sequences that are worked on together: some are not begun when the first row is written.
    const many = write('many.jsonl', Array.from({ length: 80 }, (_, i) => `${JSON.stringify({ prompt: `prompt ${i}` })}\n`).join(''));
    let first = true;
    const { code, out, err } = await heed(['generate', '--model', model, '--prompts', many, '--max-tokens', '4', '-o', '-'], {
      onOut() {
        if (first) process.emit('SIGINT', 'SIGINT');
        first = false;
      },
    });
    expect(code).toBe(130);
    const kept = lines(out).length;
    expect(kept).toBeGreaterThanOrEqual(1);
    expect(kept).toBeLessThan(80);
    expect(err).toContain(`Stopped: ${kept} of 80 answers are in stdout.`);
  });

  it('overwrites only what it may, and says what is wrong before anything is written', async () => {
    const there = write('there.jsonl', 'precious\n');
    const refused = await generate('-o', there);
    expect(refused.code).toBe(2);
    expect(refused.err).toContain(`${there} is already there.`);
    expect(readFileSync(there, 'utf8')).toBe('precious\n');
    expect((await generate('-o', there, '--overwrite')).code).toBe(0);
    expect(lines(readFileSync(there, 'utf8'))).toHaveLength(3);

    const none = join(folder, 'none.jsonl');
    const wrong = async (message: string, ...more: string[]): Promise<void> => {
      const { code, err } = await generate('-o', none, ...more);
      expect(err).toContain(message);
      expect(err).not.toContain('    at ');
      expect(code).toBe(2);
      expect(existsSync(none)).toBe(false);
    };
    await wrong('--top-p is 0; expected a number above 0, at most 1.', '--top-p', '0');
    await wrong("argument 'hot' is invalid. It is not a number.", '--temperature', 'hot');
    await wrong('-n is 1.5; expected a whole number', '-n', '1.5');
    await wrong('--stop holds an empty text', '--stop', '');
    await wrong(`${folder} is a folder; name a file.`, '-o', folder);
    await wrong('-o - writes the rows to stdout', '-o', '-', '--json');
    await wrong('adapter_config.json: could not be read', '--adapter', join(folder, 'nothing'));
    await wrong('another base', '--adapter', (await tinyChat(folder, { context: 128 })).adapter);
    await wrong('does not exist', '--prompts', join(folder, 'nothing.jsonl'));
    await wrong('has no column prompt', '--prompts', write('columns.jsonl', '{"question":"Why?"}\n'));
    await wrong(`${prompts}:3  has 56 prompt tokens`, '--max-tokens', '201');
    await wrong('--max-tokens 200 is the most with which the longest prompt fits.', '--max-tokens', '250');
    const prompt = ['user', 'assistant', 'user'].map((role) => ({ role, content: 'x' }));
    const turns = write('turns.jsonl', `${JSON.stringify({ prompt })}\n`);
    await wrong(':1  The alpaca template takes one user turn', '--template', 'alpaca', '--max-tokens', '1', '--prompts', turns);
  });
});
