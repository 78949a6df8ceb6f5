// @ts-check
// The browser and the studio that the programs here measure.
import chromium from '@sparticuz/chromium';
import { chromium as playwright } from 'playwright-core';

export { startStudio } from '../packages/heed/dist/studio/server.js';

export const launchBrowser = async () =>
  playwright.launch({ executablePath: await chromium.executablePath(), args: ['--no-sandbox'], headless: true });
