import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import type { LabelSet, Said, Task } from '../../src/feedback/annotation.js';
import { type AnnotationStore, openAnnotations } from '../../src/feedback/annotations.js';
import { createRandom } from '../../src/run/random.js';
import { disagreements } from '../../src/studio/label/disagreements.js';
import { resultsOf } from '../../src/studio/label/results.js';
import { setLine } from '../../src/studio/label/shown.js';
import { scratchFolder } from '../support/scratch.js';

const { folder } = scratchFolder();
const PEOPLE = ['ann', 'bea', 'cas'];

/** What somebody may say, drawn at random. */
const SAY: Readonly<Record<string, (draw: (n: number) => number) => Said>> = {
  pairs: (draw) => ({ choice: ([0, 1, 'tie'] as const)[draw(3)]!, ...(draw(2) === 0 && { judgment: 'Clearer.' }) }),
  judgment: (draw) => (draw(2) === 0 ? { satisfied: true } : { satisfied: false, judgment: 'Too long.', correction: `Better ${draw(2)}` }),
  scores: (draw) => ({ scores: { kind: 1 + draw(5), brief: 1 + draw(5) } }),
};

interface Filled { readonly store: AnnotationStore; readonly set: LabelSet; readonly again: () => Promise<AnnotationStore> }

async function filled(task: Task, items: number): Promise<Filled> {
  const file = join(folder, `${task}-${items}.db`);
  const store = await openAnnotations(file);
  const principles = task === 'scores' ? ['kind', 'brief'] : [];
  const set: LabelSet = { id: task, name: task, task, files: ['a', 'b'], seed: 3, principles, scale: 5, made: '2026-01-01' };
  await store.fill(set, Array.from({ length: items }, (_, i) => ({
    key: `k${i}`, prompt: [{ role: 'user', content: `Ask ${i}` }], responses: task === 'pairs' ? [`A ${i}`, `B ${i}`] : ['Better 0'],
    ...(task === 'pairs' && { models: ['a', 'b'] }),
  })));
  return { store, set, again: () => openAnnotations(file) };
}

const shown = async (store: AnnotationStore, id: string): Promise<unknown> => {
  const set = (await setLine(store, id))!;
  return [await resultsOf(store, set, { reveal: true }), await disagreements(store, set, { offset: 0, limit: 50 })];
};

describe('counts of what people said', () => {
  it.each(['pairs', 'judgment', 'scores'] as const)('are kept up as if all was counted anew: %s', async (task) => {
    const { store, set, again } = await filled(task, 12);
    const random = createRandom(task);
    for (let n = 0; n < 60; n++) {
      const who = PEOPLE[random.int(3)]!;
      if (random.int(4) === 0) await store.undo(set.id, who);
      else {
        const state = random.int(5) === 0 ? 'skipped' : 'given';
        await store.submit({ set, place: random.int(12), who, said: SAY[task]!((most) => random.int(most)), state, seconds: 1 });
      }
      if (n % 6 !== 0) continue;
      const fresh = await again();
      expect(await shown(store, set.id)).toEqual(await shown(fresh, set.id));
      fresh.close();
    }
    store.close();
  });

  it('say how far they are where a set is large, and then the same', async () => {
    const { store, set } = await filled('pairs', 1200);
    for (const who of ['ann', 'bea']) await store.submit({ set, place: 700, who, said: { choice: 1 }, state: 'given', seconds: 1 });
    const line = (await setLine(store, set.id))!;
    expect(await resultsOf(store, line, { reveal: false, patience: 0 })).toMatchObject({ counting: { of: 1200 } });
    expect(await resultsOf(store, line, { reveal: true })).toMatchObject({
      agreement: [{ both: 1, pairs: [{ a: 'ann', b: 'bea', n: 1, same: 1 }] }], outcome: { models: ['a', 'b'], wins: [0, 2], ties: 0 },
    });
    store.close();
  });
});
