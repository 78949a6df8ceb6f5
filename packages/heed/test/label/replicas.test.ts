import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import type { LabelReport } from '../../src/label/report.js';
import { heed } from '../cli/support.js';
import { type Behaviour, type FaultyServer, chatTop, fail, faultyServer } from '../judge/faulty-server.js';
import { scratchFolder } from '../support/scratch.js';

// `heed label` with a judge that several servers serve. The first response is preferred if its letters add up to more.
const { folder, write } = scratchFolder();
const servers: FaultyServer[] = [];
const questionOf = (body: Record<string, unknown>): string => (body['messages'] as { content: string }[]).at(-1)!.content;
const answers: Behaviour = ({ body }) => {
  const sum = [...questionOf(body)].reduce((n, c) => n + c.codePointAt(0)!, 0);
  return chatTop(sum % 2 === 0 ? { '1': 0.7, '2': 0.2 } : { '2': 0.6, '1': 0.3 });
};
const down: Behaviour = (_, response) => fail(response, 503, { error: { message: 'loading' } });
let data: string;
beforeAll(async () => {
  for (let i = 0; i < 3; i++) servers.push(await faultyServer(answers));
  const pairs = Array.from({ length: 12 }, (_, i) => ({ prompt: `Name fruit ${i}.`, responses: [`Apple ${i}.`, `Pear, number ${i}.`] }));
  data = write('pairs.jsonl', pairs.map((pair) => `${JSON.stringify(pair)}\n`).join(''));
});

const args = (name: string, replicas: readonly (FaultyServer | undefined)[], ...more: string[]): string[] => [
  'label', 'recipes/label-preferences.yaml', `data=${data}`, `run.dir=${join(folder, name)}`, `store=${join(folder, `${name}.db`)}`,
  `judge={ endpoint: { url: "${servers[0]!.url}", ${
    replicas.length === 0 ? '' : `replicas: [${replicas.map((server) => `"${server!.url}"`).join(', ')}], `
  }model: m, retries: 1, backoff: 0.001, concurrency: 2 } }`,
  '--json', ...more,
];
const rowsOf = (name: string): string => readFileSync(join(folder, name, 'rows.jsonl'), 'utf8');
type Report = LabelReport & { readonly run: string };

it('gives the labels of one server; the report says what each server did', async () => {
  const alone = (await heed(args('alone', []))).json<Report>();
  expect(alone.asking.servers).toEqual([{ url: servers[0]!.url, answered: 24, putOff: 0, failed: 0 }]);

  servers[2]!.behave(down);
  const ran = await heed(args('pool', servers.slice(1)));
  expect(ran.code, ran.err).toBe(0);
  expect(ran.err).toContain(`${servers[2]!.url} is set aside, and tried again from time to time: HTTP 503: loading`);
  expect(rowsOf('pool')).toBe(rowsOf('alone'));
  const { asking: { servers: counts = [] }, judge } = ran.json<Report>();
  expect(judge).toBe(alone.judge);
  expect(counts.map(({ url }) => url)).toEqual(servers.map(({ url }) => url));
  expect(counts[0]!.answered + counts[1]!.answered).toBe(24);
  expect(counts[2]).toMatchObject({ answered: 0, putOff: 0, failed: servers[2]!.asked.length });
  expect(readFileSync(join(folder, 'pool', 'report.html'), 'utf8')).toContain(
    `${servers[2]!.url}: 0 requests answered, 0 put off, ${servers[2]!.asked.length} failed`,
  );

  // The replies are those of the model, whoever gave them: one server asks nothing again, nor do others beside it.
  const store = `store=${join(folder, 'pool.db')}`;
  expect((await heed([...args('again', []), store])).json<Report>().asking).toMatchObject({ asked: 0, reused: 24 });
  expect((await heed([...args('more', [servers[1]]), store])).json<Report>().asking).toMatchObject({ asked: 0, reused: 24 });
});

it('goes on after all servers went down, with other servers beside `url`, and asks nothing twice', async () => {
  let replied = 0;
  const kept = new Set<string>();
  const dies: Behaviour = (asked, response, count) => {
    if (replied++ >= 7) return down(asked, response, count);
    kept.add(questionOf(asked.body));
    return answers(asked, response, count);
  };
  for (const server of servers) server.behave(dies);
  const stopped = await heed(args('down', [servers[1]]));
  expect(stopped.code).not.toBe(0);
  expect(stopped.err).toMatch(/of 12 rows failed \(\d+\.\d %; allowedFailures is 5\.0 %\): server-error \d+/);
  expect(stopped.err).toContain('The same command asks again what a server did not answer, and nothing else.');

  for (const server of servers) server.behave(answers);
  const resumed = await heed(args('down', [servers[2]], '--resume'));
  expect(resumed.code, resumed.err).toBe(0);
  const asked = servers.flatMap((server) => server.asked.map(({ body }) => questionOf(body)));
  expect(asked).toHaveLength(24 - kept.size);
  expect(asked.some((question) => kept.has(question))).toBe(false);
  expect(servers[1]!.asked).toHaveLength(0);
  expect(rowsOf('down')).toBe(rowsOf('alone'));
});
