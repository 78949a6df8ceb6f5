import { join } from 'node:path';
import { createClient } from '@libsql/client';
import type { Engine } from '@heed/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ChoiceQuestion, Failure, Respondent, TextQuestion, Usage } from '../../src/judge/respondent.js';
import { createEndpointRespondent } from '../../src/judge/endpoint.js';
import { EndpointOptions } from '../../src/judge/endpoint/options.js';
import { JudgmentsOptions } from '../../src/label/judgments.js';
import { openStore } from '../../src/label/store.js';
import { cached } from '../../src/label/cached.js';
import { openRoundJudge } from '../../src/loop/judging.js';
import type { AlignRecipe } from '../../src/loop/recipe.js';
import { silentProgress } from '../../src/run/progress.js';
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
    const first = cached(fake({ choose: (_, i) => [paidFailure('timeout', 0.5), paidFailure('budget', 0.25), broke('cancelled')][i]! }), store);
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
    const put = async (text: string, cost: number): Promise<unknown> => (await store.put([{ key: 'k', respondent: 'r', question: '{}', reply: { ...said(text), usage: paid(cost) } }])).get('k');
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
    await old.execute(`insert into labels values ('a', 'text', 'r', 'old', 'stop', null, null, null, null, null, 10, 1, 2.0, null, 'then', '{}')`);
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
  const behave = (): void => server.behave(() => ({ ...chatText('It could be "shorter".'), usage: { prompt_tokens: 40, completion_tokens: 20 } }));
  const open = (tokens: number): Respondent => createEndpointRespondent(EndpointOptions.parse({ url: server.url, model: 'm', budget: { tokens }, concurrency: 1 }));

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
    const recipe = {
      judge: { endpoint: EndpointOptions.parse({ url: server.url, model: 'rounds', budget: { tokens: 1500 }, concurrency: 1 }) },
      label: JudgmentsOptions.parse({ name: 'judgments', maxNewTokens: 20 }), store: fresh(), allowedFailures: 1,
    } as unknown as AlignRecipe;
    const judge = await openRoundJudge(recipe, { engine: {} as Engine, progress: silentProgress, say: () => undefined });
    const prompts = [{ source: { file: 'p.jsonl', line: 1 }, prompt: [{ role: 'user' as const, content: 'Hi' }], extra: {} }];
    const round = async (k: number) => judge.judge(Array.from({ length: 12 }, (_, i) => ({ row: 0, sample: i, response: `Round ${k}, answer ${i}.`, finish: 'stop' as const })) as never, prompts, join(folder, `round-${files++}.json`));
    expect((await round(1)).failures).toEqual([]);
    const second = await round(2);
    // 12 · 60 of 1500 are spent, so that at most 13 more fit, and with what a question reserves fewer.
    expect(second.failures.length).toBeGreaterThan(0);
    expect(second.failures.every(({ failure }) => failure === 'budget')).toBe(true);
    expect(60 * server.asked.length).toBeLessThanOrEqual(1500);
    const asked = server.asked.length;
    expect((await round(3)).rows).toEqual([]);
    expect(server.asked).toHaveLength(asked);
  });
});
