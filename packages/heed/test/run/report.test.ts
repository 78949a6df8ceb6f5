import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import chromium from '@sparticuz/chromium';
import { chromium as playwright } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { comparisonPage } from '../../src/evaluate/comparison-page.js';
import { curvesOf } from '../../src/run/report/curves.js';
import { named, number, percent, words } from '../../src/run/report/format.js';
import { type Html, html, jsonBlock } from '../../src/run/report/html.js';
import { type RolloutLine, changedMost, rolloutTables } from '../../src/run/report/rollouts.js';
import { headline, summaryTables } from '../../src/run/report/summary.js';
import { holdsRuns, writeIndex } from '../../src/run/report/index-page.js';
import { takeLock } from '../../src/run/lock.js';
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

/** Texts of a page that are beyond its right edge, or wider than it: where they stand. */
const beyondTheEdge = (page: Page): Promise<string[]> => page.evaluate(() => {
  type Box = { readonly textContent: string; getBoundingClientRect(): { right: number; width: number }; closest(of: string): unknown };
  const { document, innerWidth } = globalThis as unknown as {
    readonly innerWidth: number; readonly document: { querySelectorAll(of: string): Iterable<Box> };
  };
  return [...document.querySelectorAll('th, td, p, figcaption, h1, h2')]
    .filter((one) => one.getBoundingClientRect().width > 1 && one.getBoundingClientRect().right > innerWidth)
    .map((one) => one.textContent.slice(0, 60));
});

/** Opens a report without a network and collects everything that goes wrong. */
async function visit(path: string, width = 1200): Promise<{ page: Page; trouble: string[] }> {
  const context = await browser.newContext({ offline: true, viewport: { width, height: 900 } });
  const page = await context.newPage();
  const trouble: string[] = [];
  page.on('console', (message) => message.type() === 'error' && trouble.push(message.text()));
  page.on('pageerror', (error) => trouble.push(error.message));
  page.on('request', (request) => request.url().startsWith('file:') || trouble.push(`request ${request.url()}`));
  await page.goto(pathToFileURL(path).href);
  return { page, trouble };
}

