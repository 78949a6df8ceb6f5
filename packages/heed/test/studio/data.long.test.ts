import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import type { Look, SeenRows } from '../../src/studio/api.js';
import { createStudio } from '../../src/studio/app.js';
import { openContext } from '../../src/studio/context.js';
import { tinyChat } from '../cli/support.js';
import { HOSTILE } from '../run/report-fixture.js';
import { expectAccessible, studioFor } from './support.js';

/** A log as a shop has it, by semicolons: two columns go by names that nobody knows, and an answer is hostile. */
const CSV = ['Anliegen;Entgegnung;daumen;kommentar',
  ...Array.from({ length: 12 }, (_, i) => `Wo ist Paket ${i}?;Es ist unterwegs ${i}.;${i % 3 === 0 ? 'runter;Zu knapp.' : 'hoch;'}`),
  `Und nun?;"${HOSTILE.replaceAll('"', '""')}";runter;Kein Satz.`].join('\n');
const ROLES = { Anliegen: 'prompt', Entgegnung: 'completion', kommentar: 'comment', daumen: 'vote' };
const studio = studioFor();
let ask: <T>(path: string, body: object) => Promise<T>;
let upload: (name: string, text: string) => Promise<Response>;

beforeAll(async () => {
  mkdirSync(join(studio.folder, 'runs/first'), { recursive: true });
  const { model } = await tinyChat(studio.folder);
  writeFileSync(join(studio.folder, 'runs/first/recipe.yaml'), `model: ${model}\nmethod: { name: sft }\n`);
  writeFileSync(join(studio.folder, 'runs/first/metrics.jsonl'), '');
  const context = await openContext(studio.folder, { signal: new AbortController().signal });
  const app = createStudio(context, { page: studio.folder });
  const to = async (path: string, body: string, type: string): Promise<Response> => app.request(`http://127.0.0.1:8322/api/${path}`, {
    method: 'POST', body, headers: { host: '127.0.0.1:8322', 'content-type': type },
  });
  ask = async <T>(path: string, body: object) => (await (await to(path, JSON.stringify(body), 'application/json')).json()) as T;
  upload = (name, text) => to(`data/upload?name=${encodeURIComponent(name)}`, text, 'application/octet-stream');
});
const BASE = 'base:runs/first';

describe('a file that is sent', () => {
  it('is kept under a name of its own in data/, and overwrites nothing', async () => {
    const kept = async (name: string, text: string): Promise<unknown> => (await upload(name, text)).json();
    expect(await kept('../../e vil\0.jsonl', '{"a":1}\n')).toEqual({ file: 'data/e-vil-.jsonl' });
    expect(await kept('log.csv', 'a\n1\n')).toEqual({ file: 'data/log.csv' });
    expect(await kept('log.csv', 'b\n2\n')).toEqual({ file: 'data/log-2.csv' });
    expect(readFileSync(join(studio.folder, 'data/log.csv'), 'utf8')).toBe('a\n1\n');
    expect((await upload('page.html', '<p>')).status).toBe(400);
    expect(readdirSync(join(studio.folder, 'data')).sort()).toEqual(['e-vil-.jsonl', 'log-2.csv', 'log.csv']);
  });

  it('is looked at within the project alone', async () => {
    for (const file of ['../x.csv', '/etc/passwd']) {
      expect(await ask('data/look', { file, speaker: BASE })).toMatchObject({ error: { code: 'outside' } });
    }
  });
});

describe('a log', () => {
  it('is understood as it is told, column by column', async () => {
    await upload('shop.csv', CSV);
    const file = 'data/shop.csv';
    const first = await ask<Look>('data/look', { file, speaker: BASE });
    expect(first.columns.map(({ name }) => name)).toEqual(['Anliegen', 'Entgegnung', 'daumen', 'kommentar']);
    const columns = { prompt: 'Anliegen', completion: 'Entgegnung', vote: 'daumen', comment: 'kommentar' };
    const values = { hoch: 'good', runter: 'bad' };
    const { plan, rows, problem } = await ask<Look>('data/look', { file, speaker: BASE, columns, values });
    expect(problem).toBeUndefined();
    expect(rows).toBe(13);
    expect(plan!.method).toBe('cut');
    expect(plan!.fits.find(({ method }) => method === 'kto')!.why).toBe('8 good and 5 bad answers');
    expect(plan!.train + plan!.heldOut).toBe(13);
    expect(plan!.recipe).toContain('path: start/shop/train.jsonl');
    expect(plan!.counts).toMatchObject({ satisfied: 8, unsatisfied: 5 });
    const seen = await ask<SeenRows>('data/rows', { file, speaker: BASE, columns, values, method: 'kto', limit: 1 });
    const [sequence] = seen.rows[0]!.sequences;
    // The tiny model's template: <s>u …</s><s>a …</s>, of which the answer and its end are learned.
    const text = (is: boolean): string => sequence!.texts.filter((_, t) => sequence!.supervised[t] === is).join('');
    expect(text(false)).toMatch(/^<s>u Wo ist Paket \d+\?<\/s><s>a $/);
    expect(text(true)).toMatch(/^Es ist unterwegs \d+\.<\/s>$/);
    expect(seen.lengths!.max).toBeGreaterThanOrEqual(sequence!.texts.length);
  });
});

describe('the page of data', () => {
  it('goes from a dropped file to a written recipe, with columns told by hand', async () => {
    const { page, trouble } = await studio.visit('#/data');
    await page.locator('input[type=file]').setInputFiles({ name: 'laden.csv', mimeType: 'text/csv', buffer: Buffer.from(CSV) });
    await page.getByText('It is kept as data/laden.csv').waitFor();
    for (const [column, role] of Object.entries(ROLES)) await page.getByLabel(`What ${column} is`).selectOption(role);
    await page.getByText('nothing says which of its values are good').waitFor();
    await page.getByLabel('What hoch says in daumen').selectOption('good');
    await page.getByLabel('What runter says in daumen').selectOption('bad');
    await page.getByText('5 comments that say what is wrong, 8 good answers').first().waitFor();
    expect(await page.getByRole('combobox', { name: /^Model/ }).inputValue()).toBe(BASE);
    await page.getByText('prompt + ', { exact: false }).first().waitFor();
    expect(await page.locator('.strip .learned').count()).toBeGreaterThan(10);
    await page.getByRole('heading', { level: 1 }).click();
    await page.keyboard.press('w');
    await page.getByText('steps over').waitFor({ timeout: 60_000 });
    const recipe = readFileSync(join(studio.folder, 'start/laden/recipe.yaml'), 'utf8');
    expect(await page.locator('textarea.recipe').inputValue()).toBe(recipe);
    expect(existsSync(join(studio.folder, 'start/laden/train.jsonl'))).toBe(true);
    expect(await page.evaluate(() => 'hacked' in globalThis)).toBe(false);
    await expectAccessible(page);
    expect(trouble).toEqual([]);
    await page.context().close();
  });

  it('says what to do first', async () => {
    const { page, trouble } = await studio.visit('#/data');
    await page.getByText('Drop a log of answers').waitFor();
    await expectAccessible(page);
    expect(trouble).toEqual([]);
    await page.context().close();
  });
});
