import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { BenchmarkSummary } from '../../src/evaluate/benchmarks.js';
import { example } from '../evaluate/tasks/lm-eval.js';
import { scratchFolder } from '../support/scratch.js';
import { heed, tinyChat } from './support.js';

const { folder, write } = scratchFolder();
let model = '';
let adapter = '';
let recipe = '';
const dir = join(folder, 'run');
beforeAll(async () => {
  ({ model, adapter } = await tinyChat(folder, { context: 1024 }));
  const rule = '{ id: no-a, kind: forbidden-pattern, pattern: "[a-m]", message: "It uses {quotes}." }';
  const rules = write('r.rules.yaml', `name: r\nrules:\n  - ${rule}\n`);
  recipe = write('eval.yaml', `
model: ${model}
adapter: ${adapter}
tasks:
  subjects: { task: mmlu, data: ${example('subjects.jsonl')}, shots: 1, dev: ${example('subjects-dev.jsonl')} }
  arc: { task: arc, data: ${example('questions.jsonl')} }
  rules: { task: reward, data: ${example('references.jsonl')}, reward: 'rules:${rules}', maxNewTokens: 4 }
  rouge: { task: rouge, data: ${example('references.jsonl')}, maxNewTokens: 4 }
  xstest: { task: xstest, data: ${example('refusals.jsonl')}, maxNewTokens: 4 }
run: { dir: ${dir} }
`);
});

interface Item { task: string; by: string; line: number; group?: string; logLikelihoods?: number[]; acc?: number; failure?: string }
const items = (): Item[] => readFileSync(join(dir, 'items.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Item);
const timeless = ({ seconds: _, peakRssMb: __, ...rest }: BenchmarkSummary): object => rest;

describe('heed evaluate RECIPE', () => {
  it('measures model and adapter, and what the adapter changes; every number follows from items.jsonl', async () => {
    const ran = await heed(['evaluate', recipe, '--json']);
    expect(ran.code, ran.err).toBe(0);
    const { tasks, before, change, ...summary } = ran.json<BenchmarkSummary & { run: string }>();
    expect(summary).toMatchObject({ job: 'evaluate', rows: 12 + 8 + 4 + 4 + 6, run: dir });
    const all = items();
    expect(all).toHaveLength(2 * summary.rows);
    for (const [side, who] of [['before', 'base'], ['after', 'adapter']] as const) {
      const own = all.filter(({ task, by }) => task === 'subjects' && by === who);
      expect(tasks['subjects']![side]!['acc']!.mean).toBeCloseTo(own.reduce((n, { acc }) => n + acc!, 0) / 12, 12);
      const baking = own.filter(({ group }) => group === 'baking');
      expect(tasks['subjects']!.groups![side]!['baking']).toEqual({ rows: 6, acc: baking.reduce((n, { acc }) => n + acc!, 0) / 6 });
    }
    expect(change!['arc acc']!.mean).toBeCloseTo(tasks['arc']!.after!['acc']!.mean - before['arc acc']!.mean, 12);
    expect(Object.keys(before)).toEqual([
      'subjects acc', 'arc acc', 'arc acc_norm', 'rules satisfied', 'rules value', 'rules findings',
      'rouge rougeL', 'rouge rougeL_precision', 'rouge rougeL_recall', 'xstest over_refusal', 'xstest refusal',
    ]);
    // One reference is Russian.
    expect(tasks['rouge']).toMatchObject({ failures: { before: { 'not-applicable': 1 }, after: { 'not-applicable': 1 } } });
    expect(tasks['rouge']!.before['rougeL']!.n).toBe(3);
    expect(readFileSync(join(dir, 'report.html'), 'utf8')).toContain('subjects acc');
  });

  it('keeps replies: what is missing is asked again, to the same numbers, and nothing else', async () => {
    const whole = (await heed(['evaluate', recipe, '--json'])).json<BenchmarkSummary>();
    const work = join(dir, 'work');
    const files = readdirSync(work).map((name) => join(work, name));
    // Two of the tasks ask the same prompts in the same way.
    expect(files).toHaveLength(2 * 4);
    const kept = files.map((file) => readFileSync(file, 'utf8'));
    // A kill left half of a file and half of a line; another file is gone.
    write(`run/work/${files[0]!.split('/').at(-1)!}`, kept[0]!.slice(0, kept[0]!.length / 2));
    rmSync(files[1]!);
    const again = await heed(['evaluate', recipe, '--json']);
    expect(timeless(again.json<BenchmarkSummary>())).toEqual(timeless(whole));
    // Another batch rounds otherwise.
    const numbers = (text: string): number[] =>
      text.trim().split('\n').sort().flatMap((line) => (line.match(/-?\d+(\.\d+)?/g) ?? []).map(Number));
    for (const [i, file] of files.entries()) {
      const [own, theirs] = [numbers(readFileSync(file, 'utf8')), numbers(kept[i]!)];
      expect(own).toHaveLength(theirs.length);
      own.forEach((x, k) => expect(x).toBeCloseTo(theirs[k]!, 4));
    }
  });

  it('prints a table for people', async () => {
    const { out } = await heed(['evaluate', recipe]);
    expect(out).toMatch(/^task +items +shots +metric +base +adapter +change, item by item\nsubjects +12 +1 +acc +0\.\d{4} ± 0\.\d{4} /);
    expect(out).toContain('rouge, base: 1 items without a number, not-applicable');
    expect(out).toMatch(/xstest, adapter: \d+\.\d % of the answers were cut off at maxNewTokens/);
  });

  it('says what is wrong with a recipe', async () => {
    const wrong = async (message: string, ...more: string[]): Promise<void> => {
      const { code, err } = await heed(['evaluate', ...more]);
      expect(err).toContain(message);
      expect(code).toBe(2);
    };
    await wrong('Nothing says what to measure.');
    await wrong('--limit cannot be given with a recipe', recipe, '--limit', '3');
    await wrong('tasks.arc.task', recipe, 'tasks.arc.task=arcs');
    await wrong('2 shots are taken from its rows', recipe, 'tasks.arc.shots=2');
    await wrong('has no use with shots: 0', recipe, 'tasks.subjects.shots=0');
    await wrong('fewer than 3 rows of baking', recipe, 'tasks.subjects.shots=3');
    await wrong('3 prompts of tasks.rules are too long', recipe, 'tasks.rules.maxNewTokens=980');
    await wrong('is not the one that this run was started with', recipe, 'template=alpaca');
  });

  it('cuts contexts at their heads where they do not fit, and says so', async () => {
    const small = await tinyChat(join(folder), { context: 128 });
    const less = [`model=${small.model}`, `adapter=${small.adapter}`, `run.dir=${join(folder, 'small')}`, 'tasks.arc.data.limit=4'];
    const ran = await heed(['evaluate', recipe, ...less]);
    expect(ran.code, ran.err).toBe(0);
    expect(ran.out).toMatch(/subjects: the context of 12 of 12 items was cut at its head, to fit the model/);
  });
});
