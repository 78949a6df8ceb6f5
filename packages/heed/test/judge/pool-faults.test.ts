import { beforeAll, expect, it } from 'vitest';
import { createEndpointRespondent } from '../../src/judge/endpoint.js';
import { EndpointOptions } from '../../src/judge/endpoint/options.js';
import { failed } from '../../src/judge/respondent.js';
import { createRandom } from '../../src/run/random.js';
import { type Behaviour, type FaultyServer, chatText, fail, faultyServer } from './faulty-server.js';

// Many questions to several servers of one model, some of which do anything but answer.
let [one, two, three, four]: FaultyServer[] = [];
beforeAll(async () => {
  [one, two, three, four] = await Promise.all(['1', '2', '3', '4'].map((text) => faultyServer(() => chatText(text))));
});
const oops: Behaviour = (_, response) => fail(response, 500, { error: { message: 'oops' } });

it('a server that fails in the middle costs no question, and each is answered once', async () => {
  let down = false;
  one!.behave((said, response, count) => {
    down = count >= 10 && count < 20;
    return down ? oops(said, response, count) : chatText(String(said.body['seed']));
  });
  two!.behave(({ body }) => chatText(String(body['seed'])));
  const said: string[] = [];
  const options = EndpointOptions.parse({ url: one!.url, replicas: [two!.url], model: 'm', concurrency: 4, backoff: 0.001 });
  const judge = createEndpointRespondent(options, {}, (line) => said.push(line));
  const times = new Map<number, number>();
  const replies = await judge.write(
    Array.from({ length: 60 }, (_, seed) => ({ messages: [], maxNewTokens: 1, temperature: 0, seed })),
    { onReply: (index) => times.set(index, (times.get(index) ?? 0) + 1) },
  );
  expect(replies.map((reply) => !failed(reply) && 'text' in reply && reply.text)).toEqual(replies.map((_, i) => String(i)));
  expect([...times.values()]).toEqual(replies.map(() => 1));
  const [first, second] = judge.servers!();
  expect(first!.answered + second!.answered).toBe(60);
  expect([first!.failed, second!.failed]).toEqual([one!.asked.length - first!.answered, 0]);
  expect(first!.failed).toBeGreaterThanOrEqual(3);
  expect(said.length).toBeGreaterThanOrEqual(1);
  await judge.close();
});

it.each([1, 2])('whatever three of four servers do, each question is answered once, and every request is counted (%d)', async (seed) => {
  const random = createRandom('faults', seed);
  const answer: Behaviour = ({ body }) => chatText(`to ${String(body['seed'])}`);
  const faults: readonly Behaviour[] = [
    oops, (_, response) => fail(response, 429, {}), (_, response) => fail(response, 503, {}, { 'retry-after-ms': '2' }),
    (_, response) => { response.destroy(); return undefined; }, (_, response) => fail(response, 404, 'lost'),
    (_, response) => fail(response, 200, '{"choices": ['), (_, response) => fail(response, 408, {}),
  ];
  const servers = [one!, two!, three!, four!];
  servers.forEach((server, i) => server.behave(async (...given) => {
    await new Promise((resolve) => setImmediate(resolve));
    return i > 0 && random.int(2) === 0 ? faults[random.int(faults.length)]!(...given) : answer(...given);
  }));
  const said: string[] = [];
  const judge = createEndpointRespondent(EndpointOptions.parse({
    url: one!.url, replicas: [two!.url, { url: three!.url, weight: 2 }, { url: four!.url, weight: 0.5 }],
    model: 'm', concurrency: 2, backoff: 0.001, retries: 0,
  }), {}, (line) => said.push(line));
  let told = 0;
  const questions = Array.from({ length: 60 }, (_, i) => ({ messages: [], maxNewTokens: 2, temperature: 0, seed: i }));
  const replies = await judge.write(questions, { onReply: () => told++ });
  expect(replies).toMatchObject(questions.map((_, i) => ({ text: `to ${i}` })));
  expect(told).toBe(60);
  const counts = judge.servers!();
  const sent = counts.map(({ answered, putOff, failed: without }) => answered + putOff + without);
  expect(sent).toEqual(servers.map((server) => server.asked.length));
  expect(counts.reduce((sum, { answered }) => sum + answered, 0)).toBe(60);
  for (const [i, limit] of [2, 2, 4, 1].entries()) expect(servers[i]!.most).toBeLessThanOrEqual(limit);
  // Said in turn: set aside, answers again, set aside …
  for (const { url } of counts) {
    const own = said.filter((line) => line.startsWith(url)).map((line) => line.includes('set aside'));
    expect(own).toEqual(own.map((_, i) => i % 2 === 0));
  }
  await judge.close();
});