describe('the report in a browser', () => {
  it('has a wide table scroll in its own box, its first column in place, with a shadow where there is more', async () => {
    const estimate = { mean: 0.5, low: 0.25, high: 0.75, n: 8 };
    const contenders = Array.from({ length: 16 }, (_, i) => ({
      name: `contender-${i}`, fingerprint: String(i), kept: false, failures: {}, signs: [],
      measured: { satisfied: estimate, value: estimate },
    }));
    const path = join(root, 'wide.html');
    const sampling = { maxNewTokens: 8, temperature: 0, seed: 0 };
    await writeFile(path, comparisonPage({
      job: 'compare', model: 'm', rows: 8, sampling, contenders, duels: [], prompts: [], seconds: 1,
    }));
    const { page, trouble } = await visit(path);
    const box = page.locator('.scroll').first();
    const seen = () => box.evaluate((element) => {
      const { getComputedStyle } = globalThis as unknown as { getComputedStyle(of: unknown): { backgroundImage: string } };
      type Found = { getBoundingClientRect(): { left: number; right: number; height: number } };
      const at = (of: string) => (element as unknown as { querySelector(of: string): Found }).querySelector(of).getBoundingClientRect();
      const { left, right } = (element as unknown as Found).getBoundingClientRect();
      const { scrollWidth, clientWidth } = element as unknown as { scrollWidth: number; clientWidth: number };
      return {
        scrolls: scrollWidth > clientWidth, inside: right <= 1200,
        first: at('tbody th').left - left, last: at('tbody td:last-child').right - right,
        height: at('tbody td').height, shadows: getComputedStyle(element).backgroundImage.split('linear-gradient').length - 1,
      };
    });
    const before = await seen();
    expect(before).toMatchObject({ scrolls: true, inside: true, first: 0, shadows: 4 });
    expect(before.last).toBeGreaterThan(0);
    // One line of text: an interval that broke would take two.
    expect(before.height).toBeLessThan(50);
    await box.focus();
    await box.evaluate((element) => { (element as unknown as { scrollLeft: number }).scrollLeft = 1e6; });
    const after = await seen();
    expect(after.first).toBe(0);
    expect(after.last).toBeLessThanOrEqual(1);
    expect(trouble).toEqual([]);
  });

  it('opens offline with curves, marked tokens and answers', async () => {
    const { page, trouble } = await visit(await writeReport(await writeRun(join(root, 'plain'))));
    expect(await page.locator('.uplot canvas').count()).toBe(5);
    expect(await page.locator('.headline').innerText()).toMatch(/keep to the house style\s+33 %\s*→\s*88 %\s+Better after training/);
    expect(await page.locator('#result').innerText()).toContain('lower is better');

    // Every pushed-down token is marked by more than colour, and no other is.
    const marked = await page.locator('.tokens mark').allInnerTexts();
    expect(marked.length).toBe(3 * 6);
    expect(new Set(marked.map((text) => text.trim()))).toEqual(new Set(['We', 'you', 'I', 'our', 'your']));
    const look = await page.locator('.tokens mark').first().evaluate((node) => {
      type Style = Record<'fontWeight' | 'textDecorationLine', string>;
      const { getComputedStyle } = globalThis as unknown as { getComputedStyle(n: unknown): Style };
      const { fontWeight, textDecorationLine } = getComputedStyle(node);
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

  it('has every column on the screen of a phone', async () => {
    const dir = await writeRun(join(root, 'phone'));
    const completion = 'A lamp of steel, and a long answer. '.repeat(6);
    const rollout = { round: 1, row: 'a', prompt: 'Describe a lamp of steel.', completion, advantage: 0.5 };
    await writeFile(join(dir, 'rollouts.jsonl'), [0.1, 0.9].map((reward) => `${JSON.stringify({ ...rollout, reward })}\n`).join(''));
    const { page, trouble } = await visit(await writeReport(dir), 390);
    expect(await beyondTheEdge(page)).toEqual([]);
    const result = await page.locator('#result').innerText();
    expect(result).toContain('lower is better');
    expect(await page.locator('#result td[data-label=after]').first().isVisible()).toBe(true);
    expect(trouble).toEqual([]);
    await page.context().close();
  });

  it('has an index of runs, the newest first, also on a phone', async () => {
    const folder = join(root, 'all');
    const second = await writeRun(join(folder, 'second run'));
    await writeReport(second);
    await mkdir(join(folder, 'first'), { recursive: true });
    await writeFile(join(folder, 'first', 'recipe.yaml'), 'method: sft\nmodel: m\n');
    await mkdir(join(folder, 'no-run'));
    expect(await holdsRuns(folder)).toBe(true);
    expect(await holdsRuns(second)).toBe(false);
    const { page, trouble } = await visit(await writeIndex(folder), 390);
    const rows = await page.locator('tbody tr').allInnerTexts();
    expect(rows).toHaveLength(2);
    expect(rows.find((text) => text.includes('second run'))).toMatch(/33 % → 88 %/);
    expect(rows.find((text) => text.includes('first'))).toContain('under way, or stopped');
    expect(await beyondTheEdge(page)).toEqual([]);
    await page.getByRole('link', { name: 'second run' }).click();
    expect(await page.locator('h1').innerText()).toBe('second run');
    expect(trouble).toEqual([]);
    await page.context().close();
    await expect(writeIndex(join(root, 'nothing'))).rejects.toThrow('holds no run');
  });

  it('of a folder with a sweep lists the sweep\'s runs, too', async () => {
    const folder = join(root, 'with a sweep');
    await writeReport(await writeRun(join(folder, 'betas', 'beta=0.1,seed=0')));
    await writeFile(join(folder, 'betas', 'sweep.json'), '{}');
    expect(await holdsRuns(folder)).toBe(true);
    const { page } = await visit(await writeIndex(folder), 390);
    await page.getByRole('link', { name: 'betas/beta=0.1,seed=0' }).click();
    expect(await page.locator('h1').innerText()).toBe('beta=0.1,seed=0');
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

  it('says so when a run is under way, or stopped before its end, and has next to nothing', async () => {
    const dir = join(root, 'bare');
    await mkdir(dir);
    await writeFile(join(dir, 'recipe.yaml'), 'model: m\n');
    await writeFile(join(dir, 'metrics.jsonl'), '{"step":1,"loss":null}\n{"step":2,"lo');
    const { page, trouble } = await visit(await writeReport(dir));
    expect(await page.locator('main').innerText()).toContain('stopped before its end: it was interrupted, or it failed');
    expect(trouble).toEqual([]);
    await page.context().close();
    const unlock = await takeLock(join(dir, 'run.lock'));
    const { page: live } = await visit(await writeReport(dir));
    expect(await live.locator('main').innerText()).toContain('has not ended yet');
    await live.context().close();
    await unlock();
  });
});

describe('writeReport', () => {
  it('caps what it shows of a huge run and says so', async () => {
    const dir = await writeRun(join(root, 'huge'), { steps: 50_000, heatmaps: 300 });
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
    const part = html`<p title="${'"><script>'}">${'<&>'}${html`<b>${'\''}</b>`}${[1, 'a', false, null]}</p>`;
    expect(part.text).toBe('<p title="&quot;&gt;&lt;script&gt;">&lt;&amp;&gt;<b>&#39;</b>1a</p>');
    expect(jsonBlock('x', { a: '</script><!--' }).text).not.toMatch(/<\/script>.*<\/script>|<!--/);
  });

  it('thin long curves and leave gaps where a number is missing', () => {
    const [loss, lr] = curvesOf([
      { lr: 1, step: 1, loss: NaN }, { lr: 1, step: 2, loss: 3 }, { step: 3, loss: null, lr: 1, note: 'x' }, { other: 1 },
    ]);
    expect(loss).toEqual({ name: 'loss', x: [1, 2, 3], y: [null, 3, null] });
    expect(lr?.y).toEqual([1, 1, 1]);
    const [long] = curvesOf(Array.from({ length: 10_000 }, (_, i) => ({ step: i + 1, loss: i })));
    expect(long?.x.length).toBe(1_000);
    expect(long?.y[0]).toBe(4.5);
    expect(long?.smooth?.every((value) => value !== null && Number.isFinite(value))).toBe(true);
  });

  const shownOf = (part: Html): string => part.text.replaceAll(/<[^>]*>/g, '|').replaceAll(/\s*\|[|\s]*/g, '|');
  const at = (mean: number, low = mean, high = mean) => ({ mean, low, high, n: 8 });

  it('show what was measured before and after, with the change and the good direction', () => {
    const text = shownOf(summaryTables({
      job: 'train',
      before: { loss: 0.6931, accuracy: 0.5, rewards_margin: -5.2e-8 },
      after: { loss: 0.4, accuracy: 0.875, rewards_margin: 1.25 },
      change: { loss: at(-0.2931, -0.4, -0.2), accuracy: at(0.375, 0.25, 0.5) },
      rows: 51,
    }));
    expect(text).toContain('|before|after|change|');
    expect(text).toContain('|loss|lower is better|0.693|0.4|-0.293|-0.4 to -0.2|');
    expect(text).toContain('Measured on held-out rows|with 95 % intervals|');
    expect(shownOf(summaryTables({ before: { loss: 2 }, after: { loss: 1 } }))).not.toContain('95 %');
    expect(text).toContain('|accuracy|higher is better|50 %|88 %|+38 points|+25 points to +50 points|');
    expect(text).not.toContain('mean of the changes of single rows');
    // -5.2e-8 is rounding, and says nothing.
    expect(text).toContain('|reward of the better response less that of the worse|higher is better|0|1.25|–|');
    expect(text).toContain('|rows|51|');
  });

  it('head the page of a run that held nothing out with the loss of its steps', () => {
    const metrics = Array.from({ length: 40 }, (_, i) => ({ step: i + 1, loss: i < 20 ? 2 : 1 }));
    expect(shownOf(headline({ summary: { steps: 40 }, metrics, live: false }))).toContain(
      'first 10 to last 10 of 40 steps|2|→|1|Lower is better. No rows were held out',
    );
  });

  it('call a change within the rounding of its values 0', () => {
    // float32 tells numbers near 900 apart by 6e-5.
    const text = shownOf(summaryTables({
      before: { loss: 900, nll: 1 }, after: { loss: 900, nll: 1 }, change: { loss: at(-3e-5, -6e-5, 2e-5), nll: at(-3e-5, -6e-5, 2e-5) },
    }));
    expect(text).toContain('|loss|lower is better|900|900|0|0 to 0|');
    expect(text).toContain('|lower is better|1|1|-0.00003|-0.00006 to +0.00002|');
  });

  it('say so where a change is not after − before', () => {
    const text = shownOf(summaryTables({ before: { loss: 2 }, after: { loss: 1 }, change: { loss: at(-0.4, -0.6, -0.2) } }));
    expect(text).toContain('It may differ from after minus before');
  });

  it.each([
    ['a gain by the paired change', { loss: 2 }, { loss: 1 }, { loss: at(-1, -1.5, -0.5) },
      'Better after training: -1 on average (95 % interval -1.5 to -0.5, 8 held-out rows). Lower is better.'],
    ['a loss that rose', { loss: 1 }, { loss: 2 }, { loss: at(1, 0.5, 1.5) }, 'Worse after training: +1 on average'],
    ['a change that may be chance', { loss: 2 }, { loss: 1.9 }, { loss: at(-0.1, -0.3, 0.1) },
      'The difference may be chance: the 95 % interval of the change is -0.3 to +0.1, 8 held-out rows. Lower is better.'],
    ['shares whose intervals are apart', { satisfied: at(0.2, 0.1, 0.3) }, { satisfied: at(0.6, 0.5, 0.7) }, undefined,
      '20 %|→|60 %|Better after training: the 95 % intervals do not overlap. Higher is better.'],
    ['fewer findings', { findings: at(2, 1.5, 2.5) }, { findings: at(1, 0.5, 1.4) }, undefined, 'Better after training: the 95 %'],
    ['intervals that touch', { satisfied: at(0.2, 0.1, 0.3) }, { satisfied: at(0.4, 0.3, 0.5) }, undefined,
      'may be chance: the 95 % intervals overlap'],
    ['a measurement of no known direction', { kl: at(2) }, { kl: at(1) }, undefined,
      'distance from the reference (KL) on held-out rows|2|→|1|Lower after training'],
    ['plain numbers', { loss: 2 }, { loss: 1 }, undefined, 'No interval was measured: the difference may be chance. Lower is better.'],
  ])('head the page with %s', (_, before, after, change, said) => {
    expect(shownOf(headline({ summary: { before, after, change }, metrics: [], live: false }))).toContain(said);
  });

  it('count the parts of a list once, and say of an empty object that there is none', () => {
    const text = shownOf(summaryTables({ rounds: [{ round: 1, answers: 18, unrated: {} }, { round: 2, answers: 17, unrated: {} }] }));
    expect(text).toContain('|rounds|round|answers|unrated|1|18|none|2|17|none|');
  });

  it('list the alarms of a run, and say where there are none', () => {
    expect(shownOf(summaryTables({ alarms: [] }))).toContain('|alarms|none|');
    const alarms = [{ round: 3, sign: 'words', first: 40, now: 96.5 }];
    expect(shownOf(summaryTables({ alarms }))).toContain('|alarms|round|sign|first|now|1|3|words|40|96.5|');
  });

  it('show the rounds of a run, one in a line', () => {
    const rounds = [{ answers: 18, trainedOn: 6 }, { answers: 17, trainedOn: 4, unjudged: { timeout: 2 } }];
    const text = shownOf(summaryTables({ rounds }));
    expect(text).toContain('|answers|trained on|unjudged|1|18|6|–|2|17|4|timeout 2|');
  });

  it('show what an older summary has, under its own names', () => {
    const old = {
      metric: 'share of answers', base: at(0.25), cut: at(1),
      findings: { base: at(1), cut: at(0.5) },
      fluency: { base: { distinct2: null }, cut: { distinct2: 0.5 } },
      iterations: [{ answers: 18, trainedOn: 6 }],
      eval: { before: { loss: 2 }, after: { loss: 1 }, change: { loss: at(-1) }, rows: 51 },
      resumedFrom: null,
    };
    const text = shownOf(summaryTables(old));
    expect(shownOf(headline({ summary: old, metrics: [], live: false }))).toBe('|share of answers|');
    expect(text).toContain('|base|0.25|0.25 to 0.25|8|');
    expect(text).toContain('|findings|mean|95 % interval|n|0|1|base|1|1 to 1|8|cut|0.5|');
    expect(text).toMatch(/distinct-2\)\|–\|0.5\|/);
    expect(text).toContain('|loss|lower is better|2|1|-1|-1 to -1|');
    expect(text).toContain('|eval, rows|51|');
    expect(text).not.toMatch(/[{}]|null/);
  });

  it('leave out of the curves where a step stands, and put last how it went', () => {
    const curves = curvesOf([{ step: 1, iteration: 1, round: 1, grad_norm: 2, lr: 1, l1: 3, loss: 1 }]);
    expect(curves.map(({ name }) => name)).toEqual(['loss', 'l1', 'lr', 'grad_norm']);
  });

  it('write numbers that people read', () => {
    expect([0.12345, 12345.6, 4e-4, NaN, 3].map(number)).toEqual(['0.123', '12,346', '0.0004', '–', '3']);
    expect([number(-5.2e-8), number(3.14e-6)]).toEqual(['-5.2 × 10⁻⁸', '0.0000031']);
    expect([percent(0.328), percent(0.004), percent(0), percent(1)]).toEqual(['33 %', '0.4 %', '0 %', '100 %']);
    expect(named('peakRssMb', 1874.2)).toEqual({ name: 'peak memory', text: '1,965 MB' }); // 1874.2 × 2²⁰ bytes
    expect(words('logRatio_max')).toBe('log ratio max');
    expect(heatmapRow('a', 1)).toEqual(heatmapRow('a', 1));
  });
});

describe('the answers that a policy gradient learnt from', () => {
  const line = (round: number, row: string, reward: number | null, completion: string): RolloutLine =>
    ({ round, row, prompt: `Ask ${row}`, completion, reward, advantage: 0.5, reason: null });
  const lines = [
    line(1, 'a', 0.1, 'first a'), line(1, 'b', 0.5, 'first b'), line(2, 'c', 0.9, HOSTILE), line(3, 'b', 0.4, 'last b'),
    line(4, 'a', 0.8, 'last a'), line(4, 'a', null, 'unrated'), line(4, 'd', 0.2, 'once d'),
  ];

  it('are the best and the worst of the last rounds', () => {
    const text = rolloutTables(lines).text;
    const [best, worst, changed] = text.split('<caption>').slice(1) as [string, string, string];
    expect(best.indexOf('last a')).toBeLessThan(best.indexOf('once d'));
    expect(worst.indexOf('once d')).toBeLessThan(worst.indexOf('last a'));
    expect(best).not.toContain('first');
    expect(changed).toContain('0.1 → 0.8');
    expect(text).toContain('7 answers were sampled in 4 rounds');
    expect(text).not.toContain('<script>window.hacked');
  });

  it('are those whose prompts changed most, of prompts that came up again', () => {
    const rated = lines.filter((one): one is RolloutLine & { reward: number } => one.reward !== null);
    expect(changedMost(rated).map(({ row, change }) => [row, Number(change.toFixed(6))])).toEqual([['a', 0.7], ['b', -0.1]]);
  });

  it('come behind curves of reward, KL and loss', () => {
    const step = { step: 1, loss: 1, entropy: 2, kl: 3, reward: 4, lr: 1e-4 };
    expect(curvesOf([step]).map(({ name }) => name)).toEqual(['reward', 'kl', 'loss', 'entropy', 'lr']);
  });
});
