/** A studio in a real browser, with the page as the sources have it now. */
import chromium from '@sparticuz/chromium';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium as playwright } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';

import { type RunningStudio, type StudioServerOptions, startStudio } from '../../src/studio/server.js';
import { scratchFolder } from '../support/scratch.js';

const BUILD = new URL('../../../../apps/studio/build.js', import.meta.url);

/** A page and what went wrong in it: errors of scripts, and everything that a browser calls an error, such as a refused policy. */
export interface Visit { readonly page: Page; readonly trouble: string[] }

export interface Studio {
  /** The project folder. */
  readonly folder: string;
  /** Starts the studio of the folder, or of another one. */
  start(options?: Partial<StudioServerOptions>, of?: string): Promise<RunningStudio>;
  /** Opens an address such as `#/runs`. */
  visit(address?: string, options?: { url?: string }): Promise<Visit>;
}

/** For a test file: a project folder of its own, a browser, and a studio that is started when it is first visited. */
export function studioFor(): Studio {
  const { folder } = scratchFolder();
  const project = join(folder, 'project');
  const pageFolder = join(folder, 'page');
  const running: RunningStudio[] = [];
  let own: RunningStudio | undefined;
  let browser: Browser;
  beforeAll(async () => {
    const { buildPage } = (await import(fileURLToPath(BUILD))) as { buildPage(folder: string): Promise<void> };
    await buildPage(pageFolder);
    browser = await playwright.launch({ executablePath: await chromium.executablePath(), args: ['--no-sandbox'], headless: true });
  });
  afterAll(async () => {
    await browser?.close();
    await Promise.all(running.map((one) => one.stop()));
  });
  const start: Studio['start'] = async (options = {}, of = project) => {
    const studio = await startStudio(of, { port: 0, page: pageFolder, log: (line) => expect.unreachable(line), ...options });
    running.push(studio);
    return studio;
  };
  return {
    folder: project,
    start,
    async visit(address = '', { url } = {}) {
      const base = url ?? (own ??= await start()).url;
      const context = await browser.newContext({ viewport: { width: 1280, height: 860 } });
      const page = await context.newPage();
      page.setDefaultTimeout(10_000);
      const trouble: string[] = [];
      page.on('console', (message) => message.type() === 'error' && trouble.push(message.text()));
      page.on('pageerror', (error) => trouble.push(error.message));
      page.on('request', (request) => request.url().startsWith(base) || trouble.push(`request ${request.url()}`));
      await page.goto(`${base}/${address}`);
      return { page, trouble };
    },
  };
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const LEVELS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

/** That axe finds nothing to mend in the page as it is now, in light, in dark and on a phone, where nothing lies beyond the edge. */
export async function expectAccessible(page: Page): Promise<void> {
  await expectNoViolation(page);
  await page.emulateMedia({ colorScheme: 'dark' });
  await expectNoViolation(page);
  await page.setViewportSize({ width: 360, height: 780 });
  await expectNoViolation(page);
  expect(await overflow(page)).toBe(0);
}

async function expectNoViolation(page: Page): Promise<void> {
  // As the debugger: the page's own policy lets no script in.
  await page.evaluate(AXE);
  const found = await page.evaluate(async (values) => {
    type Violation = { readonly id: string; readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[] };
    const { axe } = globalThis as unknown as { axe: { run(options: object): Promise<{ violations: readonly Violation[] }> } };
    const { violations } = await axe.run({ runOnly: { type: 'tag', values }, resultTypes: ['violations'] });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join('\n')}`);
  }, LEVELS);
  expect(found).toEqual([]);
}

/** By how much the page is wider than the screen. */
const overflow = (page: Page): Promise<number> => page.evaluate(() => {
  const { document, innerWidth } = globalThis as unknown as {
    readonly innerWidth: number; readonly document: { readonly documentElement: { readonly scrollWidth: number } };
  };
  return document.documentElement.scrollWidth - innerWidth;
});
