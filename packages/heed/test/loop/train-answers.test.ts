import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { heed, tinyChat } from '../cli/support.js';
import { scratchFolder } from '../support/scratch.js';

// The report of a training run shows what the model said before and after. `heed generate` says the same of base and adapter.
const { folder, write } = scratchFolder();
const dir = join(folder, 'run');
const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const read = (path: string): Record<string, unknown>[] =>
  readFileSync(path, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
let model: string;
let data: string;

beforeAll(async () => {
  ({ model } = await tinyChat(folder, { context: 512 }));
  data = write('rows.jsonl', lines(Array.from({ length: 12 }, (_, i) => (
    { prompt: `Question ${i % 6}?`, completion: `It is ${i}.`, label: i % 2 === 0 }))));
});

const recipe = (method: string): string => write(`${method}.yaml`, `
model: ${model}
data: { path: ${data}, eval: 0.5 }
method: ${method}
adapter: { rank: 2, alpha: 4 }
samples: { prompts: 2, maxNewTokens: 12 }
train: { steps: 3, batch: 3, learningRate: 3e-2 }
run: { dir: unused }
`);

describe('answers in the report of a training run', () => {
  it('are those of the base and of the adapter to the first held-out prompts', async () => {
    const ran = await heed(['train', recipe('kto'), `run.dir=${dir}`]);
    expect(ran.code, ran.err).toBe(0);
    const answers = read(join(dir, 'samples.jsonl')).filter(({ kind }) => kind === 'answer');
    expect(answers.map(({ when }) => when)).toEqual(['before', 'before', 'after', 'after']);
    expect(new Set(answers.map(({ prompt }) => prompt)).size).toBe(2);
    const asked = write('asked.jsonl', lines(answers.slice(0, 2).map(({ prompt }) => ({ prompt }))));
    for (const [when, adapter] of [['before', []], ['after', ['--adapter', dir]]] as const) {
      const out = join(folder, `${when}.jsonl`);
      const said = await heed([
        'generate', '--model', model, ...adapter, '--prompts', asked, '-o', out, '--max-tokens', '12', '--temperature', '0',
      ]);
      expect(said.code, said.err).toBe(0);
      const shown = answers.filter((answer) => answer['when'] === when).map(({ response }) => response);
      expect(shown).toEqual(read(out).map(({ completion }) => completion));
    }
    const report = readFileSync(join(dir, 'report.html'), 'utf8');
    expect(report).toContain('Answers before and after');
  });

  it('are left out where none are asked for', async () => {
    const none = await heed(['train', recipe('kto'), `run.dir=${join(folder, 'none')}`, 'samples.prompts=0']);
    expect(none.code, none.err).toBe(0);
    expect(readFileSync(join(folder, 'none', 'samples.jsonl'), 'utf8')).not.toContain('"kind":"answer"');
  });
});
