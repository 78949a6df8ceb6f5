import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { DataOptions, loadData } from '../../src/data/load.js';
import type { RowKind } from '../../src/data/rows.js';
import type { LabelSummary } from '../../src/label/label-rows.js';
import { LabelRecipe } from '../../src/label/recipe.js';
import type { LabelReport } from '../../src/label/report.js';
import { loadRecipe } from '../../src/run/recipe.js';
import { heed } from '../cli/support.js';
import { tinyTalker } from '../loop/talkative.js';
import { scratchFolder } from '../support/scratch.js';

// Every label recipe runs as it stands, on the data in this repository; here with a tiny random model, whose labels mean nothing.
const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const files = readdirSync(join(ROOT, 'recipes')).filter((name) => /^label-.*\.yaml$/.test(name)).map((name) => `recipes/${name}`);

const { folder, write } = scratchFolder();
const cwd = process.cwd();
let model: string;
beforeAll(async () => {
  process.chdir(ROOT);
  model = await tinyTalker(folder, { context: 8192 });
});
afterAll(() => process.chdir(cwd));

type Result = LabelReport & { run: string };
const dirOf = (file: string): string => join(folder, file.replace(/\W/g, '-'));
const small = (file: string): string[] => [
  `judge={ local: { model: "${model}" } }`,
  `run.dir=${dirOf(file)}`,
  `store=${join(folder, 'labels.db')}`,
  'data.limit=4',
  'allowedFailures=1',
];
const less: Readonly<Record<string, readonly string[]>> = {
  judgments: ['label.maxNewTokens=12'],
  revisions: ['label.maxNewTokens={ critique: 6, revision: 24 }'],
};
const KINDS: Readonly<Record<string, Readonly<Record<string, RowKind>>>> = {
  preferences: { rows: 'preference' }, scores: { rows: 'scored' }, principles: { rows: 'principled' }, judgments: { rows: 'judged' },
  revisions: { rows: 'conversation', preferences: 'preference', refined: 'refined' },
};

