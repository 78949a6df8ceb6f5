import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createEndpointRespondent } from '../../src/judge/endpoint.js';
import { createBudget } from '../../src/judge/endpoint/budget.js';
import { type EndpointClient, createEndpointClient } from '../../src/judge/endpoint/client.js';
import type { Clock } from '../../src/judge/endpoint/clock.js';
import { createHealth } from '../../src/judge/endpoint/health.js';
import { EndpointOptions } from '../../src/judge/endpoint/options.js';
import { handClock, rushedClock } from './clocks.js';
import { type Behaviour, type FaultyServer, chatText, fail, faultyServer } from './faulty-server.js';

// Several servers of one model behind one judge. Times are those of a clock that only the test moves.
let [one, two]: FaultyServer[] = [];
beforeAll(async () => {
  [one, two] = await Promise.all(['1', '2'].map((text) => faultyServer(() => chatText(text))));
});

let client: EndpointClient | undefined;
let notes: string[] = [];
afterEach(() => client?.close());
const yes: Behaviour = () => chatText('yes');
const oops: Behaviour = (_, response) => fail(response, 500, { error: { message: 'oops' } });
interface Given { readonly clock?: Clock; readonly weight?: number }
function open(options: Partial<EndpointOptions> = {}, { clock = handClock(), weight = 1 }: Given = {}): EndpointClient {
  notes = [];
  const all = EndpointOptions.parse({ url: one!.url, replicas: [{ url: two!.url, weight }], model: 'm', ...options });
  return (client = createEndpointClient(all, { budget: createBudget(all), clock, note: (line) => notes.push(line) }));
}
const post = () => client!.post('/chat/completions', {}, { completion: 1, urgent: false });
/** Posts one request after another. */
async function inTurn(count: number): Promise<void> {
  for (let i = 0; i < count; i++) expect(await post()).toHaveProperty('json');
}
/** Requests that reached each server since its behaviour was set. */
const asked = (): number[] => [one!.asked.length, two!.asked.length];

/** Holds every request until so many are under way at both servers, then answers those. */
function holding(count: number): Behaviour {
  let waiting: (() => void)[] = [];
  return () => new Promise((resolve) => {
    waiting.push(() => resolve(chatText('yes')));
    if (waiting.length < count) return;
    for (const go of waiting) go();
    waiting = [];
  });
}

describe('requests are shared', () => {
  it.each([[1, [10, 10]], [3, [5, 15]], [0.25, [16, 4]]])('one after another, by weight: 1 and %d', async (weight, shares) => {
    for (const server of [one!, two!]) server.behave(yes);
    open({}, { weight });
    await inTurn(20);
    expect(asked()).toEqual(shares);
    expect(client!.counts()).toEqual([one!, two!].map(({ url }, i) => ({ url, answered: shares[i], putOff: 0, failed: 0 })));
  });

  it('side by side, each within its own limit', async () => {
    const both = holding(8);
    for (const server of [one!, two!]) server.behave(both);
    open({ concurrency: 2 }, { weight: 3 });
    const sent = await Promise.all(Array.from({ length: 32 }, () => post()));
    expect(sent.every((reply) => 'json' in reply)).toBe(true);
    // Eight under way, of which six at the stronger one; eight were never there otherwise.
    expect([one!.most, two!.most]).toEqual([2, 6]);
  });

  it('with the server that gets on: a slow one has no more than its limit', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => { release = resolve; });
    one!.behave(async () => {
      await held;
      return chatText('late');
    });
    two!.behave(yes);
    open({ concurrency: 3 });
    let left = 47;
    const sent = Array.from({ length: 50 }, () => post().then(() => {
      if (--left === 0) release();
    }));
    await Promise.all(sent);
    expect(asked()).toEqual([3, 47]);
  });
});

