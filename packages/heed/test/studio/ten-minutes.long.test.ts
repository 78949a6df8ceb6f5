import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it } from 'vitest';

import { tinyTalker } from '../loop/talkative.js';
import { studioFor } from './support.js';

const LOG = fileURLToPath(new URL('../../../../examples/support-bot/log.jsonl', import.meta.url));
const studio = studioFor();
let model: string;

beforeAll(async () => {
  // A run of a tiny model, so that the studio offers it in place of the default one.
  mkdirSync(join(studio.folder, 'runs/earlier'), { recursive: true });
  model = await tinyTalker(studio.folder, { context: 1024 });
  writeFileSync(join(studio.folder, 'runs/earlier/recipe.yaml'), `model: ${model}\nmethod: { name: sft }\n`);
  writeFileSync(join(studio.folder, 'runs/earlier/metrics.jsonl'), '');
});

it('the ten-minute page by clicks: a dropped log becomes a run, a comparison and a chat', async () => {
  const { page, trouble } = await studio.visit('#/data');
  await page.locator('input[type=file]').setInputFiles(LOG);
  await page.getByText('35 comments that say what is wrong, 68 good answers').first().waitFor();
  expect(await page.getByRole('radio', { name: 'cut' }).isChecked()).toBe(true);
  expect(await page.getByText('82 rows to train on, 21 held out').count()).toBe(1);
  await page.getByRole('button', { name: /^Write rows and recipe/ }).click();
  await page.getByText('steps over').waitFor({ timeout: 60_000 });
  const recipe = await page.locator('textarea.recipe').inputValue();
  expect(recipe).toBe(readFileSync(join(studio.folder, 'start/log/recipe.yaml'), 'utf8'));
  // What is changed in the text field is what is started.
  await page.locator('textarea.recipe').fill(recipe.replace(/epochs: \d+/, 'steps: 3'));
  await page.getByRole('button', { name: /^Start training/ }).click();

  const line = page.getByRole('row').filter({ hasText: 'runs/log' });
  await line.getByText('ended').waitFor({ timeout: 120_000 });
  await line.getByRole('link').click();
  await page.getByText('loss on held-out rows').waitFor();
  await page.getByRole('link', { name: 'All runs' }).click();

  await line.getByRole('checkbox').check();
  await page.getByRole('button', { name: /^Compare/ }).click();
  await page.getByRole('button', { name: '+ the model before log' }).click();
  await page.getByRole('columnheader', { name: 'before log' }).waitFor();
  await page.getByRole('row').filter({ hasText: 'loss lower is better' }).waitFor();
  await page.getByRole('button', { name: /^Answers 4/ }).click();
  await page.locator('.pair').first().waitFor();

  await page.getByRole('link', { name: 'Chat' }).click();
  await page.getByText('Sampling').click();
  await page.getByLabel('Most tokens').fill('8');
  await page.getByLabel('Message').fill('Where is my parcel?');
  await page.keyboard.press('Enter');
  for (const who of ['tiny-1024', 'runs/log'])
    await page.getByRole('region', { name: `Answer of ${who}` }).getByRole('button', { name: /^Good/ }).waitFor({ timeout: 60_000 });
  expect(trouble).toEqual([]);
  await page.context().close();
});
