import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';

// The programs beside the packages start, name what they do, and refuse what they do not know, without a model and without data.
const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'heed-tools-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ran { readonly code: number; readonly out: string; readonly err: string }

async function node(words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  const all = { ...process.env, HEED_DATA: undefined, HEED_WORK: folder, ...env };
  const ran = promisify(execFile)(process.execPath, [...words], { cwd: ROOT, env: all });
  return ran.then(
    ({ stdout, stderr }) => ({ code: 0, out: stdout, err: stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({ code: error.code, out: error.stdout, err: error.stderr }),
  );
}

describe('the programs of this repository', () => {
  it.each([
    ['experiments/run.js', /evidence .*\n[\s\S]*dpo\/aot-unpaired[\s\S]*judges [\s\S]*judgments [\s\S]*rlaif [\s\S]*same-size/],
    ['benchmarks/bench.js', /--peers .*PEFT/],
    ['benchmarks/memory.js', /--only/],
    ['tools/oracles/run.js', /--update/],
    ['tools/same-numbers.js', /write\|compare FILE/],
  ])('%s --help', async (program, said) => {
    const { code, out } = await node([program, '--help']);
    expect(out).toMatch(said);
    expect(code).toBe(0);
  });

  it('experiments: an unknown name, data that are nowhere, and settings outside of --dev are faults of the command', async () => {
    const wrong = await node(['experiments/run.js', 'evidence', 'cutt']);
    expect(wrong).toMatchObject({ code: 2, err: expect.stringMatching(/no experiment cutt of evidence; there is sft, /) as string });
    const nowhere = await node(['experiments/run.js', 'rlaif', 'principles']);
    expect(nowhere).toMatchObject({ code: 2, err: expect.stringContaining('HEED_DATA=<folder>') as string });
    const tried = await node(['experiments/run.js', 'judges', 'toxicity', 'train.steps=1']);
    expect(tried).toMatchObject({ code: 2, err: expect.stringMatching(/train\.steps=1: settings are tried with --dev/) as string });
  });

  it('experiments: a judge is taught on rows of the set that it names, none of them held out', async () => {
    const rows = Array.from({ length: 40 }, (_, i) => ({ question: `Question ${i % 20}?`, answer: `Answer ${i}.`, truthful: i < 20 }));
    writeFileSync(join(folder, 'truthfulqa_judge.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const { out, err } = await node(['--input-type=module', '-e', `
      const { judgeRows } = await import('./experiments/judges/data.js');
      console.log(JSON.stringify(judgeRows('truthfulness', { heldOut: 6, dev: 4 })));
    `], { HEED_DATA: folder });
    const parts = JSON.parse(out || err) as Record<'train' | 'dev' | 'heldOut', { group: string; yes: boolean }[]>;
    expect([parts.heldOut.length, parts.dev.length, parts.train.length]).toEqual([6, 4, 30]);
    const groups = Object.values(parts).map((part) => new Set(part.map(({ group }) => group)));
    expect(groups.reduce((n, { size }) => n + size, 0)).toBe(20);
  });

  it('benchmarks: a finished labelling run is gone on with, and asks nobody', async () => {
    const model = 'packages/heed/test/fixtures/model/llama3'; // it is named in the results, and not asked
    const { code, out, err } = await node(['benchmarks/bench.js', '--quick', '--only', 'resume-labels', '--model', model]);
    expect(out, err).toMatch(/resume-labels: 100 labels that are in the store/);
    expect(code).toBe(0);
  });

  it('same-numbers: numbers to compare with are needed first, and recipes are named rightly', async () => {
    const none = await node(['tools/same-numbers.js', 'compare', join(folder, 'none.json')]);
    expect(none).toMatchObject({ code: 2, err: expect.stringContaining('has no numbers: write them first') as string });
    const wrong = await node(['tools/same-numbers.js', 'write', join(folder, 'none.json'), '--only', 'cutt']);
    expect(wrong).toMatchObject({ code: 2, err: expect.stringMatching(/there is no such recipe.*There are bco, /) as string });
  });
});
