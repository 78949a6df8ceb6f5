import { beforeAll, describe, expect, it } from 'vitest';
import { createBudget } from '../../src/judge/endpoint/budget.js';
import { createEndpointClient, type Sent } from '../../src/judge/endpoint/client.js';
import type { Clock } from '../../src/judge/endpoint/clock.js';
import { EndpointOptions } from '../../src/judge/endpoint/options.js';
import { rushedClock } from './clocks.js';
import { type FaultyServer, chatText, fail, faultyServer } from './faulty-server.js';

let server: FaultyServer;
beforeAll(async () => { server = await faultyServer(() => chatText('')); });

function posting(clock: Clock, options: Partial<EndpointOptions>): (count: number) => Promise<Sent[]> {
  const all = EndpointOptions.parse({ url: server.url, model: 'm', ...options });
  const client = createEndpointClient(all, { budget: createBudget(all), clock });
  return (count) =>
    Promise.all(Array.from({ length: count }, () => client.post('/chat/completions', {}, { completion: 1, urgent: false })));
}
const failuresOf = (replies: readonly Sent[]): string[] =>
  replies.flatMap((sent) => ('reason' in sent ? [`${sent.reason.failure}: ${sent.reason.detail}`] : []));
const refuse = (seconds: string) => (_: unknown, response: Parameters<typeof fail>[0]) =>
  fail(response, 429, { error: { message: 'slow down' } }, { 'retry-after': seconds });

describe('a server that asks for patience', () => {
  it('is left alone by all questions for as long as it asks, and then answers them all', async () => {
    const clock = rushedClock();
    server.behave((asked, response) => (clock.at < 90_000 ? refuse('90')(asked, response) : chatText('yes')));
    expect(failuresOf(await posting(clock, { concurrency: 8 })(60))).toEqual([]);
    // Those that were under way when it asked are sent twice.
    expect(server.asked.length).toBeLessThanOrEqual(60 + 8);
    expect(clock.at).toBeGreaterThanOrEqual(90_000);
  });

  it('is sent nothing meanwhile where it asks for more than there is, and asked again after that', async () => {
    const clock = rushedClock();
    server.behave(refuse('3600'));
    const post = posting(clock, { concurrency: 4 });
    const failures = failuresOf(await post(60));
    expect(server.asked.length).toBeLessThanOrEqual(4);
    expect(failures).toHaveLength(60);
    expect(failures[0]).toBe('rate-limit: HTTP 429: slow down (it asks for 3600 s of patience)');
    expect(failures.at(-1)).toBe('rate-limit: the server asks for 3600 s of patience');
    expect(clock.at).toBe(0);
    server.behave(() => chatText('yes'));
    clock.at = 3_000_001;
    expect(failuresOf(await post(1))).toEqual([]); // 599 of the seconds are left: within patience
    expect(clock.at).toBe(3_600_000);
    server.behave(refuse('20'));
    expect(failuresOf(await posting(rushedClock(), { patience: 10, retries: 3 })(1))).toEqual([
      'rate-limit: HTTP 429: slow down (it asks for 20 s of patience)',
    ]);
  });

  it('has not failed, however often it asks: each question is tried as often as the options say', async () => {
    const clock = rushedClock();
    server.behave((_, response) => fail(response, 429, { error: { message: 'slow down' } }));
    expect(failuresOf(await posting(clock, { concurrency: 1, retries: 1 })(20))).toHaveLength(20);
    expect(server.asked).toHaveLength(40);
  });
});
