import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

import type { LabelItem, LabelSet, Said, Task } from '../../src/feedback/annotation.js';
import { type AnnotationStore, openAnnotations } from '../../src/feedback/annotations.js';
import { annotatedItems, annotationRows } from '../../src/feedback/annotation-rows.js';
import type { FeedbackKind } from '../../src/feedback/kinds.js';
import { scratchFolder } from '../support/scratch.js';

const { folder } = scratchFolder();
let files = 0;
const open = (): Promise<AnnotationStore> => openAnnotations(join(folder, `${++files}.db`));
const setOf = (task: Task, more: Partial<LabelSet> = {}): LabelSet => (
  { id: task, name: task, task, files: ['f.jsonl'], seed: 3, principles: [], scale: 5, made: '2026-01-01', ...more }
);
const items = (n: number, responses = 1): LabelItem[] => Array.from({ length: n }, (_, i) => ({
  key: `k${i}`, row: `r${i}`, prompt: [{ role: 'user', content: `Ask ${i}` }],
  responses: Array.from({ length: responses }, (_, k) => `Say ${i}${'ab'[k]}`),
}));
/** Says something of the item with a key, whatever its place. */
async function sayOf(store: AnnotationStore, set: LabelSet, key: string, who: string, said: Said, seconds = 1): Promise<void> {
  const { place } = (await store.itemsFrom(set.id, 0, 1000)).find((one) => one.key === key)!;
  await store.submit({ set, place, who, said, state: 'given', seconds });
}
const rows = async (store: AnnotationStore, kind: FeedbackKind) => annotationRows(await annotatedItems(store), kind);

