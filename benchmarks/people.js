// node benchmarks/people.js [LABELS]: what the page Label waits for, with 100,000 labels of two people in the store. Writes nothing but a
// temporary file.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { openAnnotations } from '../packages/heed/dist/feedback/annotations.js';
import { disagreements, resultsOf } from '../packages/heed/dist/studio/label/results.js';
import { setLine, stepOf } from '../packages/heed/dist/studio/label/shown.js';

const labels = Number(process.argv[2] ?? 100_000);
const folder = mkdtempSync(path.join(tmpdir(), 'heed-people-'));
const store = await openAnnotations(path.join(folder, 'people.db'));
const task = /** @type {const} */ ('pairs');
const scale = /** @type {const} */ (5);
const role = /** @type {const} */ ('user');
const set = { id: 'big', name: 'big', task, files: ['answers.jsonl'], seed: 0, principles: [], scale, made: new Date().toISOString() };
const items = Array.from({ length: labels / 2 + 1000 }, (_, i) => ({
  key: `k${i}`, prompt: [{ role, content: `Ask ${i}` }], responses: [`One ${i}. `.repeat(20), `Other ${i}. `.repeat(20)],
}));

/** Says how long something took, in milliseconds. */
async function timed(what, work) {
  const began = performance.now();
  await work();
  console.log(`${what.padEnd(44)} ${(performance.now() - began).toFixed(1).padStart(9)} ms`);
}

await timed(`opening a set of ${items.length} items`, () => store.fill(set, items));
await timed(`${labels} labels, one after the other`, async () => {
  for (let i = 0; i < labels; i++) {
    const who = i % 2 === 0 ? 'ann' : 'bea';
    await store.submit({ set, place: i >> 1, who, said: { choice: i % 7 === 0 ? 1 : 0 }, state: 'given', seconds: 1 });
  }
});
const next = async () => stepOf(store, await setLine(store, 'big'), 'ann', await store.next('big', 'ann'));
await timed('the next item, all searched', next);
await timed('a vote, until the next item is there', async () => {
  const place = labels / 2;
  await store.submit({ set, place, who: 'ann', said: { choice: 0 }, state: 'given', seconds: 1 });
  await stepOf(store, await setLine(store, 'big'), 'ann', await store.next('big', 'ann', place + 1));
});
await timed('undo', () => store.undo('big', 'ann'));
await timed('results, first', () => resultsOf(store, 'big', true));
await timed('results, again', () => resultsOf(store, 'big', true));
await timed('a page of disagreements', () => disagreements(store, set, { offset: 0, limit: 20 }));
store.close();
rmSync(folder, { recursive: true });
