// @ts-check
// How long a person waits for the studio's page of a run with 100,000 logged steps.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readOptions } from './options.js';

const USAGE = `node benchmarks/studio.js [POINTS]; npm run build first
  POINTS           how many steps the run has logged; default: 100000`;
const POINTS = Number(readOptions(USAGE, {}, { positionals: 1 }).positionals[0] ?? 100_000);
const { launchBrowser, startStudio } = await import('./browser.js');
const REPEATS = 7;
const NAMES = [
  'loss', 'reward', 'kl', 'entropy', 'accuracy', 'rewards_margin', 'logp_chosen', 'logp_rejected', 'grad_norm', 'lr', 'tokens', 'seconds',
];

/** A log as a long run leaves it: twelve numbers a step. */
function writeRun(/** @type {string} */ dir) {
  mkdirSync(dir, { recursive: true });
  writeFileSync(path.join(dir, 'recipe.yaml'), 'model: m\nmethod: { name: grpo }\nrun: { dir: run }\n');
  const lines = Array.from({ length: POINTS }, (_, i) => {
    const values = NAMES.map((name, k) => [name, Math.exp(-i / (POINTS / (k + 2))) + 0.1 * Math.sin(i * (k + 1))]);
    return JSON.stringify({ step: i + 1, ...Object.fromEntries(values) });
  });
  writeFileSync(path.join(dir, 'metrics.jsonl'), `${lines.join('\n')}\n`);
}

const middle = (/** @type {number[]} */ all) => [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)];

/** Milliseconds from an action in the page until the frame that shows it. */
const untilShown = (/** @type {import('playwright-core').Page} */ page, /** @type {string} */ act) => page.evaluate(`(async () => {
  const frame = () => new Promise((settle) => requestAnimationFrame(() => setTimeout(settle)));
  await frame();
  const began = performance.now();
  ${act}
  await frame();
  return performance.now() - began;
})()`);

const press = (/** @type {string} */ key) => `document.body.dispatchEvent(new KeyboardEvent('keydown', { key: '${key}', bubbles: true }));`;
/** The mouse over the first chart. */
const hover = (/** @type {number} */ x) => `document.querySelector('.u-over').dispatchEvent(
  new MouseEvent('mousemove', { clientX: document.querySelector('.u-over').getBoundingClientRect().left + ${x}, clientY: 400 }));`;

const folder = mkdtempSync(path.join(tmpdir(), 'heed-studio-'));
writeRun(path.join(folder, 'run'));
const studio = await startStudio(folder, { port: 0 });
const browser = await launchBrowser();
try {
  /** From the request to the first curve; the first time the server reads the log. */
  const open = async () => {
    const page = await browser.newPage({ viewport: { width: 1280, height: 860 } });
    const began = performance.now();
    await page.goto(`${studio.url}/#/runs?run=run`);
    const text = Number(await page.evaluate(`new Promise((settle) => {
      const look = () => (document.querySelector('h1') ? settle(performance.now()) : requestAnimationFrame(look));
      look();
    })`));
    await page.locator('.uplot canvas').first().waitFor();
    return { page, paint: text, curves: performance.now() - began };
  };
  const cold = await open();
  await cold.page.close();
  const warm = [];
  for (let i = 0; i < 3; i++) {
    const one = await open();
    warm.push(one.curves);
    await one.page.close();
  }
  const { page } = await open();
  await page.waitForFunction(`document.querySelectorAll('.uplot canvas').length === ${NAMES.length}`);
  const times = { smoothing: [], hover: [], tab: [] };
  for (let i = 0; i < REPEATS; i++) {
    times.smoothing.push(await untilShown(page, press(i % 2 === 0 ? '-' : '+')));
    times.hover.push(await untilShown(page, hover(100 + 40 * i)));
  }
  for (let i = 0; i < REPEATS; i++) times.tab.push(await untilShown(page, press(i % 2 === 0 ? '2' : '1')));
  await page.keyboard.press('1');
  // From the number that is typed until the curve of those steps is drawn.
  const zooms = [];
  for (let i = 0; i < REPEATS; i++) {
    zooms.push(Number(await page.evaluate(`new Promise((settle) => {
      const field = document.querySelector('[aria-label="from step"]');
      const chart = document.querySelector('.canvas');
      const before = chart.getAttribute('aria-label');
      const began = performance.now();
      new MutationObserver((_, watch) => {
        if (chart.getAttribute('aria-label') === before) return;
        watch.disconnect();
        requestAnimationFrame(() => setTimeout(() => settle(performance.now() - began)));
      }).observe(chart, { attributes: true });
      field.value = ${1000 * (i + 1)};
      field.dispatchEvent(new Event('change', { bubbles: true }));
    })`)));
  }
  const rounded = (/** @type {number} */ ms) => Math.round(ms);
  console.log(JSON.stringify({
    points: POINTS, curves: NAMES.length, milliseconds: {
      firstPaint: rounded(cold.paint), firstCurves: rounded(cold.curves), curvesAgain: rounded(middle(warm)),
      smoothing: rounded(middle(times.smoothing)), hover: rounded(middle(times.hover)), part: rounded(middle(times.tab)),
      zoom: rounded(middle(zooms)),
    },
  }, null, 2));
} finally {
  await browser.close();
  await studio.stop();
  rmSync(folder, { recursive: true, force: true });
}
