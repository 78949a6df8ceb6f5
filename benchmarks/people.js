// @ts-check
// How long people wait for the studio's page Label, with 100,000 labels of two people in the store, in a real browser. Writes nothing
// but a temporary folder.
import { createClient } from '@libsql/client';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readOptions } from './options.js';

const USAGE = `node benchmarks/people.js [LABELS]; npm run build first
  LABELS           how many labels lie in the store; default: 100000`;
const LABELS = Number(readOptions(USAGE, {}, { positionals: 1 }).positionals[0] ?? 100_000);
// Only now: a browser takes its time, and --help needs none.
const { launchBrowser, startStudio } = await import('./browser.js');
const PAIRS = LABELS / 2 + 1000;
const REPEATS = 9;
const folder = mkdtempSync(path.join(tmpdir(), 'heed-people-'));
writeFileSync(path.join(folder, 'pairs.jsonl'), Array.from({ length: PAIRS }, (_, i) => `${JSON.stringify({
  prompt: `Ask ${i}`, chosen: `One ${i}. `.repeat(20), rejected: `Other ${i}. `.repeat(20),
})}\n`).join(''));

const said = (/** @type {string} */ what, /** @type {number} */ milliseconds) =>
  console.log(`${what.padEnd(52)} ${milliseconds.toFixed(0).padStart(7)} ms`);
const middle = (/** @type {number[]} */ all) => [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0;
/** Milliseconds of some work, and what came of it. */
async function timed(/** @type {() => Promise<any>} */ work) {
  const began = performance.now();
  const value = await work();
  return { value, took: performance.now() - began };
}

const studio = await startStudio(folder, { port: 0 });
const api = async (/** @type {string} */ at, /** @type {object | undefined} */ body = undefined) => {
  const init = body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const answer = await fetch(`${studio.url}/api/label${at}`, init);
  if (!answer.ok) throw new Error(await answer.text());
  return /** @type {Promise<any>} */ (answer.json());
};
const browser = await launchBrowser();
try {
  said(`looking into a file of ${PAIRS} pairs`, (await timed(() => api('/look?file=pairs.jsonl'))).took);
  const opened = await timed(() => api('/sets', { files: ['pairs.jsonl'], task: 'pairs' }));
  said('making a set of it', opened.took);
  const { id } = opened.value;
  // What two people said, written as the store writes it; one label after the other would take minutes.
  const client = createClient({ url: `file:${path.join(folder, 'people.db')}` });
  await client.execute(`with recursive n (i) as (select 0 union all select i + 1 from n where i + 1 < ${LABELS})
    insert into annotations (set_id, place, who, state, verdict, said, seconds, at)
    select '${id}', i / 2, iif(i % 2 = 0, 'ann', 'bea'), 'given', iif(i % 7 = 0, '1', '0'),
      iif(i % 7 = 0, '{"choice":1}', '{"choice":0}'), 1, '2026-01-01' from n`);
  client.close();

  const page = await browser.newPage({ viewport: { width: 1280, height: 860 } });
  /** From a key until something new is shown, in the page's own time. */
  const untilShown = (/** @type {string} */ key, /** @type {string} */ shown) => page.evaluate(`new Promise((settle) => {
    const shown = () => ${shown};
    const before = shown();
    const began = performance.now();
    const look = () => (shown() && shown() !== before ? settle(performance.now() - began) : requestAnimationFrame(look));
    document.body.dispatchEvent(new KeyboardEvent('keydown', { key: '${key}', bubbles: true }));
    look();
  })`).then(Number);
  const PROMPT = "document.querySelector('.asked')?.textContent + document.querySelector('.set p')?.textContent";
  const RESULTS = "document.querySelector('.results table') && document.querySelector('.results').textContent.includes('Cohen')";
  await page.goto(`${studio.url}/#/label`);
  await page.locator('.sets li').waitFor();
  await page.evaluate(`localStorage.setItem('heed.who', 'ann')`);
  await page.goto(`${studio.url}/#/label?set=${id}`);
  await page.reload();
  await page.locator('.asked').waitFor();
  /** @type {Record<'vote' | 'undo' | 'results' | 'work', number[]>} */
  const times = { vote: [], undo: [], results: [], work: [] };
  for (let i = 0; i < REPEATS; i++) times.vote.push(await untilShown('1', PROMPT));
  for (let i = 0; i < 3; i++) times.undo.push(await untilShown('u', PROMPT));
  // The first look at results counts all; somebody else votes meanwhile.
  /** @type {number[]} */
  const others = [];
  let counted = false;
  const voting = (async () => {
    while (!counted) {
      await new Promise((settle) => setTimeout(settle, 200));
      const { value: { item } } = await timed(() => api(`/item?set=${id}&who=cas`));
      const vote = { set: id, who: 'cas', place: item.place, said: { choice: 0 }, state: 'given', seconds: 1 };
      others.push((await timed(() => api('/submit', vote))).took);
    }
  })();
  const first = await untilShown('a', RESULTS);
  counted = true;
  await voting;
  for (let i = 0; i < REPEATS; i++) {
    times.work.push(await untilShown('w', "document.querySelector('.asked')?.textContent"));
    await untilShown('1', PROMPT);
    times.results.push(await untilShown('a', RESULTS));
  }
  said('a vote, until the next item is shown', middle(times.vote));
  said('undo', middle(times.undo));
  said(`results of ${LABELS} labels, counted for the first time`, first);
  said('  the longest vote of somebody else meanwhile', Math.max(0, ...others));
  said('results after one more vote', middle(times.results));
  said('back to labelling', middle(times.work));
  const again = [];
  for (let i = 0; i < 3; i++) again.push((await timed(() => api(`/disagreements?set=${id}`))).took);
  said('a page of disagreements', middle(again));
  said('all sets', (await timed(() => api(''))).took);
} finally {
  await browser.close();
  await studio.stop();
  rmSync(folder, { recursive: true, force: true });
}