describe('a server that asks for a pause', () => {
  it.each([429, 503])('with %d is left alone, and the other one answers what it put off', async (status) => {
    one!.behave((_, response) => fail(response, status, { error: { message: 'busy' } }, { 'retry-after': '90' }));
    two!.behave(yes);
    const clock = handClock();
    open({ retries: 0 }, { clock });
    await inTurn(10);
    expect(asked()).toEqual([1, 10]);
    clock.advance(89_999);
    await inTurn(1);
    expect(asked()).toEqual([1, 11]);
    one!.behave(yes);
    clock.advance(1);
    await inTurn(10);
    expect(asked()).toEqual([5, 16]);
    expect(client!.counts()).toMatchObject([{ answered: 5, putOff: 1, failed: 0 }, { answered: 16, putOff: 0, failed: 0 }]);
    expect(notes).toEqual([]);
  });

  it('is well, however often it asks, and however short the pause', async () => {
    one!.behave((_, response) => fail(response, 429, {}, { 'retry-after': '0' }));
    two!.behave(yes);
    open();
    await inTurn(5);
    expect(asked()).toEqual([5, 5]);
    expect(client!.counts()).toMatchObject([{ answered: 0, putOff: 5, failed: 0 }, { answered: 5 }]);
    expect(notes).toEqual([]);
  });

  it('is waited for where all do, and not where all ask for more than the patience', async () => {
    const clock = rushedClock();
    const busy = (seconds: string): Behaviour => (asked_, response) =>
      (clock.at === 0 ? fail(response, 429, {}, { 'retry-after': seconds }) : yes(asked_, response, 0));
    one!.behave(busy('90'));
    two!.behave(busy('30'));
    open({}, { clock });
    expect(await post()).toHaveProperty('json');
    expect(clock.at).toBe(30_000);
    expect(asked()).toEqual([1, 2]);

    one!.behave((_, response) => fail(response, 429, {}, { 'retry-after': '3600' }));
    two!.behave((_, response) => fail(response, 429, {}, { 'retry-after': '7200' }));
    open();
    expect(await post()).toMatchObject({ reason: { failure: 'rate-limit' } });
    expect(await post()).toMatchObject({ reason: { failure: 'rate-limit', detail: 'all servers ask for 3600 s of patience' } });
    expect(asked()).toEqual([1, 1]);
  });
});

describe('a server that fails', () => {
  it('is set aside after three failures in a row, tried again after longer and longer pauses, and taken back', async () => {
    one!.behave(oops);
    two!.behave(yes);
    const clock = handClock();
    open({ retries: 0, backoff: 2 }, { clock });
    await inTurn(20);
    expect(asked()).toEqual([3, 20]);
    expect(notes).toEqual([`${one!.url} is set aside, and tried again from time to time: HTTP 500: oops`]);
    // 2 s after it was set aside, then 4 s, then 8 s.
    for (const [seconds, tries] of [[1.999, 3], [0.001, 4], [3.999, 4], [0.001, 5], [7.999, 5]] as const) {
      clock.advance(1000 * seconds);
      await inTurn(2);
      expect(one!.asked).toHaveLength(tries);
    }
    clock.advance(1);
    one!.behave(yes);
    await inTurn(10);
    expect(one!.asked.length).toBeGreaterThan(3);
    expect(notes.slice(1)).toEqual([`${one!.url} answers again.`]);
    const [first, second] = client!.counts();
    expect(first).toMatchObject({ answered: one!.asked.length, failed: 5 });
    expect(first!.answered + second!.answered).toBe(20 + 10 + 10);
  });

  it.each<[string, Behaviour]>([
    ['breaks connections', (_, response) => { response.destroy(); return undefined; }],
    ['gives up waiting', (_, response) => fail(response, 408, {})],
    ['lacks the model', (_, response) => fail(response, 404, { error: { message: 'no model m' } })],
    ['is another kind of server', (_, response) => fail(response, 200, '<!doctype html><p>Welcome')],
  ])('costs no question where another one answers: one that %s', async (_, behaviour) => {
    one!.behave(behaviour);
    two!.behave(yes);
    open({ retries: 0 });
    await inTurn(5);
    expect(asked()).toEqual([3, 5]);
    expect(notes).toHaveLength(1);
  });

  it('by ending is set aside, and taken back when it was started again', async () => {
    const third = await faultyServer(yes);
    two!.behave(yes);
    const clock = handClock();
    open({ url: third.url, retries: 0 }, { clock });
    await inTurn(4);
    expect(third.asked).toHaveLength(2);
    await third.close();
    await inTurn(10);
    expect(notes).toEqual([expect.stringMatching(/ is set aside, .*: the server at \S+ cannot be reached \(ECONNREFUSED\)$/)]);
    const again = await faultyServer(yes, Number(new URL(third.url).port));
    clock.advance(500);
    await inTurn(10);
    expect(again.asked.length).toBeGreaterThan(3);
    expect(notes.slice(1)).toEqual([`${third.url} answers again.`]);
    const [first, second] = client!.counts();
    expect(first).toMatchObject({ answered: 2 + again.asked.length, failed: 3 });
    expect(first!.answered + second!.answered).toBe(24);
  });

  it('does not when it refuses a question: that is an answer, and no other server is asked', async () => {
    for (const server of [one!, two!]) server.behave((_, response) => fail(response, 400, { error: { message: 'not this one' } }));
    open();
    expect(await post()).toMatchObject({ reason: { failure: 'refused' } });
    expect(asked()).toEqual([1, 0]);
    expect(client!.counts()).toMatchObject([{ answered: 1, failed: 0 }, { answered: 0, failed: 0 }]);
  });

  it('is waited for where all fail, as a single one is: each is asked once a try, with the pause between', async () => {
    for (const server of [one!, two!]) server.behave(oops);
    const clock = rushedClock();
    open({ retries: 2, backoff: 10 }, { clock });
    expect(await post()).toMatchObject({ reason: { failure: 'server-error', detail: 'HTTP 500: oops (tried 3 times)' } });
    expect(asked()).toEqual([3, 3]);
    // 10 s and 20 s, each shortened by a quarter at most.
    expect(clock.at).toBeGreaterThan(22_500);
    expect(clock.at).toBeLessThanOrEqual(30_000);
    two!.behave(yes);
    await inTurn(1);
    expect(notes.at(-1)).toBe(`${two!.url} answers again.`);
  });
});

