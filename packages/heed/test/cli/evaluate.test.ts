import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseRows } from '../../src/data/parse.js';
import { readRows } from '../../src/data/read.js';
import type { EvaluationSummary } from '../../src/evaluate/run.js';
import type { Measured } from '../../src/run/job.js';
import { type Estimate, proportionInterval } from '../../src/run/statistics.js';
import { scratchFolder } from '../support/scratch.js';
import { type Ran, heed, tinyChat } from './support.js';

const { folder, write } = scratchFolder();
let common: string[] = [];
let adapter = '';
beforeAll(async () => {
  const tiny = await tinyChat(folder);
  adapter = tiny.adapter;
  const prompts = write(
    'prompts.jsonl',
    ['Hi there', 'Why?', 'What is that?'].map((prompt, i) => `${JSON.stringify({ id: `p${i}`, prompt })}\n`).join(''),
  );
  const rules = write(
    'r.rules.yaml',
    'name: r\nrules:\n  - { id: no-a, kind: forbidden-pattern, pattern: "[a-m]", message: "It uses {quotes}." }\n',
  );
  common = [
    'evaluate',
    '--model',
    tiny.model,
    '--prompts',
    prompts,
    '--judge',
    `rules:${rules}`,
    '--max-tokens',
    '8',
    '--temperature',
    '1',
  ];
});

const meanOf = (measured: Measured | undefined): number => (measured as Estimate).mean;
interface Answer { by: string; id: string; score: number; satisfied: boolean; judgment: string | null; findings: unknown[] }

describe('heed evaluate', () => {
  it('grades the base and the adapter beside it; the numbers are those of the answers it keeps', async () => {
    const output = join(folder, 'answers.jsonl');
    const { code, json } = await heed([...common, '--adapter', adapter, '-o', output, '--json']);
    expect(code).toBe(0);
    const result = json<EvaluationSummary>();
    expect(result).toMatchObject({
      job: 'evaluate',
      rows: 3,
      skipped: 0,
      reward: common[6],
      adapter,
      output,
      failures: { before: {}, after: {} },
    });
    const answers = readFileSync(output, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Answer);
    expect(answers.map(({ by, id }) => `${by} ${id}`)).toEqual(['base p0', 'base p1', 'base p2', 'adapter p0', 'adapter p1', 'adapter p2']);
    for (const [who, measured] of [['base', result.before], ['adapter', result.after!]] as const) {
      const own = answers.filter(({ by }) => by === who);
      expect(measured['satisfied']).toEqual(proportionInterval(own.filter(({ satisfied }) => satisfied).length, 3));
      expect(meanOf(measured['findings'])).toBeCloseTo(own.reduce((n, { findings }) => n + findings.length, 0) / 3);
      expect(meanOf(measured['value'])).toBeCloseTo(own.reduce((sum, { score }) => sum + score, 0) / 3);
      expect(Object.keys(measured)).toEqual([
        'satisfied',
        'value',
        'findings',
        'medianWords',
        'distinct2',
        'logprobPerToken',
        'unfinished',
      ]);
    }
    for (const name of ['satisfied', 'value', 'findings']) {
      expect(result.change![name]!.mean).toBeCloseTo(meanOf(result.after![name]) - meanOf(result.before[name]));
    }
    // What it keeps can be learned from.
    const rows = parseRows('judged', await readRows(output), { junk: 'skip' });
    expect(rows.rows.length + rows.skipped.length).toBe(6);
  });

  it('prints a table for people', async () => {
    const alone = await heed(common);
    expect(alone.code).toBe(0);
    // Random weights seldom end an answer, and that is said.
    expect(alone.out).toMatch(/^3 prompts, rated by rules:.*95 % intervals\nwarning: Look at the answers of the base \(!\).*: 3 of 3 .* cut off\.\n/);
    expect(alone.out).toMatch(/\n\n +base\nsatisfy the reward +\d+ % {2}\[\d+ %, \d+ %\] \(!\) +higher is better\n/);
    expect(alone.out).not.toContain('adapter');
    const both = await heed([...common, '--adapter', adapter]);
    expect(both.out).toMatch(/\n +base +adapter\n/);
    expect(both.out).toContain('gain of the adapter, prompt by prompt: ');
    const json = await heed([...common, '--json']);
    const more = ['signs', 'failures', 'seconds', 'peakRssMb'];
    expect(Object.keys(json.json())).toEqual(['job', 'model', 'reward', 'rows', 'skipped', 'before', ...more]);
  });

  it('takes a function of the user, which draws no line; what it does not rate is counted', async () => {
    const rewards = write('rewards.ts', `
      export const lengths = ({ completions, prompts }) =>
        completions.map((text, i) => (prompts[i][0].content === 'Why?' ? null : text.length));
    `);
    const output = join(folder, 'rated.jsonl');
    const given = ['--reward', `${rewards}#lengths`, '--adapter', adapter, '-o', output];
    const { json, err, code } = await heed([
      ...common.filter((word, i) => word !== '--judge' && common[i - 1] !== '--judge'),
      ...given,
      '--json',
    ]);
    expect(code, err).toBe(0);
    const result = json<EvaluationSummary>();
    expect(result).toMatchObject({
      reward: `${rewards}#lengths`,
      failures: { before: { 'not-applicable': 1 }, after: { 'not-applicable': 1 } },
    });
    expect(Object.keys(result.before)).not.toContain('satisfied');
    const rows = readFileSync(output, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { by: string; score?: number; completion: string; failure?: string });
    const scored = rows.filter(({ by, score }) => by === 'base' && score !== undefined);
    expect(scored.map(({ completion }) => completion.length)).toEqual(scored.map(({ score }) => score));
    expect(result.before['value']).toMatchObject({ n: 2, mean: (scored[0]!.score! + scored[1]!.score!) / 2 });
    expect(rows.filter(({ failure }) => failure === 'not-applicable')).toHaveLength(2);
    // A section, as in a recipe.
    const section = await heed([
      ...common.map((word, i) => (common[i - 1] === '--judge' ? `{ fn: "${rewards}#lengths" }` : word)),
      '--json',
    ]);
    expect(section.json<EvaluationSummary>().before).toEqual(result.before);
  });

  it('has a judge that is asked give marks, and asks nothing twice', async () => {
    const store = join(folder, 'labels.db');
    const judged = (judge: string): Promise<Ran> =>
      heed([...common.map((word, i) => (common[i - 1] === '--judge' ? judge : word)), '--store', store, '--json']);
    // The tiny model reads 256 tokens, and a judge's question is longer: only a larger one answers.
    const { model } = await tinyChat(folder, { context: 2048 });
    const marked = await judged(`{ local: { model: "${model}" } }`);
    expect(marked.code, marked.err).toBe(0);
    const result = marked.json<EvaluationSummary>();
    expect(result.reward).toMatch(/^scores \(helpful\) by .*tiny-2048/);
    expect(result.before['value']).toMatchObject({ n: 3 });
    const { before } = (await judged(`{ scores: { judge: { local: { model: "${model}" } } } }`)).json<EvaluationSummary>();
    expect(before).toEqual(result.before);
  });

  it('says what is wrong with the judge or a limit', async () => {
    const wrong = async (message: string, ...more: string[]): Promise<void> => {
      const { code, err } = await heed([...common, ...more]);
      expect(err).toContain(message);
      expect(code).toBe(2);
    };
    await wrong('"llm" names no reward.', '--judge', 'llm');
    await wrong('nothing.yaml', '--judge', `rules:${join(folder, 'nothing.yaml')}`);
    await wrong('--limit is 0', '--limit', '0');
  });
});
