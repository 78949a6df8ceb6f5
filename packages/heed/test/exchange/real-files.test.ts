import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importFiles } from '../../src/exchange/import/import.js';
import { refusals, rows } from './support.js';

/** Files that the tools themselves wrote: fixtures/exchange/README.md says how. */
const file = (name: string): string => join(import.meta.dirname, '../fixtures/exchange', name);
const turns = [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: 'Name a fruit.' }];

describe('a file that its own tool wrote', () => {
  it('inspect: answers of three epochs, two scorers, and a score that is NaN', async () => {
    const found = await importFiles([file('inspect.json.gz')], 'inspect');
    expect(found.refused).toEqual([]);
    expect(rows(found, 'judged', { vote: 'judged' })).toEqual([
      { id: 'fruit/1', prompt: turns, completion: 'Carrot.', judgment: 'A carrot is a root.', satisfied: false },
      { id: 'fruit/2', prompt: turns, completion: 'A pear.', judgment: 'It names a fruit.', satisfied: true },
      { id: 'fruit/3', prompt: turns, completion: 'I think a pear would do.', judgment: 'It names a fruit.', satisfied: true },
    ]);
    expect(rows(found, 'scored')).toMatchObject([{ score: 1 }, { score: 0.5 }]);
    expect(rows(found, 'preference')).toMatchObject([
      { chosen: 'A pear.', rejected: 'Carrot.' }, { chosen: 'I think a pear would do.', rejected: 'Carrot.' },
    ]);
    expect([...found.notes.values()]).toEqual([1]);
  });

  it("OpenTelemetry's SDK: an evaluation finds its span in the other line", async () => {
    const found = await importFiles([file('opentelemetry.jsonl')]);
    expect(rows(found, 'judged')).toEqual([{
      id: 'resp-1', prompt: 'Name a fruit.', completion: 'A carrot, I would say.', judgment: 'A carrot is a root.', satisfied: false,
    }]);
    expect(rows(found, 'scored')).toMatchObject([{ score: 0.25 }]);
    expect(refusals(found)).toEqual({ 'the call is not evaluated': 1 });
  });

  it('promptfoo: passes, a failure, and a provider that was out of order', async () => {
    const found = await importFiles([file('promptfoo.jsonl')]);
    expect(rows(found, 'labelled')).toMatchObject([
      { prompt: 'Name a fruit.', completion: 'A carrot.', label: false }, { prompt: 'Name a fruit.', completion: 'A pear.', label: true },
      { prompt: 'Name a tree.', completion: 'An oak.', label: true },
    ]);
    expect(rows(found, 'preference')).toMatchObject([{ chosen: 'A pear.', rejected: 'A carrot.' }]);
    expect(refusals(found)).toEqual({ 'no answer came: the provider failed': 1 });
  });

  it("Argilla's SDK: drafts and discarded responses are no votes", async () => {
    const fields = new Map(Object.entries({ prompt: 'prompt', completion: 'response', vote: 'good', comment: 'why' }));
    const found = await importFiles([file('argilla.json')], undefined, { labels: new Map(), fields });
    expect(rows(found, 'judged')).toMatchObject([
      { completion: 'Carrot.', judgment: 'A carrot is a root.', satisfied: false },
      { completion: 'A pear.', judgment: null, satisfied: true },
    ]);
    expect(Object.fromEntries(found.notes)).toEqual({ 'responses that are drafts or discarded were left out': 2 });
    expect(found.refused).toEqual([]);
  });
});