describe('what all servers are told', () => {
  const told = (retries?: number) => client!.everywhere('/load_lora_adapter', { lora_name: 'a', lora_path: '/a' }, { retries });
  const success: Behaviour = (_, response) => {
    response.writeHead(200).end("Success: LoRA adapter 'a' added successfully.");
    return undefined;
  };

  it('reaches each, in words: one that asks for a pause again after it, one that refuses once', async () => {
    const clock = rushedClock();
    open({}, { clock });
    one!.behave((...given) => (given[2] === 0 ? fail(given[1], 503, {}, { 'retry-after': '7' }) : success(...given)));
    two!.behave((_, response) => fail(response, 404, { error: { message: 'No adapter found for /a' } }));
    expect(await told()).toEqual([
      { url: one!.url }, { url: two!.url, reason: { failure: 'server-error', detail: 'HTTP 404: No adapter found for /a', status: 404 } },
    ]);
    expect([asked(), clock.at]).toEqual([[2, 1], 7000]);
    expect(one!.asked[1]).toMatchObject({ path: '/v1/load_lora_adapter', body: { lora_name: 'a', lora_path: '/a' } });
  });

  it('reaches one that is set aside, which is then well again', async () => {
    one!.behave(oops);
    two!.behave(yes);
    open({ retries: 0 });
    while (notes.length === 0) await post();
    one!.behave(success);
    expect(await told(0)).toEqual([{ url: one!.url }, { url: two!.url }]);
    expect(notes.at(-1)).toBe(`${one!.url} answers again.`);
  });
});

it('ends all requests when it is closed: under way, waiting for a place, and waiting for a pause to end', async () => {
  // One asks for a pause, and the other closes the client as soon as it is asked, and says nothing.
  one!.behave((_, response) => fail(response, 429, {}, { 'retry-after': '9' }));
  open({ concurrency: 1, retries: 0 });
  two!.behave(() => {
    client!.close();
    return undefined;
  });
  const sent = Promise.all(Array.from({ length: 4 }, () => post()));
  const reasons = (await sent).map((reply) => 'reason' in reply && reply.reason.failure);
  expect(new Set(reasons)).toEqual(new Set(['cancelled']));
  expect(client!.counts()).toMatchObject([{ answered: 0, failed: 0 }, { answered: 0, putOff: 0, failed: 0 }]);
});

it('a server that fails again and again is set aside for longer and longer, until it has answered twenty in a row', () => {
  const health = createHealth(5);
  const asideFor = (answers: number): number => {
    for (let i = 0; i < answers; i++) health.answered();
    expect([0, 0, 0].map(() => health.failed(1000))).toEqual([false, false, true]);
    return health.asideUntil! - 1000;
  };
  expect([1, 1, 19, 1, 1, 20, 1].map(asideFor)).toEqual([5000, 10_000, 20_000, 40_000, 60_000, 5000, 10_000]);
  // Failures of requests that were sent before say nothing new; the one after the pause does.
  expect([health.failed(5000), health.asideUntil]).toEqual([false, 11_000]);
  expect([health.failed(11_000), health.asideUntil]).toEqual([false, 31_000]);
  expect([health.answered(), health.asideUntil, health.answered()]).toEqual([true, undefined, false]);
});

it('the name, under which replies are kept, is that of `url` alone, and a pool has no other', () => {
  const name = (more: object): string => createEndpointRespondent(EndpointOptions.parse({ url: 'http://a/v1', model: 'm', ...more })).name;
  const single = name({});
  // SHA-256 of ["chat","ask",20,8,false,null], as before there were replicas: stores of then are still read.
  expect(single).toBe('endpoint:http://a/v1 m c3fa9905');
  expect(name({ replicas: ['http://b/v1', { url: 'http://c/v1', weight: 2 }] })).toBe(single);
  expect(name({ replicas: ['http://b/v1'], samples: 3 })).not.toBe(single);
});