describe('what people say', () => {
  it('goes through a set in an order drawn from its seed, and new items come behind', async () => {
    const store = await open();
    const set = setOf('pairs');
    expect(await store.fill(set, items(20, 2))).toBe(20);
    const first = await store.itemsFrom('pairs', 0, 100);
    expect(first.map(({ key }) => key)).not.toEqual(items(20).map(({ key }) => key));
    const turned = first.filter((one) => one.turned).length;
    expect(turned).toBeGreaterThan(3);
    expect(turned).toBeLessThan(17);
    expect(await store.fill(set, items(22, 2))).toBe(2);
    expect((await store.itemsFrom('pairs', 0, 20))).toEqual(first);
    expect((await store.itemsFrom('pairs', 20, 9)).map(({ key }) => key).sort()).toEqual(['k20', 'k21']);
    const other = await open();
    await other.fill(set, items(20, 2));
    expect(await other.itemsFrom('pairs', 0, 100)).toEqual(first);
    for (const one of [store, other]) one.close();
  });

  it('counts the newest, and takes back one after the other', async () => {
    const store = await open();
    const set = setOf('pairs');
    await store.fill(set, items(2, 2));
    const say = (place: number, choice: 0 | 1 | 'tie'): Promise<void> =>
      store.submit({ set, place, who: 'ann', said: { choice }, state: 'given', seconds: 2 });
    await say(0, 0);
    await say(1, 1);
    await say(0, 'tie');
    expect((await store.annotations('pairs')).map(({ said }) => said.choice)).toEqual(['tie', 1]);
    expect(await store.next('pairs', 'ann')).toBeUndefined();
    expect(await store.next('pairs', 'bea')).toBe(0);
    expect(await store.undo('pairs', 'ann')).toBe(0);
    expect((await store.annotations('pairs')).map(({ said }) => said.choice)).toEqual([0, 1]);
    expect(await store.of('pairs', 0, 'ann')).toEqual({ said: { choice: 0 }, state: 'given', draft: { choice: 'tie' } });
    expect(await store.undo('pairs', 'ann')).toBe(1);
    expect(await store.undo('pairs', 'ann')).toBe(0);
    expect(await store.undo('pairs', 'ann')).toBeUndefined();
    expect(await store.annotations('pairs')).toEqual([]);
    await store.submit({ set, place: 1, who: 'ann', said: {}, state: 'skipped', seconds: 4 });
    expect(await store.next('pairs', 'ann')).toBe(0);
    expect(await store.progress('pairs')).toEqual([{ who: 'ann', given: 0, skipped: 1, pace: 4 }]);
    store.close();
  });

  it('makes rows of every kind, and counts what makes none', async () => {
    const store = await open();
    const [pairs, judged] = [setOf('pairs'), setOf('judgment')];
    const scored = setOf('scores', { principles: ['kind', 'brief'] });
    await store.fill(pairs, items(3, 2));
    await store.fill(judged, items(4));
    await store.fill(scored, items(1));
    const votes = [['ann', 1], ['bea', 1], ['cas', 0], ['dan', 'tie']] as const;
    for (const [who, choice] of votes) await sayOf(store, pairs, 'k0', who, { choice });
    await sayOf(store, pairs, 'k1', 'ann', { choice: 0, judgment: 'Clearer.' });
    await sayOf(store, pairs, 'k2', 'ann', { choice: 'tie' });
    await sayOf(store, judged, 'k0', 'ann', {
      satisfied: false, judgment: '"Say" is rude.', spans: [{ start: 0, end: 3, quote: 'Say', response: 0 }], correction: 'Please.',
    });
    await sayOf(store, judged, 'k1', 'ann', { satisfied: true });
    await sayOf(store, judged, 'k1', 'bea', { satisfied: false, judgment: 'No.' });
    await sayOf(store, judged, 'k2', 'ann', { satisfied: false, correction: 'Better.' });
    await sayOf(store, judged, 'k3', 'ann', { satisfied: true, note: 'for us' });
    await sayOf(store, scored, 'k0', 'ann', { scores: { kind: 4, brief: 1 } });
    await sayOf(store, scored, 'k0', 'bea', { scores: { kind: 5, brief: 3 } });

    const preferences = await rows(store, 'preference');
    const byId = (made: readonly object[], id: string): unknown[] => made.filter((row) => (row as { id: string }).id === id);
    // Two and a half of four for the second.
    expect(byId(preferences.rows, 'r0')).toEqual(expect.arrayContaining([
      { id: 'r0', prompt: 'Ask 0', chosen: 'Say 0b', rejected: 'Say 0a', soft_label: 0.625, votes: 4 },
      { id: 'r0', prompt: 'Ask 0', chosen: 'Please.', rejected: 'Say 0a', who: 'ann' },
    ]));
    expect(byId(preferences.rows, 'r1')).toEqual([{ id: 'r1', prompt: 'Ask 1', chosen: 'Say 1a', rejected: 'Say 1b', votes: 1 }]);
    expect(preferences.leftOut['pairs of which neither answer was better']).toBe(1);
    const spoken = { id: 'r0', prompt: 'Ask 0', completion: 'Say 0a', judgment: '"Say" is rude.', satisfied: false, who: 'ann' };
    const spans = [{ quote: 'Say', start: 0, end: 3 }];
    const judgedRows = await rows(store, 'judged');
    expect(byId(judgedRows.rows, 'r0')).toEqual([{ ...spoken, spans }]);
    expect(byId(judgedRows.rows, 'r1')).toMatchObject([{ judgment: null, satisfied: true, who: 'ann' }, { judgment: 'No.', who: 'bea' }]);
    expect(byId(judgedRows.rows, 'r2')).toEqual([]);
    expect(judgedRows.leftOut).toMatchObject({ 'answers that were called bad without words': 1 });
    expect((await rows(store, 'refined')).rows).toEqual([{ ...spoken, refinement: 'Please.', spans }]);
    const labelled = await rows(store, 'labelled');
    expect(labelled.rows.map((row) => (row as { label: boolean }).label).sort()).toEqual([false, false, true]);
    expect(labelled.leftOut['answers of which as many people thought well as ill']).toBe(1);
    expect((await rows(store, 'scored')).rows).toEqual([
      { id: 'r0', prompt: 'Ask 0', completion: 'Say 0a', score: 3.25, scores: { kind: 4.5, brief: 2 } },
    ]);
    store.close();
  });

  it('is on disk when the process is killed', async () => {
    const file = join(folder, 'killed.db');
    const built = fileURLToPath(new URL('../../dist/feedback/annotations.js', import.meta.url));
    const source = `
      const { openAnnotations } = await import(${JSON.stringify(built)});
      const store = await openAnnotations(${JSON.stringify(file)});
      const set = ${JSON.stringify(setOf('pairs'))};
      await store.fill(set, ${JSON.stringify(items(50, 2))});
      for (let place = 0; ; place++) {
        await store.submit({ set, place: place % 50, who: 'ann', said: { choice: 0 }, state: 'given', seconds: 1 });
        process.stdout.write('.');
      }`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = 0;
    child.stdout.on('data', (dots: Buffer) => { said += dots.length; if (said >= 20) child.kill('SIGKILL'); });
    await once(child, 'close');
    const store = await openAnnotations(file);
    // What was acknowledged is there; at most the one that was under way is more.
    const kept = (await store.annotations('pairs')).length;
    expect(kept).toBeGreaterThanOrEqual(Math.min(50, said));
    expect(kept).toBeLessThanOrEqual(Math.min(50, said + 1));
    store.close();
  });
});
