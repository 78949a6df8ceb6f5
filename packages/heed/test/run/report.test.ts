import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import chromium from '@sparticuz/chromium';
import { chromium as playwright } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { curvesOf } from '../../src/run/report/curves.js';
import { named, number, percent, words } from '../../src/run/report/format.js';
import { html, jsonBlock } from '../../src/run/report/html.js';
import { summaryTables } from '../../src/run/report/summary.js';
import { writeReport } from '../../src/run/report/write.js';
import { HOSTILE, heatmapRow, writeRun } from './report-fixture.js';

let root = '';
let browser: Browser;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'heed-report-'));
  browser = await playwright.launch({ executablePath: await chromium.executablePath(), args: ['--no-sandbox'], headless: true });
});
afterAll(async () => {
  await browser?.close();
  await rm(root, { recursive: true, force: true });
});

/** Opens a report without a network and collects everything that goes wrong. */
async function visit(path: string): Promise<{ page: Page; trouble: string[] }> {
  const context = await browser.newContext({ offline: true, viewport: { width: 1200, height: 900 } });
  const page = await context.newPage();
  const trouble: string[] = [];
  page.on('console', (message) => message.type() === 'error' && trouble.push(message.text()));
  page.on('pageerror', (error) => trouble.push(error.message));
  page.on('request', (request) => request.url().startsWith('file:') || trouble.push(`request ${request.url()}`));
  await page.goto(pathToFileURL(path).href);
  return { page, trouble };
}

describe('the report in a browser', () => {
  it('opens offline with curves, marked tokens and answers', async () => {
    const { page, trouble } = await visit(await writeReport(await writeRun(join(root, 'plain'))));
    expect(await page.locator('.uplot canvas').count()).toBe(5);
    expect(await page.locator('.big').innerText()).toMatch(/33 %\s*→\s*88 %/);

    // Every pushed-down token is marked by more than colour, and no other is.
    const marked = await page.locator('.tokens mark').allInnerTexts();
    expect(marked.length).toBe(3 * 6);
    expect(new Set(marked.map((text) => text.trim()))).toEqual(new Set(['We', 'you', 'I', 'our', 'your']));
    const look = await page.locator('.tokens mark').first().evaluate((node) => {
      const { fontWeight, textDecorationLine } = (globalThis as unknown as { getComputedStyle(n: unknown): { fontWeight: string; textDecorationLine: string } }).getComputedStyle(node);
      return { fontWeight: Number(fontWeight), textDecorationLine };
    });
    expect(look.fontWeight).toBeGreaterThanOrEqual(700);
    expect(look.textDecorationLine).toBe('underline');

    await page.locator('.tokens mark').first().hover();
    expect(await page.locator('#tip').innerText()).toMatch(/"We"\nlog q\/p = \+\d\.\d{3}\nq\/p = [\d.]+\npushed down/);

    await page.getByRole('button', { name: /^better/ }).click();
    expect(await page.locator('.pair:visible').count()).toBe(4);
    expect(trouble).toEqual([]);
    await page.context().close();
  });

  it('shows hostile text as text', async () => {
    const { page, trouble } = await visit(await writeReport(await writeRun(join(root, 'hostile'), { hostile: true })));
    expect(await page.evaluate(() => 'hacked' in globalThis)).toBe(false);
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.locator('.tokens mark').allTextContents()).toContain(HOSTILE);
    expect(await page.locator('.text').allTextContents()).toContain(HOSTILE);
    expect(await page.locator('.t.none').count()).toBe(1);
    expect(await page.locator('#unreadable').innerText()).toContain('tokens, logRatio and flagged differ in length');
    expect(trouble).toEqual([]);
    await page.context().close();
  });

  it('says so when a run is under way and has next to nothing', async () => {
    const dir = join(root, 'bare');
    await mkdir(dir);
    await writeFile(join(dir, 'recipe.yaml'), 'model: m\n');
    await writeFile(join(dir, 'metrics.jsonl'), '{"step":1,"loss":null}\n{"step":2,"lo');
    const { page, trouble } = await visit(await writeReport(dir));
    expect(await page.locator('main').innerText()).toContain('has not ended yet');
    expect(trouble).toEqual([]);
    await page.context().close();
  });
});

