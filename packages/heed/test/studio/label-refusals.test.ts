import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import type { LabelResults, LabelSetLine } from '../../src/studio/api.js';
import { createStudio } from '../../src/studio/app.js';
import { openContext } from '../../src/studio/context.js';
import { scratchFolder } from '../support/scratch.js';

const { folder } = scratchFolder();
let ask: (path: string, body?: object) => Promise<{ status: number; body: unknown }>;
let id: string;

beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'answers.jsonl'), '{"prompt":"Say hi","completion":"Hello there."}\n');
  const app = createStudio(await openContext(folder, { signal: new AbortController().signal }));
  const headers = { host: '127.0.0.1', 'content-type': 'application/json' };
  ask = async (path, body) => {
    const init = body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) };
    const answer = await app.request(`http://127.0.0.1/api/${path}`, init);
    return { status: answer.status, body: await answer.json() };
  };
  id = ((await ask('label/sets', { files: ['answers.jsonl'], task: 'judgment' })).body as LabelSetLine).id;
});

const submit = (said: object, more: object = {}) =>
  ask('label/submit', { set: id, who: 'ann', place: 0, said, state: 'given', seconds: 1, ...more });
const bad = (span: object): object =>
  ({ satisfied: false, judgment: 'No.', spans: [{ start: 0, end: 5, quote: 'Hello', response: 0, ...span }] });

describe('what cannot have been said', () => {
  it.each([
    ['words that stand elsewhere', bad({ start: 1, end: 6 })], ['words beyond the end', bad({ end: 4000 })],
    ['words of an answer that is not there', bad({ response: 1 })], ['words that end before they begin', bad({ start: 5, end: 2 })],
  ])('is refused: %s', async (_, said) => {
    const { status, body } = await submit(said);
    expect(status).toBe(400);
    expect(body).toMatchObject({ error: { message: expect.stringContaining('"Hello" do not stand at') as string } });
  });

  it('is refused: a name with control characters, and an item that is not there', async () => {
    expect((await submit({ satisfied: true }, { who: 'ann\u0000' })).status).toBe(400);
    expect((await submit({ satisfied: true }, { place: 7 })).status).toBe(404);
  });

  it('leaves nothing behind, and what was said well counts', async () => {
    expect((await submit(bad({}))).status).toBe(200);
    const { body } = await ask(`label/results?set=${id}`);
    const { counts, set } = body as LabelResults;
    expect(set.people).toMatchObject([{ who: 'ann', given: 1 }]);
    expect(counts).toContainEqual({ name: 'with marked words', n: 1 });
  });
});
