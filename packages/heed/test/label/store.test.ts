import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChoiceQuestion, TextQuestion } from '../../src/judge/respondent.js';
import type { Reply } from '../../src/label/record.js';
import { openStore } from '../../src/label/store.js';
import { keyOf } from '../../src/label/record.js';
import { cached } from '../../src/label/cached.js';
import { scratchFolder } from '../support/scratch.js';
import { broke, chose, fake, said, USAGE } from './fake.js';

const { folder } = scratchFolder();
let files = 0;
const fresh = (): string => join(folder, `store-${files++}.db`);

const which = (text: string): ChoiceQuestion => ({ messages: [{ role: 'user', content: text }], answers: ['1', '2'] });
const say = (text: string, more: Partial<TextQuestion> = {}): TextQuestion => ({
  messages: [{ role: 'user', content: text }],
  maxNewTokens: 8,
  temperature: 1,
  seed: 0,
  ...more,
});

describe('the label store', () => {
  it('gives replies back as they were, numbers to the last bit', async () => {
    const store = await openStore(fresh());
    const usage = fc.record(
      { promptTokens: fc.nat(), completionTokens: fc.nat(), milliseconds: fc.double({ min: 0, max: 1e6, noNaN: true }).map((x) => x + 0) },
      { requiredKeys: ['promptTokens', 'completionTokens', 'milliseconds'] },
    );
    const number = fc.double({ max: 0, noNaN: true }).map((x) => x + 0);
    const words = fc.string({ unit: fc.oneof(fc.constantFrom('\0', '"'), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 })) });
    const reply: fc.Arbitrary<Reply> = fc.oneof(
      fc.record(
        {
          logprobs: fc.array(number, { minLength: 2 }),
          texts: fc.array(fc.string({ unit: 'grapheme' })),
          mass: fc.double({ min: 0, max: 1, noNaN: true }).map((x) => x + 0),
          source: fc.constantFrom('logprobs' as const, 'samples' as const),
          usage,
        },
        { requiredKeys: ['logprobs', 'source', 'usage'] },
      ),
      fc.record({ text: words, finish: fc.constantFrom('stop' as const, 'length' as const), usage }),
      fc.record(
        { failure: fc.constantFrom('refused' as const, 'no-logprobs' as const), detail: fc.string(), texts: fc.array(fc.string()), usage },
        { requiredKeys: ['failure', 'detail'] },
      ),
    );
    let serial = 0;
    await fc.assert(fc.asyncProperty(reply, async (one) => {
      const key = `k${serial++}`;
      await store.put([{ key, respondent: 'r', question: '{}', reply: one }]);
      expect((await store.get([key])).get(key)).toEqual(one);
    }), { numRuns: 200 });
    store.close();
  });

  it('keys by who is asked, the prompt, the decoding and the seed, and not by how the question is written down', () => {
    const one = say('Hi', { topP: 0.9 });
    const turned: TextQuestion = { seed: 0, topP: 0.9, temperature: 1, maxNewTokens: 8, messages: [{ content: 'Hi', role: 'user' }] };
    expect(keyOf('r', 'write', one)).toBe(keyOf('r', 'write', turned));
    const others = [
      say('Ho', { topP: 0.9 }),
      say('Hi'),
      say('Hi', { topP: 0.9, seed: 1 }),
      say('Hi', { topP: 0.9, temperature: 0 }),
      say('Hi', { topP: 0.9, begun: 'x' }),
      say('Hi', { topP: 0.9, stop: ['.'] }),
      say('Hi', { topP: 0.9, topK: 1 }),
    ];
    expect(new Set([keyOf('r', 'write', one), keyOf('s', 'write', one), ...others.map((q) => keyOf('r', 'write', q))]).size).toBe(
      others.length + 2,
    );
  });

  it('keys are those of the first version, so that the replies of old stores are found', () => {
    const choice = { messages: [{ role: 'user' as const, content: 'Which?' }], begun: 'Answer=', answers: ['1', '2'] };
    const text = { messages: [{ role: 'user' as const, content: 'Say hi.' }], maxNewTokens: 8, temperature: 0.5, topP: 0.9, seed: 3 };
    // sha256sum of [1,"local:m","choose",[[["user","Which?"]],"Answer=",["1","2"]]] and of the like for the text.
    expect(keyOf('local:m', 'choose', choice)).toBe('65bd4533148ba12f8f0bff5d366af22c1fbd35492715e7a2f7ce7437cab9915c');
    expect(keyOf('local:m', 'write', { ...text, topK: undefined })).toBe(
      'e2d8fd85f2fb65f07cba4b13ccf37d82f9e9dec432be88cde03ecf4de9f77dd1',
    );
  });

  it('keeps the first reply, and replaces failures only', async () => {
    const store = await openStore(fresh());
    const put = async (reply: Reply): Promise<Reply | undefined> =>
      (await store.put([{ key: 'k', respondent: 'r', question: '{}', reply }])).get('k');
    expect(await put(broke())).toMatchObject({ failure: 'timeout' });
    expect(await put(broke('server-error'))).toMatchObject({ failure: 'server-error' });
    expect(await put(said('first'))).toMatchObject({ text: 'first' });
    expect(await put(said('second'))).toMatchObject({ text: 'first' });
    expect(await put(broke())).toMatchObject({ text: 'first' });
    expect(await store.count()).toEqual({ replies: 1, failures: 0 });
    store.close();
  });

  it('refuses what is no label store, and an address that carries a token, without repeating it', async () => {
    const text = join(folder, 'notes.db');
    writeFileSync(text, 'this is not a database, but it is long enough to be taken for one by its name alone. '.repeat(20));
    await expect(openStore(text)).rejects.toThrow(/notes\.db is not a label store/);
    const refused = openStore('libsql://db.example.org/?authToken=geheim');
    await expect(refused).rejects.toThrow(/LIBSQL_AUTH_TOKEN|carries more than a host/);
    await expect(refused).rejects.not.toThrow(/geheim/);
  });
});

