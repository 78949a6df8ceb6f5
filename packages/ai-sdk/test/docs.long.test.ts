/** The programs of docs/ai-sdk.md, against a server with a tiny model. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { feedbackRows } from '@heed/heed/feedback';
import { createJiti } from 'jiti';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openFeedback } from '../../heed/src/feedback/store.js';
import { startServer } from '../../heed/src/serve/server.js';
import { openVoices } from '../../heed/src/serve/voices.js';
import { served } from '../../heed/test/serve/support.js';
import { scratchFolder } from '../../heed/test/support/scratch.js';

const { folder, write } = scratchFolder();
const page = readFileSync(resolve(import.meta.dirname, '../../../docs/ai-sdk.md'), 'utf8');
for (const [, name, text] of page.matchAll(/^```ts\n\/\/ (\S+)\n([^]*?)^```/gm)) write(name!, text!);
const { resolve: found } = createRequire(import.meta.url);
const jiti = createJiti(import.meta.url, {
  alias: {
    ai: found('ai'), '@ai-sdk/openai-compatible': found('@ai-sdk/openai-compatible'),
    '@heed/ai-sdk': resolve(import.meta.dirname, '../src/index.ts'), '@heed/heed/feedback': found('@heed/heed/feedback'),
  },
});

interface Support {
  answer(question: string, ticket: string): Promise<{ text: string; id: string }>;
  thumb(id: string, up: boolean): Promise<string>;
  comment(id: string, words: string, by: string): Promise<string>;
}
interface Served {
  write(question: string, to: (piece: string) => void): Promise<string>;
  thumb(id: string, up: boolean): Promise<string>;
}

const tiny = served();
const file = join(folder, 'feedback.db');
const before = { ...process.env };
let stop: () => Promise<void>;
beforeAll(async () => {
  const { engine, model, adapter } = tiny();
  const voices = await openVoices(engine, model, { name: 'large', adapters: { cut: adapter }, batch: 4 });
  const store = await openFeedback(join(folder, 'served.db'));
  const server = await startServer(voices, { port: 0, feedback: store });
  Object.assign(process.env, { HOSTED_URL: `${server.url}/v1`, HEED_URL: `${server.url}/v1`, FEEDBACK: file });
  stop = async () => {
    await server.stop();
    store.close();
  };
});
afterAll(async () => {
  await stop();
  for (const key of ['HOSTED_URL', 'HEED_URL', 'FEEDBACK']) {
    if (before[key] === undefined) delete process.env[key];
    else process.env[key] = before[key];
  }
});
const answersIn = async (where: string) => {
  const store = await openFeedback(where);
  try {
    return await store.all();
  } finally {
    store.close();
  }
};

it('an app keeps the answers of a hosted model, and what is said of them becomes rows', async () => {
  const { answer, thumb, comment } = await jiti.import<Support>(join(folder, 'support.ts'));
  const { text, id } = await answer('Why?', 'ticket-1');
  await thumb(id, false);
  await comment(id, 'Not a word of it is true.', 'bea');
  const answers = await answersIn(file);
  expect(answers).toMatchObject([{ id, episode: 'ticket-1', model: 'large', feedback: [{}, { tags: { by: 'bea' } }] }]);
  expect(feedbackRows(answers, 'judged').rows).toEqual([
    { id, prompt: 'Why?', completion: text, judgment: 'Not a word of it is true.', satisfied: false },
  ]);
});

it('an app calls a model that Heed serves, which keeps the answer itself', async () => {
  const { write: writeTo, thumb } = await jiti.import<Served>(join(folder, 'served.ts'));
  const pieces: string[] = [];
  const id = await writeTo('Why?', (piece) => { pieces.push(piece); });
  await thumb(id, true);
  const kept = (await answersIn(join(folder, 'served.db'))).filter((one) => one.id === id);
  expect(kept).toMatchObject([{ model: 'cut', completion: pieces.join(''), feedback: [{ metric: 'helpful', value: true }] }]);
});