describe('writeReport', () => {
  it('caps what it shows of a huge run and says so', async () => {
    const dir = await writeRun(join(root, 'huge'), { steps: 50_000, maps: 300 });
    const path = await writeReport(dir);
    expect((await stat(path)).size).toBeLessThan(2_000_000);
    expect(await readFile(path, 'utf8')).toContain('40 of 300 responses are shown');
  });

  it('asks for a run folder', async () => {
    await expect(writeReport(join(root, 'nowhere'))).rejects.toThrow('is not a run folder');
  });
});

describe('the parts of a report', () => {
  it('escape what they are given', () => {
    expect(html`<p title="${'"><script>'}">${'<&>'}${html`<b>${'\''}</b>`}${[1, 'a', false, null]}</p>`.text).toBe('<p title="&quot;&gt;&lt;script&gt;">&lt;&amp;&gt;<b>&#39;</b>1a</p>');
    expect(jsonBlock('x', { a: '</script><!--' }).text).not.toMatch(/<\/script>.*<\/script>|<!--/);
  });

  it('thin long curves and leave gaps where a number is missing', () => {
    const [loss, lr] = curvesOf([{ lr: 1, step: 1, loss: NaN }, { lr: 1, step: 2, loss: 3 }, { step: 3, loss: null, lr: 1, note: 'x' }, { other: 1 }]);
    expect(loss).toEqual({ name: 'loss', x: [1, 2, 3], y: [null, 3, null] });
    expect(lr?.y).toEqual([1, 1, 1]);
    const [long] = curvesOf(Array.from({ length: 10_000 }, (_, i) => ({ step: i + 1, loss: i })));
    expect(long?.x.length).toBe(1_000);
    expect(long?.y[0]).toBe(4.5);
    expect(long?.smooth?.every((value) => value !== null && Number.isFinite(value))).toBe(true);
  });

  it('show a summary in tables, and only the headline as shares', () => {
    const at = (mean: number) => ({ mean, low: mean, high: mean, n: 8 });
    const text = summaryTables({
      metric: 'share of answers', base: at(0.25), cut: at(1),
      findings: { base: at(1), cut: at(0.5) },
      fluency: { base: { distinct2: null } },
      iterations: [{ answers: 18, trainedOn: 6 }, { answers: 17, trainedOn: 4 }],
      eval: { before: { loss: 2 }, after: { loss: 1 }, change: { loss: at(-1) }, rows: 51 },
    }).text.replaceAll(/<[^>]*>/g, '|').replaceAll(/\|+/g, '|');
    expect(text).toContain('base|25 %|25 % – 25 %|8|');
    expect(text).toContain('base|1|1 – 1|8|');
    expect(text).toContain('distinct 2|–|');
    expect(text).toMatch(/\|1\|2\|\s*\|answers\|18\|17\|trained on\|6\|4\|/);
    expect(text).toContain('loss|2|1|-1 (-1 – -1)|');
    expect(text).toContain('eval, rows|51|');
    expect(text).not.toMatch(/[{}]|null/);
  });

  it('leave out of the curves where a step stands, and put last how it went', () => {
    expect(curvesOf([{ step: 1, iteration: 1, grad_norm: 2, lr: 1, l1: 3, loss: 1 }]).map(({ name }) => name)).toEqual(['loss', 'l1', 'lr', 'grad_norm']);
  });

  it('write numbers that people read', () => {
    expect([number(0.12345), number(12345.6), number(4e-4), number(NaN), number(3)]).toEqual(['0.123', '12,346', '4.0e-4', '–', '3']);
    expect([percent(0.328), percent(0.004), percent(0), percent(1)]).toEqual(['33 %', '0.4 %', '0 %', '100 %']);
    expect(named('peakRssMb', 1874.2)).toEqual({ name: 'peak memory', text: '1,965 MB' }); // 1874.2 × 2²⁰ bytes
    expect(words('logRatio_max')).toBe('log ratio max');
    expect(heatmapRow('a', 1)).toEqual(heatmapRow('a', 1));
  });
});
