import { appendFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { HOSTILE, writeRun } from '../run/report-fixture.js';
import { expectAccessible, studioFor } from './support.js';

const studio = studioFor();
const run = (name: string): string => join(studio.folder, 'runs', name);

/** A run under way: a recipe, and a step. */
function beginRun(name: string): void {
  mkdirSync(run(name), { recursive: true });
  writeFileSync(join(run(name), 'recipe.yaml'), `model: m\nmethod: { name: sft }\nrun: { dir: runs/${name} }\n`);
  writeFileSync(join(run(name), 'metrics.jsonl'), '{"step":1,"loss":2.5}\n');
}

beforeAll(async () => {
  await writeRun(run('first'));
  await writeRun(run('hostile'), { hostile: true });
  beginRun('under-way');
});

describe('the page of runs', () => {
  it('lists them with their result, finds one by words, and opens it by keys', async () => {
    const { page, trouble } = await studio.visit();
    const row = page.getByRole('row').filter({ has: page.getByRole('link', { name: 'first', exact: true }) });
    expect(await row.innerText()).toMatch(/ended\s+cut\s+SmolLM2-135M-Instruct\s+120[\s\S]*good enough answers 33 % → 88 %\s+77 % to 94 %/);
    expect(await page.getByRole('row').filter({ hasText: 'under-way' }).innerText()).toMatch(/stopped[\s\S]*nothing yet/);
    await page.keyboard.press('/');
    await page.keyboard.type('ended first');
    expect(await page.locator('tbody tr').count()).toBe(1);
    await page.keyboard.press('Escape');
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'first', level: 1 }).waitFor();
    await page.locator('.uplot canvas').first().waitFor();
    expect(await page.locator('.chart b').allInnerTexts()).toEqual(['loss', 'flagged', 'learning rate', 'tokens', 'seconds']);
    expect(await page.locator('.headline').innerText()).toMatch(/keep to the house style\s+33 %\s*→\s*88 %\s+Better after training/);
    await page.keyboard.press('Escape');
    await page.getByRole('heading', { name: /^Runs/ }).waitFor();
    expect(trouble).toEqual([]);
    await page.context().close();
  });

  it('draws a step as soon as it is logged', async () => {
    const { page, trouble } = await studio.visit('#/runs?run=runs%2Funder-way');
    await page.getByText('1 step').waitFor();
    appendFileSync(join(run('under-way'), 'metrics.jsonl'), '{"step":2,"loss":1.25}\n{"step":3,"loss":0.75}\n');
    await page.getByText('2.5 → 0.75').waitFor();
    await page.getByText('Numbers').click();
    expect(await page.locator('.chart tbody tr').allInnerTexts()).toEqual(['1\t2.5', '2\t1.25', '3\t0.75']);
    expect(trouble).toEqual([]);
    await page.context().close();
  });

  it('says how the workers of a cluster are, as soon as it changes', async () => {
    const log = join(run('under-way'), 'cluster.jsonl');
    const time = '2026-11-30T12:00:00.000Z';
    writeFileSync(log, `${JSON.stringify({ time, event: 'opened', workers: 2, threads: 1 })}\n`);
    const { page, trouble } = await studio.visit('#/runs?run=runs%2Funder-way');
    await page.getByText('Cluster: 2 workers; nothing lost').waitFor();
    const events = [{ time, event: 'lost', worker: 1 }, { time, event: 'restarted', worker: 1, seconds: 4.2 }];
    appendFileSync(log, events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    await page.getByText('Cluster: 2 workers; a worker was lost once (waited 4.2 s)').waitFor();
    expect(trouble).toEqual([]);
    await page.context().close();
  });

  it('puts a run into the bin and back', async () => {
    const { page, trouble } = await studio.visit('#/runs?run=runs%2Funder-way');
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByText('runs/under-way is in the bin').waitFor();
    expect(existsSync(run('under-way'))).toBe(false);
    await page.getByRole('button', { name: 'Bin' }).click();
    await page.getByRole('region', { name: 'Bin' }).getByRole('button', { name: 'Put back' }).click();
    await page.getByText('runs/under-way is back').waitFor();
    expect(existsSync(join(run('under-way'), 'recipe.yaml'))).toBe(true);
    expect(trouble).toEqual([]);
    await page.context().close();
  });

  it('shows hostile text as text', async () => {
    const { page, trouble } = await studio.visit('#/runs?run=runs%2Fhostile&show=recipe');
    await page.getByText('# </script>').waitFor();
    expect(await page.locator('.recipe').innerText()).toContain(HOSTILE);
    expect(await page.evaluate(() => 'hacked' in globalThis)).toBe(false);
    expect(trouble).toEqual([]);
    await page.context().close();
  });

  it('asks for its token, and then shows the runs', async () => {
    const { url } = await studio.start({ token: 'open sesame' });
    const { page } = await studio.visit('', { url });
    const enter = async (token: string): Promise<void> => {
      await page.getByLabel('Token').fill(token);
      await page.keyboard.press('Enter');
    };
    await enter('guess');
    await page.getByText('The token is not the one of this studio').waitFor();
    await expectAccessible(page);
    await enter('open sesame');
    await page.getByRole('link', { name: 'hostile' }).waitFor();
    await page.context().close();
  });

  it('lists the keys that work, closes the list by the key that opened it, and lets single keys be turned off', async () => {
    const { page } = await studio.visit();
    await page.getByRole('link', { name: 'hostile' }).waitFor();
    await page.keyboard.press('?');
    expect(await page.getByRole('dialog').innerText()).toMatch(/j\s+next run[\s\S]*gc\s+go to Compare/);
    await expectAccessible(page);
    await page.getByRole('dialog').getByRole('checkbox').uncheck();
    const closed = (): Promise<void> => page.getByRole('dialog').waitFor({ state: 'hidden' });
    await page.keyboard.press('Escape');
    await closed();
    await page.keyboard.press('b');
    expect(await page.getByRole('region', { name: 'Bin' }).count()).toBe(0);
    await page.keyboard.press('?');
    await page.getByRole('dialog').getByRole('checkbox').check();
    await page.keyboard.press('?');
    await closed();
    await page.keyboard.press('b');
    await page.getByRole('region', { name: 'Bin' }).waitFor();
    await page.context().close();
  });

  it('says what to do first where there is no run', async () => {
    const empty = join(studio.folder, 'empty');
    mkdirSync(empty);
    const { url } = await studio.start({}, empty);
    const { page, trouble } = await studio.visit('', { url });
    await page.getByText('npx heed quickstart').waitFor();
    await expectAccessible(page);
    expect(trouble).toEqual([]);
    await page.context().close();
  });
});
