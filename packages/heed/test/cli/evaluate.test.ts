import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseRows } from '../../src/data/parse.js';
import { readRows } from '../../src/data/read.js';
import { proportionInterval } from '../../src/run/statistics.js';
import { scratchFolder } from '../support/scratch.js';
import { heed, tinyChat } from './support.js';

const { folder, write } = scratchFolder();
let common: string[] = [];
let adapter = '';
beforeAll(async () => {
  const tiny = await tinyChat(folder);
  adapter = tiny.adapter;
  const prompts = write('prompts.jsonl', ['Hi there', 'Why?', 'What is that?'].map((prompt, i) => `${JSON.stringify({ id: `p${i}`, prompt })}\n`).join(''));
  const rules = write('r.rules.yaml', 'name: r\nrules:\n  - { id: no-a, kind: forbidden-pattern, pattern: "[a-m]", message: "It uses {quotes}." }\n');
  common = ['evaluate', '--model', tiny.model, '--prompts', prompts, '--judge', `rules:${rules}`, '--max-tokens', '8', '--temperature', '1'];
});

interface Answer { by: string; id: string; satisfied: boolean; judgment: string | null; findings: unknown[] }

describe('heed evaluate', () => {
  it('grades the base and the adapter beside it; the numbers are those of the answers it keeps', async () => {
    const output = join(folder, 'answers.jsonl');
    const { code, json } = await heed([...common, '--adapter', adapter, '-o', output, '--json']);
    expect(code).toBe(0);
    const result = json<{ n: number; judge: string; gain: { mean: number } } & Record<'base' | 'adapter', { satisfied: { mean: number; low: number; high: number; n: number }; findings: { mean: number }; fluency: object }>>();
    expect(result).toMatchObject({ n: 3, judge: common[6], adapterFolder: adapter });
    const answers = readFileSync(output, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Answer);
    expect(answers.map(({ by, id }) => `${by} ${id}`)).toEqual(['base p0', 'base p1', 'base p2', 'adapter p0', 'adapter p1', 'adapter p2']);
    for (const who of ['base', 'adapter'] as const) {
      const own = answers.filter(({ by }) => by === who);
      expect(result[who].satisfied).toEqual(proportionInterval(own.filter(({ satisfied }) => satisfied).length, 3));
      expect(result[who].findings.mean).toBeCloseTo(own.reduce((n, { findings }) => n + findings.length, 0) / 3);
      expect(Object.keys(result[who].fluency)).toEqual(['medianWords', 'distinct2', 'logprobPerToken', 'unfinished']);
    }
    expect(result.gain.mean).toBeCloseTo(result.adapter.satisfied.mean - result.base.satisfied.mean);
    // What it keeps can be learned from.
    const rows = parseRows('judged', await readRows(output), { junk: 'skip' });
    expect(rows.rows.length + rows.skipped.length).toBe(6);
  });

  it('prints a table for people', async () => {
    const alone = await heed(common);
    expect(alone.code).toBe(0);
    expect(alone.out).toMatch(/^3 prompts, graded by rules:.*95 % intervals\n\n +base\nsatisfy the judge +\d+ % {2}\[\d+ %, \d+ %\]\n/);
    expect(alone.out).not.toContain('adapter');
    const both = await heed([...common, '--adapter', adapter]);
    expect(both.out).toMatch(/\n +base +adapter\n/);
    expect(both.out).toContain('gain of the adapter, prompt by prompt: ');
    const json = await heed([...common, '--json']);
    expect(Object.keys(json.json())).toEqual(['judge', 'n', 'model', 'base']);
  });

  it('says what is wrong with the judge or a limit', async () => {
    const wrong = async (message: string, ...more: string[]): Promise<void> => {
      const { code, err } = await heed([...common, ...more]);
      expect(err).toContain(message);
      expect(code).toBe(2);
    };
    await wrong('"llm" names no judge.', '--judge', 'llm');
    await wrong('nothing.yaml', '--judge', `rules:${join(folder, 'nothing.yaml')}`);
    await wrong('--limit is 0', '--limit', '0');
  });
});