describe('a respondent with a store', () => {
  it('asks nothing twice: not in one go, not again, not in another process', async () => {
    const file = fresh();
    const store = await openStore(file);
    const inner = fake({ choose: ({ messages }) => (messages[0]!.content === 'b' ? chose(0.1, 0.9) : chose(0.75, 0.25)) });
    const asked = cached(inner, store);
    const questions = ['a', 'b', 'a', 'c'].map(which);
    const heard: number[] = [];
    const replies = await asked.choose(questions, { onReply: (i) => heard.push(i) });
    expect(replies[1]).toEqual(chose(0.1, 0.9));
    expect(replies[2]).toEqual(replies[0]);
    expect(heard.sort()).toEqual([0, 1, 2, 3]);
    expect(inner.choices).toHaveLength(3);
    expect(asked.usage).toEqual({
      questions: 4,
      reused: 1,
      asked: 3,
      promptTokens: 30,
      completionTokens: 3,
      milliseconds: 6,
      earlier: { promptTokens: 0, completionTokens: 0 },
    });
    store.close();

    const again = cached(fake({}, 'fake'), await openStore(file));
    expect(await again.choose(questions)).toEqual(replies);
    expect(again.usage).toMatchObject({
      questions: 4,
      reused: 4,
      asked: 0,
      promptTokens: 0,
      milliseconds: 0,
      earlier: { promptTokens: 30, completionTokens: 3 },
    });
  });

  it('a choice and a text, another judge and another seed are other questions', async () => {
    const store = await openStore(fresh());
    const script = { choose: () => chose(0.5, 0.5), write: () => said('x') };
    for (const name of ['one', 'two']) {
      const inner = fake(script, name);
      const asked = cached(inner, store);
      await asked.choose([which('a')]);
      await asked.write([say('a'), say('a', { seed: 1 })]);
      expect(inner.choices.length + inner.texts.length).toBe(3);
    }
    expect(await store.count()).toEqual({ replies: 6, failures: 0 });
    store.close();
  });

  it('asks again what a bad day of the server cost, not what cannot be answered; what was not asked is not kept', async () => {
    const store = await openStore(fresh());
    const failures = ['timeout', 'no-such-answer', 'budget'] as const;
    const first = cached(fake({ choose: (_, i) => broke(failures[i]) }), store);
    expect((await first.choose(['t', 'n', 'b'].map(which))).map((r) => 'failure' in r && r.failure)).toEqual([...failures]);
    expect(await store.count()).toEqual({ replies: 2, failures: 2 });
    expect(first.usage).toMatchObject({ asked: 2, reused: 0 });
    const inner = fake({ choose: () => chose(0.5, 0.5) });
    const second = await cached(inner, store).choose(['t', 'n', 'b'].map(which));
    expect(inner.choices.map(({ messages }) => messages[0]!.content)).toEqual(['t', 'b']);
    expect(second[1]).toMatchObject({ failure: 'no-such-answer' });
    expect(await store.count()).toEqual({ replies: 3, failures: 1 });
    store.close();
  });

  it('keeps every reply that came before a crash, and asks the rest', async () => {
    const store = await openStore(fresh());
    const questions = Array.from({ length: 10 }, (_, i) => which(String(i)));
    const crash = fake({ choose: (_, i) => { if (i === 7) throw new Error('power cut'); return chose(0.25, 0.75); } });
    await expect(cached(crash, store).choose(questions)).rejects.toThrow('power cut');
    expect(await store.count()).toEqual({ replies: 7, failures: 0 });
    const rest = fake({ choose: () => chose(0.25, 0.75) });
    const replies = await cached(rest, store).choose(questions);
    expect(rest.choices.map(({ messages }) => messages[0]!.content)).toEqual(['7', '8', '9']);
    expect(replies).toEqual(questions.map(() => chose(0.25, 0.75)));
    store.close();
  });

  it('stops when told to, between chunks', async () => {
    const store = await openStore(fresh());
    const controller = new AbortController();
    const inner = fake({
      choose: (_, i) => {
        if (i === 3) controller.abort();
        return chose(0.5, 0.5);
      },
    });
    const replies = await cached(inner, store, { chunk: 4 }).choose(
      Array.from({ length: 10 }, (_, i) => which(String(i))),
      { signal: controller.signal },
    );
    expect(replies.map((r) => ('failure' in r ? r.failure : 'ok'))).toEqual([
      ...Array<string>(4).fill('ok'),
      ...Array<string>(6).fill('cancelled'),
    ]);
    expect(await store.count()).toEqual({ replies: 4, failures: 0 });
    store.close();
  });

  it('shares work with others at once: each question is asked by one, all get its reply', async () => {
    const file = fresh();
    const questions = Array.from({ length: 300 }, (_, i) => which(String(i)));
    const workers = await Promise.all([0, 1, 2].map(async (worker) => {
      const store = await openStore(file);
      // Each answers in its own way: a reply given by two would show.
      const inner = fake({ choose: () => chose(0.1 * (worker + 1), 0.5) });
      return { inner, store, replies: await cached(inner, store, { chunk: 16 }).choose(questions) };
    }));
    expect(workers.reduce((n, { inner }) => n + inner.choices.length, 0)).toBe(300);
    expect(workers[1]!.replies).toEqual(workers[0]!.replies);
    expect(workers[2]!.replies).toEqual(workers[0]!.replies);
    for (const { store } of workers) store.close();
  });

  it('takes over from one that was not heard of again', async () => {
    const file = fresh();
    const [gone, heir] = [await openStore(file, { leaseMs: 40 }), await openStore(file, { leaseMs: 40 })];
    const questions = ['a', 'b'].map(which);
    await gone.claims.take(questions.map((q) => keyOf('fake', 'choose', q)));
    const inner = fake({ choose: () => chose(0.5, 0.5) });
    expect(await cached(inner, heir).choose(questions)).toHaveLength(2);
    expect(inner.choices).toHaveLength(2);
    gone.close();
    heir.close();
  });
  it('usage is kept with the reply', async () => {
    const store = await openStore(fresh());
    const asked = cached(fake({ write: () => ({ ...said('x'), usage: { ...USAGE, cost: 0.25 } }) }), store);
    await asked.write([say('a'), say('b')]);
    expect(asked.usage.cost).toBe(0.5);
    const [reply] = await cached(fake({}), store).write([say('a')]);
    expect(reply).toMatchObject({ usage: { ...USAGE, cost: 0.25 } });
    store.close();
  });
});
