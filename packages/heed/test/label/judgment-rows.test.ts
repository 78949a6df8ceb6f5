import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { DataOptions, loadData } from '../../src/data/load.js';
import { JudgmentsOptions, labelJudgments } from '../../src/label/judgments.js';
import { readSingles, LabelData } from '../../src/label/material.js';
import { fake, said } from './fake.js';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

describe('rows that teach a judge to write judgments', () => {
  it('hold what the labeler asks, to the letter, and the judgments of the data', async () => {
    const made = execFileSync(process.execPath, ['examples/judgment-rows.js', 'examples/judged.jsonl'], { cwd: ROOT, encoding: 'utf8' });
    expect(made).toBe(readFileSync(join(ROOT, 'examples/judgment-rows.jsonl'), 'utf8'));
    const { train } = await loadData(DataOptions.parse(join(ROOT, 'examples/judgment-rows.jsonl')), 'conversation');
    const { rows } = await readSingles(LabelData.parse({ path: join(ROOT, 'examples/judged.jsonl') }));
    const asked = fake({ write: () => said('Perfect.') });
    await labelJudgments(rows, asked, JudgmentsOptions.parse({ name: 'judgments' }));
    expect(train.map(({ messages }) => messages.slice(0, -1))).toEqual(asked.texts.map(({ messages }) => messages));
    expect(train.map(({ messages }) => messages.at(-1)!.content)).toEqual(rows.map(({ human }) => human!.judgment ?? 'Perfect.'));
  });
});
