import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { feedbackRows } from '../../src/feedback/rows.js';
import { openFeedback } from '../../src/feedback/store.js';
import { startEngine } from '@heed/tensor';
import { openGenerator } from '../../src/generate/open.js';
import { loadModel } from '../../src/model/load.js';
import { tinyChat } from '../cli/support.js';
import { expectAccessible, studioFor } from './support.js';

const studio = studioFor();
let model: string;

beforeAll(async () => {
  mkdirSync(join(studio.folder, 'runs/first'), { recursive: true });
  const tiny = await tinyChat(studio.folder);
  ({ model } = tiny);
  cpSync(tiny.adapter, join(studio.folder, 'runs/first/adapter'), { recursive: true });
  writeFileSync(join(studio.folder, 'runs/first/recipe.yaml'), `model: ${model}\nmethod: { name: sft }\n`);
  writeFileSync(join(studio.folder, 'runs/first/metrics.jsonl'), '');
});

/** What the base says by itself, the likeliest tokens. */
async function greedy(message: string, maxNewTokens: number): Promise<string> {
  const engine = await startEngine({ threads: 1 });
  try {
    const base = await loadModel(model);
    const generator = await openGenerator(engine, base);
    const prompt = base.template.prompt([{ role: 'user', content: message }]);
    return (await generator.generate([{ prompt, row: 0 }], { maxNewTokens, temperature: 0, seed: 0 }))[0]!.text;
  } finally {
    await engine.close();
  }
}

describe('the page of chats', () => {
  it('has a base and an adapter answer side by side, and keeps what is said of the answers', async () => {
    const { page, trouble } = await studio.visit('#/chat');
    await page.getByText('Sampling').click();
    await page.getByLabel(/Temperature/).fill('0');
    await page.getByLabel('Most tokens').fill('12');
    await page.getByLabel('Message').fill('Hi');
    expect(existsSync(join(studio.folder, 'feedback.db'))).toBe(false);
    await page.keyboard.press('Enter');
    const base = page.getByRole('region', { name: 'Answer of tiny-256' });
    const adapter = page.getByRole('region', { name: 'Answer of runs/first' });
    await base.getByRole('button', { name: /^Good/ }).waitFor();
    await adapter.getByRole('button', { name: /^Bad/ }).click();
    await adapter.getByRole('button', { name: 'Comment' }).click();
    await adapter.getByLabel('What is wrong with it, or good').fill('No word of it is a word.');
    await page.keyboard.press('Control+Enter');
    await adapter.getByRole('button', { name: 'Correct' }).click();
    await adapter.getByLabel('The answer as it should have been').fill('Hello.');
    await adapter.getByRole('button', { name: 'Keep' }).click();
    await page.getByText('Kept in feedback.db so far: 2 answers, 3 remarks.').waitFor();

    const store = await openFeedback(join(studio.folder, 'feedback.db'));
    const all = await store.all();
    store.close();
    const said = all.find((one) => one.model === 'runs/first')!;
    expect(all.find((one) => one.model === 'tiny-256')!.completion).toBe(await greedy('Hi', 12));
    expect(said.completion).not.toBe(all.find((one) => one.model === 'tiny-256')!.completion);
    const rows = (kind: 'judged' | 'preference'): readonly object[] => feedbackRows(all, kind).rows;
    expect(rows('judged')).toEqual([
      { id: said.id, prompt: 'Hi', completion: said.completion, judgment: 'No word of it is a word.', satisfied: false },
    ]);
    expect(rows('preference')).toEqual([{ id: said.id, prompt: 'Hi', chosen: 'Hello.', rejected: said.completion }]);
    await expectAccessible(page);
    expect(trouble).toEqual([]);
    await page.context().close();
  });

  it('says what to do first, and in words what goes wrong with one model', async () => {
    const broken = join(studio.folder, 'runs/broken');
    mkdirSync(broken);
    writeFileSync(join(broken, 'recipe.yaml'), 'model: ./gone\nmethod: { name: sft }\n');
    writeFileSync(join(broken, 'metrics.jsonl'), '');
    const { page, trouble } = await studio.visit('#/chat');
    await page.getByText('Ask a model before and after training').waitFor();
    await expectAccessible(page);
    await page.getByLabel('./gone base').check();
    await page.getByLabel('runs/first').uncheck();
    await page.getByLabel('Message').fill('Hi');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('"./gone" is neither a folder').waitFor();
    await page.getByRole('region', { name: 'Answer of tiny-256' }).getByRole('button', { name: 'Copy' }).waitFor();
    expect(trouble).toEqual([]);
    await page.context().close();
  });
});
