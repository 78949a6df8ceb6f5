import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { openPreferring } from '../../src/evaluate/preferred.js';
import { EndpointOptions } from '../../src/judge/endpoint/options.js';
import { PreferencesOptions } from '../../src/label/preferences.js';
import { openReward } from '../../src/reward/open.js';
import { type FaultyServer, chatTop, fail, faultyServer } from '../judge/faulty-server.js';
import { scratchFolder } from '../support/scratch.js';

// What those who ask several servers say of each when they close.
const { folder } = scratchFolder();
let [good, bad]: FaultyServer[] = [];
beforeAll(async () => {
  good = await faultyServer(() => chatTop({ '1': 0.2, '2': 0.2, '9': 0.4, '10': 0.2 }));
  bad = await faultyServer((_, response) => fail(response, 500, {}));
});
const judge = (model: string): { endpoint: EndpointOptions } =>
  ({ endpoint: EndpointOptions.parse({ url: good!.url, replicas: [bad!.url], model, samples: 0, concurrency: 1, backoff: 60 }) });
const items = Array.from({ length: 6 }, (_, i) => ({ prompt: [{ role: 'user' as const, content: 'Hi.' }], response: `Hello ${i}.` }));

it('a panel: the requests of both judges, by server', async () => {
  const said: string[] = [];
  const tools = { log: (line: string) => said.push(line), store: join(folder, 'panel.db') };
  const panel = await openReward({ panel: { judges: [judge('a'), judge('b')] } }, tools);
  // 0.2 · 1 + 0.2 · 2 + 0.4 · 9 + 0.2 · 10 = 6.2 of 10, mapped to −1 … 1.
  const value = expect.closeTo(2 * (6.2 - 1) / 9 - 1, 6) as number;
  for (const rated of await panel.rate(items)) expect(rated).toMatchObject({ value });
  expect(panel.asking).toMatchObject({
    asked: 12,
    servers: [{ url: good!.url, answered: 12, putOff: 0, failed: 0 }, { url: bad!.url, answered: 0, putOff: 0, failed: 6 }],
  });
  await panel.close();
  const lines = [`${good!.url}: 6 requests answered, 0 put off, 0 failed`, `${bad!.url}: 0 requests answered, 0 put off, 3 failed`];
  expect(said.filter((line) => line.includes('requests'))).toEqual([...lines, ...lines]);
  expect(said.filter((line) => line.includes('set aside'))).toHaveLength(2);
});

it('a judge that prefers one of two answers', async () => {
  const said: string[] = [];
  const label = PreferencesOptions.parse({ name: 'preferences' });
  const open = await openPreferring({ judge: judge('c'), label, store: join(folder, 'pairs.db') }, { log: (line) => said.push(line) });
  const source = { file: 'p.jsonl', line: 1 };
  // It gives both places the same probability: a tie.
  const [preferred] = await open.of([{ source, prompt: items[0]!.prompt, extra: {} }], ['Hello.'], ['Go away.']);
  expect(preferred).toMatchObject({ outcome: 'tie', probability: 0.5 });
  await open.close();
  expect(said).toContain(`${good!.url}: 2 requests answered, 0 put off, 0 failed`);
});
