import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { modelCard } from '../../src/run/model-card.js';
import { scratchFolder } from '../support/scratch.js';

const { folder } = scratchFolder();
const run = join(folder, 'run');
mkdirSync(run);
writeFileSync(join(run, 'recipe.yaml'), [
  'model: SmolLM2-135M-Instruct', 'run: { dir: /home/ann/runs/x }', 'data: { path: /home/ann/secret/rows.jsonl }', 'method: { name: cut }',
  'evaluate: { reward: "rules:/home/ann/style.rules.yaml", url: "https://example.org/v1/chat" }',
].join('\n'));
const interval = (mean: number) => ({ mean, low: mean - 0.1, high: mean + 0.1, n: 40 });
writeFileSync(join(run, 'summary.json'), JSON.stringify({
  job: 'align', rows: 120, skipped: 3, heldOut: 40, steps: 60, metric: 'share of answers that satisfy rules:/home/ann/style.rules.yaml',
  before: { satisfied: interval(0.3), medianWords: 45.5 }, after: { satisfied: interval(0.7), medianWords: 21 },
  change: { satisfied: interval(0.4) },
}));
const matter = (card: string): unknown => parse(/^---\n([\s\S]*?)---\n/.exec(card)![1]!);

describe('a model card', () => {
  it("says what was learned from, what was measured with intervals, and how to load it; folders of the machine are left out", async () => {
    const card = await modelCard({ name: 'house-style', form: 'adapter', base: 'org/base', run });
    expect(matter(card)).toEqual({
      base_model: 'org/base', library_name: 'peft', pipeline_tag: 'text-generation',
      tags: ['lora', 'transformers', 'heed', 'cut', 'base_model:adapter:org/base'],
    });
    expect(card).toContain('| good enough answers | 30 % (20 % to 40 %, n = 40) | 70 % (60 % to 80 %, n = 40) |');
    expect(card).toContain('| +40 points (+30 points to +50 points, n = 40) |');
    expect(card).toContain('| words in an answer (median) | 45.5 | 21 |  |');
    expect(card).toContain('* data: rows.jsonl\n* rows: 120, and 3 that were left out\n* rows held out: 40\n* steps: 60');
    expect(card).toContain('PeftModel.from_pretrained(base');
    expect(card).toContain('rules:style.rules.yaml');
    expect(card).toContain('https://example.org/v1/chat');
    expect(card).not.toMatch(/home|secret|ann/);
  });

  it('of a merged model of a base without an id, and of an adapter whose run is not there', async () => {
    const merged = await modelCard({ name: 'x', form: 'merged', run });
    const tags = ['transformers', 'heed', 'cut'];
    expect(matter(merged)).toEqual({ library_name: 'transformers', pipeline_tag: 'text-generation', tags });
    expect(merged).not.toContain('peft');
    const bare = await modelCard({ name: 'x', form: 'adapter', base: 'org/base', run: join(folder, 'nowhere') });
    expect(bare).not.toContain('## Measured');
    expect(bare).toContain('from_pretrained("org/base")');
  });
});
