import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scratchFolder } from '../support/scratch.js';
import { node } from './programs.js';

// The programs beside the packages start, name what they do, and refuse what they do not know, without a model and without data.
const { folder } = scratchFolder();

describe('the programs of this repository', () => {
  it.each([
    ['experiments/run.js', /evidence .*\n[\s\S]*dpo\/aot-unpaired[\s\S]*judges [\s\S]*judgments [\s\S]*rlaif [\s\S]*same-size\n\s+survey .*\n\s+marked intents/],
    ['benchmarks/bench.js', /--peers .*PEFT/],
    ['benchmarks/memory.js', /--only/],
    ['benchmarks/cluster-steps.js', /--clusters LIST/],
    ['benchmarks/device.js', /cpu, webgpu/],
    ['benchmarks/links.js', /--mbit LIST/],
    ['benchmarks/people.js', /LABELS .*100000/],
    ['benchmarks/reach.js', /smollm2, .*1\.5b, 3b, 7b/],
    ['benchmarks/replicas.js', /--servers LIST/],
    ['benchmarks/scale.js', /--workers LIST/],
    ['benchmarks/studio.js', /POINTS .*100000/],
    ['tools/oracles/run.js', /--update/],
    ['tools/same-numbers.js', /write\|compare FILE/],
  ])('%s --help', async (program, said) => {
    const { code, out } = await node(folder, [program, '--help']);
    expect(out).toMatch(said);
    expect(code).toBe(0);
  });

  it('benchmarks: a wrong option and a word too many are faults of the command', async () => {
    const wrong = await node(folder, ['benchmarks/scale.js', '--worker', '2']);
    expect(wrong).toMatchObject({ code: 2, err: expect.stringMatching(/'--worker'.*\nusage: node benchmarks\/scale\.js/) as string });
    const many = await node(folder, ['benchmarks/studio.js', '100', '200']);
    expect(many).toMatchObject({ code: 2, err: expect.stringMatching(/'200'\nusage: node benchmarks\/studio\.js/) as string });
  });

  it('experiments: an unknown name, data that are nowhere, and settings outside of --dev are faults of the command', async () => {
    const wrong = await node(folder, ['experiments/run.js', 'evidence', 'cutt']);
    expect(wrong).toMatchObject({ code: 2, err: expect.stringMatching(/no experiment cutt of evidence; there is sft, /) as string });
    const nowhere = await node(folder, ['experiments/run.js', 'rlaif', 'principles']);
    expect(nowhere).toMatchObject({ code: 2, err: expect.stringContaining('HEED_DATA=<folder>') as string });
    const tried = await node(folder, ['experiments/run.js', 'judges', 'toxicity', 'train.steps=1']);
    expect(tried).toMatchObject({ code: 2, err: expect.stringMatching(/train\.steps=1: settings are tried with --dev/) as string });
  });

  it('experiments: a judge is taught on rows of the set that it names, none of them held out', async () => {
    const rows = Array.from({ length: 40 }, (_, i) => ({ question: `Question ${i % 20}?`, answer: `Answer ${i}.`, truthful: i < 20 }));
    writeFileSync(join(folder, 'truthfulqa_judge.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const { out, err } = await node(folder, ['--input-type=module', '-e', `
      const { judgeRows } = await import('./experiments/judges/data.js');
      console.log(JSON.stringify(judgeRows('truthfulness', { heldOut: 6, dev: 4 })));
    `], { HEED_DATA: folder });
    const parts = JSON.parse(out || err) as Record<'train' | 'dev' | 'heldOut', { group: string; yes: boolean }[]>;
    expect([parts.heldOut.length, parts.dev.length, parts.train.length]).toEqual([6, 4, 30]);
    const groups = Object.values(parts).map((part) => new Set(part.map(({ group }) => group)));
    expect(groups.reduce((n, { size }) => n + size, 0)).toBe(20);
  });

  it('same-numbers: numbers to compare with are needed first, and recipes are named rightly', async () => {
    const none = await node(folder, ['tools/same-numbers.js', 'compare', join(folder, 'none.json')]);
    expect(none).toMatchObject({ code: 2, err: expect.stringContaining('has no numbers: write them first') as string });
    const wrong = await node(folder, ['tools/same-numbers.js', 'write', join(folder, 'none.json'), '--only', 'cutt']);
    expect(wrong).toMatchObject({ code: 2, err: expect.stringMatching(/there is no such recipe.*There are .*\bbco, /) as string });
  });
});
