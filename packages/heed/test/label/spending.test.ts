import { join } from 'node:path';
import { createClient } from '@libsql/client';
import { beforeAll, describe, expect, it } from 'vitest';
import { type ChoiceQuestion, type Failure, type Respondent, type TextQuestion, type Usage, failed } from '../../src/judge/respondent.js';
import { createEndpointRespondent } from '../../src/judge/endpoint.js';
import { EndpointOptions } from '../../src/judge/endpoint/options.js';
import { JudgmentsOptions } from '../../src/label/judgments.js';
import { openStore } from '../../src/label/store.js';
import { cached } from '../../src/label/cached.js';
import { rateAnswers } from '../../src/loop/ratings.js';
import { openReward } from '../../src/reward/open.js';
import { rewardOfJudge } from '../../src/reward/options.js';
import { chatText, type FaultyServer, faultyServer } from '../judge/faulty-server.js';
import { scratchFolder } from '../support/scratch.js';
import { broke, chose, fake, said, USAGE } from './fake.js';

// What replies cost is spent once and known for ever: across attempts, runs and rounds.
const { folder } = scratchFolder();
let files = 0;
const fresh = (): string => join(folder, `store-${files++}.db`);
const which = (text: string): ChoiceQuestion => ({ messages: [{ role: 'user', content: text }], answers: ['1', '2'] });
const say = (text: string): TextQuestion => ({ messages: [{ role: 'user', content: text }], maxNewTokens: 8, temperature: 0, seed: 0 });
const paid = (cost: number): Usage => ({ ...USAGE, cost });
const paidFailure = (failure: Failure['failure'], cost: number): Failure => ({ ...broke(failure), usage: paid(cost) });

describe('what questions cost', () => {
  it('counts though no reply came of it, and adds up over the attempts', async () => {
    const store = await openStore(fresh());
    const first = cached(
      fake({ choose: (_, i) => [paidFailure('timeout', 0.5), paidFailure('budget', 0.25), broke('cancelled')][i]! }),
      store,
    );
    await first.choose(['t', 'b', 'c'].map(which));
    expect(first.usage).toMatchObject({ asked: 2, promptTokens: 20, completionTokens: 2, cost: 0.75 });
    expect(await store.spent('fake')).toEqual({ promptTokens: 20, completionTokens: 2 });

    const second = cached(fake({ choose: () => ({ ...chose(0.5, 0.5), usage: paid(2) }) }), store);
    const replies = await second.choose(['t', 'b', 'c'].map(which));
    // This run's own, and apart from it what was spent on the same questions before.
    expect(second.usage).toMatchObject({ asked: 3, cost: 6, earlier: { promptTokens: 20, completionTokens: 2, cost: 0.75 } });
    expect(replies.map(({ usage }) => usage?.cost)).toEqual([2.5, 2.25, 2]);
    expect(await store.spent('fake')).toEqual({ promptTokens: 50, completionTokens: 5 });

    const third = cached(fake({}), store);
    await third.choose(['t', 'b', 'c', 't'].map(which));
    await third.choose(['t'].map(which));
    expect(third.usage).toMatchObject({ reused: 5, asked: 0, promptTokens: 0, earlier: { promptTokens: 50, cost: 6.75 } });
    expect(third.usage.cost).toBeUndefined();
    store.close();
  });

  it('of a reply that came second counts too, though the first one stands', async () => {
    const store = await openStore(fresh());
    const put = async (text: string, cost: number): Promise<unknown> =>
      (await store.put([{ key: 'k', respondent: 'r', question: '{}', reply: { ...said(text), usage: paid(cost) } }])).get('k');
    await put('first', 1);
    expect(await put('second', 2)).toMatchObject({ text: 'first', usage: { cost: 3, promptTokens: 20 } });
    store.close();
  });
});

describe('a store from before samples were kept', () => {
  it('opens, with its replies, and takes new ones; by two at once as well', async () => {
    const file = fresh();
    const old = createClient({ url: `file:${file}` });
    await old.execute(`create table labels (key text primary key, kind text not null, respondent text not null,
      text text, finish text, logprobs text, mass text, source text, failure text, detail text,
      prompt_tokens integer, completion_tokens integer, milliseconds real, cost real, asked_at text not null, question text not null)`);
    await old.execute(
      `insert into labels values ('a', 'text', 'r', 'old', 'stop', null, null, null, null, null, 10, 1, 2.0, null, 'then', '{}')`,
    );
    old.close();
    const [one, two] = await Promise.all([openStore(file), openStore(file)]);
    expect((await one.get(['a'])).get('a')).toEqual(said('old'));
    const sampled = { ...chose(0.5, 0.5), source: 'samples' as const, texts: ['1', 'Score=2'] };
    await one.put([{ key: 'b', respondent: 'r', question: '{}', reply: sampled }]);
    expect((await two.get(['b'])).get('b')).toEqual(sampled);
    one.close();
    two.close();
  });
});

describe('a budget', () => {
  let server: FaultyServer;
  beforeAll(async () => { server = await faultyServer(() => ({})); });
  // 60 tokens a reply.
  const behave = (): void =>
    server.behave(() => ({ ...chatText('It could be "shorter".'), usage: { prompt_tokens: 40, completion_tokens: 20 } }));
  const open = (tokens: number): Respondent =>
    createEndpointRespondent(EndpointOptions.parse({ url: server.url, model: 'm', budget: { tokens }, concurrency: 1 }));

  it('goes on where the last run left it', async () => {
    behave();
    const store = await openStore(fresh());
    const run = async (words: string[]): Promise<(string | undefined)[]> =>
      (await cached(open(300), store).write(words.map(say))).map((reply) => ('failure' in reply ? reply.failure : undefined));
    expect(await run(['a', 'b'])).toEqual([undefined, undefined]);
    // 120 are spent. A question reserves less than 60, so that four more fit at most.
    const more = await run(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']);
    expect(more.slice(0, 3)).toEqual([undefined, undefined, undefined]);
    expect(more.slice(-3)).toEqual(['budget', 'budget', 'budget']);
    const requests = server.asked.length;
    expect(60 * requests).toBeLessThanOrEqual(300);
    expect(await run(['i'])).toEqual(['budget']);
    expect(server.asked).toHaveLength(requests);
    store.close();
  });

  it('is one for all rounds of heed align', async () => {
    behave();
    const endpoint = EndpointOptions.parse({ url: server.url, model: 'rounds', budget: { tokens: 1500 }, concurrency: 1 });
    const reward = await openReward(rewardOfJudge({ endpoint }, JudgmentsOptions.parse({ name: 'judgments', maxNewTokens: 20 })), {
      store: fresh(),
    });
    const round = async (k: number) => {
      const items = Array.from({ length: 12 }, (_, i) => ({
        prompt: [{ role: 'user' as const, content: 'Hi' }],
        response: `Round ${k}, answer ${i}.`,
      }));
      return rateAnswers(join(folder, `round-${files++}.json`), items, reward, 1, {});
    };
    expect((await round(1)).filter(failed)).toEqual([]);
    const second = (await round(2)).filter(failed);
    // 12 · 60 of 1500 are spent, so that at most 13 more fit, and with what a question reserves fewer.
    expect(second.length).toBeGreaterThan(0);
    expect(second.every(({ failure }) => failure === 'budget')).toBe(true);
    expect(60 * server.asked.length).toBeLessThanOrEqual(1500);
    const asked = server.asked.length;
    expect((await round(3)).every(failed)).toBe(true);
    expect(server.asked).toHaveLength(asked);
    await reward.close();
  });
});