describe('label recipes', () => {
  it('never take data for an earlier run\'s output', async () => {
    const dir = join(folder, 'mine');
    mkdirSync(dir);
    const data = write('mine/rows.jsonl', '{"prompt": "Hi?", "responses": ["Hello.", "Go away."]}\n');
    const { code, err } = await heed([
      'label',
      'recipes/label-preferences.yaml',
      `judge={ local: { model: "${model}" } }`,
      `run.dir=${dir}`,
      `store=${join(folder, 'labels.db')}`,
      `data=${data}`,
    ]);
    expect(code).toBe(2);
    expect(err).toMatch(/holds rows\.jsonl, and is not the folder of a run.*\n.*run\.dir=FOLDER/);
    expect(readFileSync(data, 'utf8')).toContain('Go away.');
  });

  it('there is one for each labeler', async () => {
    const names = await Promise.all(files.map(async (file) => (await loadRecipe(file, [], LabelRecipe)).recipe.label.name));
    expect(names.sort()).toEqual(Object.keys(KINDS).sort());
  });

  it.each(files)('%s labels; again, nothing is asked and the rows are the same; its rows can be learnt from', async (file) => {
    const { recipe: { label: { name } } } = await loadRecipe(file, [], LabelRecipe);
    const args = ['label', file, ...small(file), ...(less[name] ?? []), '--json'];
    const first = await heed(args);
    expect(first.code, first.err).toBe(0);
    const report = first.json<Result>();
    expect(report).toMatchObject({ labeler: name, rows: 4, skipped: 0 });
    expect(report.labelled + report.failed.rows).toBe(4);
    expect(report.judge).toMatch(/^local:/);
    expect(report.asking.asked).toBeGreaterThan(0);
    const rows = readFileSync(join(report.run, 'rows.jsonl'), 'utf8');
    expect(JSON.parse(readFileSync(join(report.run, 'label-report.json'), 'utf8'))).toMatchObject({ labeler: name, rows: 4 });
    const summary = JSON.parse(readFileSync(join(report.run, 'summary.json'), 'utf8')) as LabelSummary;
    expect(summary).toMatchObject({ job: 'label', model: report.judge, rows: 4, skipped: 0, asking: report.asking });
    expect(summary.peakRssMb).toBeGreaterThan(10);

    const again = (await heed(args)).json<Result>();
    expect(again.asking).toMatchObject({ asked: 0, reused: report.asking.questions, promptTokens: 0 });
    expect(readFileSync(join(report.run, 'rows.jsonl'), 'utf8')).toBe(rows);
    for (const [made, kind] of Object.entries(KINDS[name]!)) {
      const path = join(report.run, `${made}.jsonl`);
      const lines = readFileSync(path, 'utf8').split('\n').length - 1;
      if (lines > 0) expect((await loadData(DataOptions.parse(path), kind)).train).toHaveLength(lines);
    }
  });

  it('samples the responses first where the data hold prompts only', async () => {
    const file = 'recipes/label-preferences.yaml';
    const data = write('prompts.jsonl', ['Name a fruit.', 'Say hi.', 'Why?'].map((prompt) => `${JSON.stringify({ prompt })}\n`).join(''));
    const by = `answers={ by: { local: { model: "${model}" } }, maxNewTokens: 40, temperature: 1 }`;
    const ran = await heed(['label', file, ...small(file), `data=${data}`, by, `run.dir=${join(folder, 'fresh')}`, '--json']);
    expect(ran.code, ran.err).toBe(0);
    const report = ran.json<Result>();
    expect(report.rows).toBe(3);
    // Two texts a prompt, and two orders of each pair that came of it.
    expect(report.asking.questions).toBe(6 + 2 * report.labelled);
    const failures = readFileSync(join(report.run, 'failures.jsonl'), 'utf8');
    expect(failures.split('\n').length - 1).toBe(3 - report.labelled);
  });

  it('fails where more rows failed than allowed, keeps rows and reasons, and goes on where more may fail', async () => {
    const file = 'recipes/label-scores.yaml';
    const data = write(
      'long.jsonl',
      [
        { prompt: 'Hi', completion: 'Hello.' },
        { prompt: 'Hi', completion: 'a'.repeat(9000) },
      ]
        .map((row) => `${JSON.stringify(row)}\n`)
        .join(''),
    );
    const run = join(folder, 'failing');
    const args = ['label', file, ...small(file), `data=${data}`, `run.dir=${run}`, 'allowedFailures=0.4', '--json'];
    const ran = await heed(args);
    expect(ran.code).not.toBe(0);
    expect(ran.err).toMatch(/1 of 2 rows failed \(50\.0 %; allowedFailures is 40\.0 %\): too-long 1/);
    expect(readFileSync(join(run, 'rows.jsonl'), 'utf8').trim().split('\n')).toHaveLength(1);
    expect(JSON.parse(readFileSync(join(run, 'failures.jsonl'), 'utf8'))).toMatchObject({ source: `${data}:2`, failure: 'too-long' });
    expect(ran.err).toContain('If so many may fail: allowedFailures=SHARE.');
    const allowed = await heed([...args, '--resume', 'allowedFailures=0.5']);
    expect(allowed.code, allowed.err).toBe(0);
    expect(allowed.json<Result>()).toMatchObject({ labelled: 1, failed: { rows: 1, allowed: 0.5 }, asking: { asked: 0 } });
    expect(readFileSync(join(run, 'recipe.yaml'), 'utf8')).toContain('allowedFailures: 0.5');
  });

  it('a server that is down costs rows, each with its reason, and no key is kept anywhere', async () => {
    const run = join(folder, 'down');
    const store = join(folder, 'down.db');
    vi.stubEnv('HEED_TEST_KEY', 'sk-very-secret');
    const judge = 'judge={ endpoint: { url: "http://127.0.0.1:9/v1", model: m, retries: 0, keyFrom: HEED_TEST_KEY } }';
    const ran = await heed([
      'label',
      'recipes/label-preferences.yaml',
      judge,
      'data.limit=3',
      `run.dir=${run}`,
      `store=${store}`,
      '--json',
    ]);
    vi.unstubAllEnvs();
    expect(ran.code).not.toBe(0);
    expect(ran.err).toMatch(/3 of 3 rows failed \(100\.0 %; allowedFailures is 5\.0 %\): server-error 3/);
    const kept = [...readdirSync(run).map((name) => join(run, name)), store, `${store}-wal`]
      .filter(existsSync)
      .map((path) => readFileSync(path, 'latin1'))
      .join('');
    expect(kept).toContain('server-error');
    expect(kept + ran.out + ran.err).not.toContain('very-secret');

    // How the server is asked may change; who is asked may not.
    const patient = judge.replace(
      'retries: 0, keyFrom: HEED_TEST_KEY',
      'retries: 1, backoff: 0.001, timeout: 5, concurrency: 2, budget: { tokens: 1000 }',
    );
    const args = (by: string): string[] => [
      'label',
      'recipes/label-preferences.yaml',
      by,
      'data.limit=3',
      `run.dir=${run}`,
      `store=${store}`,
      '--resume',
      'allowedFailures=1',
      '--json',
    ];
    expect((await heed(args(patient))).json()).toMatchObject({ labelled: 0, failed: { rows: 3 } });
    expect((await heed(args(patient.replace('model: m', 'model: n')))).err).toMatch(
      /The recipe is not the one that this run was started with:\n {2}judge\.endpoint\.model: "m" → "n"\n/,
    );
  });

  it('refuses another recipe in the same folder, and replaces it when told to', async () => {
    const file = 'recipes/label-scores.yaml';
    const args = ['label', file, ...small(file), `run.dir=${join(folder, 'changed')}`, '--json'];
    expect((await heed(args)).code).toBe(0);
    const other = [...args, 'data.limit=2'];
    const refused = await heed(other);
    expect(refused.code).toBe(2);
    expect(refused.err).toMatch(/data\.limit: 4 → 2/);
    const replaced = (await heed([...other, '--overwrite'])).json<Result>();
    expect(replaced).toMatchObject({ rows: 2, asking: { asked: 0 } });
  });

  it.each([
    ['an unknown option, with the nearest', ['label.criterium=helpful'], /criterium.*criterion/s],
    ['an unknown labeler', ['label={ name: preference }'], /preferences/],
    ['samples that would be equal', ['label.rationale={ samples: 4 }'], /temperature 0/],
    [
      'an example without its reasons',
      ['label.rationale={}', 'label.exemplars=[{ prompt: a, responses: [b, c], preferred: 1 }]'],
      /must show its reasons/,
    ],
    ['a key of another labeler', ['label.rounds=3'], /rounds/],
  ])('says what is wrong: %s', async (_, overrides, message) => {
    const file = 'recipes/label-preferences.yaml';
    const ran = await heed(['label', file, ...small(file), ...overrides]);
    expect(ran.code).toBe(2);
    expect(ran.err).toMatch(message);
    expect(existsSync(join(dirOf(file), 'run.lock'))).toBe(false);
  });

  it('names the principle that a file lacks', async () => {
    const file = 'recipes/label-principles.yaml';
    const run = join(folder, 'principle');
    const ran = await heed(['label', file, ...small(file), 'label.only=[Helpfull]', `run.dir=${run}`]);
    expect(ran.code).toBe(2);
    expect(ran.err).toMatch(/no principle "Helpfull"[^]*Helpful/);
    const bad = write('bad.yaml', '- name: A\n  text: x\n');
    expect((await heed(['label', file, ...small(file), `label.principles=${bad}`, `run.dir=${run}`])).err).toMatch(/entry 1, negation/);
    writeFileSync(bad, '{ not: [closed');
    expect((await heed(['label', file, ...small(file), `label.principles=${bad}`, `run.dir=${run}`])).err).toMatch(/is not YAML/);
    rmSync(bad);
  });
});
