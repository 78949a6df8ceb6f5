import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type ChoiceQuestion,
  type ChoiceReply,
  type Failure,
  type Respondent,
  type TextQuestion,
  failed,
} from '../../src/judge/respondent.js';
import { createEndpointRespondent } from '../../src/judge/endpoint.js';
import { EndpointOptions } from '../../src/judge/endpoint/options.js';
import { type FaultyServer, chatPlaces, chatText, chatTop, fail, faultyServer, textTop } from './faulty-server.js';

let server: FaultyServer;
let judge: Respondent | undefined;
beforeAll(async () => { server = await faultyServer(() => chatText('')); });
afterEach(async () => {
  await judge?.close();
  judge = undefined;
});

const open = (options: Partial<EndpointOptions> = {}, environment = {}): Respondent =>
  (judge = createEndpointRespondent(
    EndpointOptions.parse({ url: server.url, model: 'm', backoff: 0.001, timeout: 5, ...options }),
    environment,
  ));
const choice = (answers: readonly string[] = ['1', '2'], more: Partial<ChoiceQuestion> = {}): ChoiceQuestion => ({
  messages: [{ role: 'user', content: 'Which?' }],
  answers,
  ...more,
});
const text: TextQuestion = { messages: [{ role: 'user', content: 'Say.' }], maxNewTokens: 20, temperature: 0, seed: 3 };
const probabilities = (reply: ChoiceReply | Failure): number[] => {
  if (failed(reply)) throw new Error(`${reply.failure}: ${reply.detail}`);
  return reply.logprobs.map((p) => Math.round(1e6 * Math.exp(p)) / 1e6);
};
/** How the one question fails. */
const failure = async (options: Partial<EndpointOptions> = {}): Promise<Failure> => {
  const [reply] = await open({ retries: 1, ...options }).choose([choice()]);
  if (!failed(reply!)) throw new Error(JSON.stringify(reply));
  return reply;
};

describe('choices from log-probabilities', () => {
  it('reads the probabilities of the answers, and bills what they took', async () => {
    server.behave(() => chatTop({ '1': 0.6, '2': 0.3, Sure: 0.05 }));
    const [reply] = await open({ prices: { prompt: 2, completion: 10, currency: 'USD' } }).choose([choice()]);
    expect(probabilities(reply!)).toEqual([0.6, 0.3]);
    expect(reply).toMatchObject({ source: 'logprobs', usage: { promptTokens: 10, completionTokens: 1, cost: 3e-5 } });
    expect((reply as ChoiceReply).mass).toBeCloseTo(0.9, 6);
    expect(server.asked[0]).toMatchObject({
      path: '/v1/chat/completions',
      body: { model: 'm', logprobs: true, top_logprobs: 20, max_tokens: 1, messages: [{ role: 'user', content: 'Which?' }] },
    });
  });

  it('gives an answer beyond the listed tokens the upper bound of its probability', async () => {
    server.behave(() => chatTop({ '1': 0.6, Sure: 0.2, No: 0.1 }));
    expect(probabilities((await open().choose([choice()]))[0]!)).toEqual([0.6, 0.1]);
  });

  it('lets spaces before the answers pass', async () => {
    server.behave(() => chatTop({ ' 1': 0.5, ' 2': 0.2, '\n1': 0.1 }));
    expect(probabilities((await open().choose([choice()]))[0]!)).toEqual([0.6, 0.2]);
    server.behave(() => chatTop({ ' 1': 0.5, '2': 0.2 }));
    expect(probabilities((await open().choose([choice()]))[0]!)).toEqual([0.5, 0.2]);
  });

  it('fails where the tokens are other ones, and says which', async () => {
    server.behave(() => chatTop({ Sure: 0.9, I: 0.05 }));
    expect(await failure()).toMatchObject({
      failure: 'no-such-answer',
      detail: expect.stringContaining('"Sure" 0.90, "I" 0.050') as string,
      usage: { promptTokens: 10 },
    });
  });

  it('tells "1" from "10", whether that is one token or two', async () => {
    const answers = ['1', '2', '10'];
    server.behave(() => chatTop({ '1': 0.5, '2': 0.2, '10': 0.1 }));
    expect(probabilities((await open({ samples: 0 }).choose([choice(answers)]))[0]!)).toEqual([0.5, 0.2, 0.1]);
    // Two tokens: the server is asked to go on.
    server.behave(({ body }) =>
      (body['prompt'] as string).endsWith('=1') ? textTop({ '0': 0.25, '\n': 0.75 }) : textTop({ '1': 0.4, '2': 0.2 }),
    );
    const [reply] = await open({ api: 'completions' }).choose([choice(answers, { begun: 'Score=' })]);
    expect(probabilities(reply!)).toEqual([0.3, 0.2, 0.1]);
    expect(server.asked.map(({ path, body }) => [path, body['prompt'], body['logprobs']])).toEqual([
      ['/v1/completions', 'Which?\nScore=', 5],
      ['/v1/completions', 'Which?\nScore=1', 5],
    ]);
    expect(reply).toMatchObject({ usage: { promptTokens: 20 } });
    // A server that cannot be asked to go on: not answered, or by samples.
    server.behave(({ body }) => (body['logprobs'] === true ? chatTop({ '1': 0.4, '2': 0.2 }) : chatText('10', '2', '1', '1')));
    expect((await open({ samples: 0 }).choose([choice(answers)]))[0]).toMatchObject({
      failure: 'no-such-answer',
      detail: expect.stringContaining('"1" may go on to "10"') as string,
    });
    expect((await open({ samples: 4 }).choose([choice(answers)]))[0]).toMatchObject({
      source: 'samples',
      logprobs: [Math.log(0.5), Math.log(0.25), Math.log(0.25)],
    });
  });

  it('follows answers of several tokens along every way to write them', async () => {
    server.behave(({ body }) => {
      const { content } = (body['messages'] as { content: string }[]).at(-1)!;
      if (content === 'A: ') return chatTop({ satis: 0.5, s: 0.1, un: 0.3 });
      return /uns?$/.test(content) ? chatTop({ satisfied: 0.9 }) : chatTop({ fied: 0.8, atisfied: 0.5 });
    });
    const [reply] = await open({ begun: 'continue' }).choose([choice(['satisfied', 'unsatisfied'], { begun: 'A: ' })]);
    expect(probabilities(reply!)).toEqual([0.45, 0.27]);
    expect(server.asked.map(({ body }) => (body['messages'] as { content: string }[]).at(-1)!.content)).toEqual([
      'A: ',
      'A: satis',
      'A: un',
      'A: s',
    ]);
    expect(server.asked[1]!.body).toMatchObject({ continue_final_message: true, add_generation_prompt: false });
  });

  it('puts what is begun at the end of the question where a server continues nothing', async () => {
    server.behave(() => chatTop({ '1': 0.6, '2': 0.3 }));
    await open().choose([choice(['1', '2'], { begun: 'Preferred=' })]);
    expect(server.asked[0]!.body['messages']).toEqual([{ role: 'user', content: 'Which?\nPreferred=' }]);
  });
});

describe('a model that says first how its answer begins', () => {
  const begun = { begun: 'Preferred Response=' };
  const echo = [
    ['Preferred', { Preferred: 0.9, '1': 0.08, '2': 0.01 }],
    [' Response', { ' Response': 1 }],
    ['=', { '=': 0.8, ':': 0.2 }],
  ] as const;

  it('is let go on to its answer, and read there; the next question at once', async () => {
    server.behave(({ body }) => (body['max_tokens'] === 1 ? chatTop(echo[0][1]) : chatPlaces(...echo, ['2', { '2': 0.75, '1': 0.125 }])));
    const judge = open({ concurrency: 1 });
    for (let i = 0; i < 2; i++) {
      const [reply] = await judge.choose([choice(['1', '2'], begun)]);
      expect(probabilities(reply!)).toEqual([0.125, 0.75]);
      expect(reply).toMatchObject({ source: 'logprobs', mass: expect.closeTo(0.875, 9) as number });
    }
    expect(server.asked.map(({ body }) => body['max_tokens'])).toEqual([1, 16, 16]);
    // One that answers at once is read there, whatever was said this time.
    server.behave(() => chatPlaces(['Preferred', { Preferred: 0.3, '1': 0.4, '2': 0.2 }], ...echo.slice(1), ['2', { '2': 1 }]));
    expect(probabilities((await judge.choose([choice(['1', '2'], begun)]))[0]!)).toEqual([0.4, 0.2]);
  });

  it('is sampled where its answer is not found', async () => {
    server.behave(({ body }) =>
      body['logprobs'] === true
        ? chatTop(echo[0][1])
        : chatText('Preferred Response=2', 'Preferred Response=1', 'Preferred Response=2', '2'),
    );
    expect((await open({ samples: 4 }).choose([choice(['1', '2'], begun)]))[0]).toMatchObject({
      source: 'samples',
      logprobs: [Math.log(0.25), Math.log(0.75)],
    });
  });
});

describe('choices from samples', () => {
  it('takes shares of samples where there are no log-probabilities, and asks for them once only', async () => {
    server.behave(({ body }) => (body['n'] === undefined ? chatText('1') : chatText('1', '"1"', '2.', 'Maybe')));
    const replies = await open({ samples: 4, concurrency: 1 }).choose([choice(), choice()]);
    for (const reply of replies)
      expect(reply).toMatchObject({
        source: 'samples',
        logprobs: [Math.log(2 / 3), Math.log(1 / 3)],
        mass: 0.75,
        texts: ['1', '"1"', '2.', 'Maybe'],
      });
    expect(server.asked.filter(({ body }) => body['logprobs'] === true).length).toBeLessThanOrEqual(2);
    expect((await judge!.choose([choice()]))[0]).toMatchObject({ source: 'samples' });
    expect(server.asked.at(-1)!.body).toMatchObject({ n: 4, temperature: 1 });
  });

  it('asks one by one where a server gives one of several samples, each with a seed of its own', async () => {
    server.behave(({ body }) => chatText(body['seed'] === 1 ? '2' : '1'));
    expect((await open({ samples: 4, topLogprobs: 0 }).choose([choice()]))[0]).toMatchObject({
      logprobs: [Math.log(0.75), Math.log(0.25)],
    });
    expect(server.asked.map(({ body }) => [body['n'], body['seed']])).toEqual([
      [4, 0],
      [undefined, 1],
      [undefined, 2],
      [undefined, 3],
    ]);
  });

  it('holds samples to a schema where the server can, and does without where it cannot', async () => {
    server.behave(() => chatText('{"answer": "2"}', '{"answer": "2"}'));
    expect((await open({ samples: 2, topLogprobs: 0, structured: true }).choose([choice()]))[0]).toMatchObject({
      logprobs: [-Infinity, 0],
    });
    expect(server.asked[0]!.body['response_format']).toMatchObject({
      type: 'json_schema',
      json_schema: { schema: { properties: { answer: { enum: ['1', '2'] } } } },
    });
    server.behave(({ body }, response) =>
      body['response_format'] ? fail(response, 400, { error: { message: 'response_format is not supported' } }) : chatText('1', '1'),
    );
    expect((await open({ samples: 2, topLogprobs: 0, structured: true }).choose([choice()]))[0]).toMatchObject({
      logprobs: [0, -Infinity],
    });
  });

  it('goes on with samples where the server refuses log-probabilities, and fails where none are allowed', async () => {
    server.behave(({ body }, response) =>
      body['logprobs'] === true
        ? fail(response, 400, { error: { message: "'logprobs' is not supported with this model" } })
        : chatText('1'),
    );
    expect((await open({ samples: 1 }).choose([choice()]))[0]).toMatchObject({ source: 'samples', logprobs: [0, -Infinity] });
    expect(await failure({ samples: 0 })).toMatchObject({ failure: 'no-logprobs' });
    server.behave(() => chatText('neither of them', 'well'));
    expect(await failure({ samples: 2, topLogprobs: 0 })).toMatchObject({
      failure: 'no-such-answer',
      detail: 'none of 2 samples gives one of the answers; the last says "well"',
      texts: ['neither of them', 'well'],
    });
  });

  it('an empty reply without log-probabilities says nothing of the server: the next question asks for them', async () => {
    server.behave(({ body }, _, count) => {
      if (body['logprobs'] !== true) return chatText('1');
      return count === 0 ? chatText('') : chatTop({ '1': 0.6, '2': 0.3 });
    });
    const replies = await open({ samples: 1, concurrency: 1 }).choose([choice(), choice()]);
    expect(replies).toMatchObject([{ source: 'samples' }, { source: 'logprobs' }]);
  });
});

describe('text', () => {
  it('asks as the question says, and tells an end from a limit', async () => {
    server.behave(({ body }) => ({
      ...chatText('Hello'),
      ...(body['seed'] === 4 ? { choices: [{ message: { content: 'Hel' }, finish_reason: 'length' }] } : {}),
    }));
    const replies = await open().write([
      { ...text, topP: 0.9, stop: ['\n'] },
      { ...text, seed: 4 },
    ]);
    expect(replies).toMatchObject([
      { text: 'Hello', finish: 'stop', usage: { promptTokens: 10, completionTokens: 1 } },
      { text: 'Hel', finish: 'length' },
    ]);
    expect(server.asked.find(({ body }) => body['seed'] === 3)!.body).toMatchObject({
      max_tokens: 20,
      temperature: 0,
      top_p: 0.9,
      stop: ['\n'],
    });
    server.behave(({ body }, response) =>
      body['max_tokens'] === undefined
        ? chatText('Hi')
        : fail(response, 400, { error: { message: "Use 'max_completion_tokens' instead." } }),
    );
    expect(await open().write([text])).toMatchObject([{ text: 'Hi' }]);
    server.behave(() => ({ choices: [{ message: { content: null, refusal: 'I cannot.' }, finish_reason: 'stop' }] }));
    expect(await open().write([text])).toMatchObject([{ failure: 'refused', detail: 'I cannot.' }]);
  });

  it('answers in the order of the questions, at most so many at a time, each reported at once', async () => {
    const waiting: (() => void)[] = [];
    server.behave(({ body }) => new Promise((resolve) => {
      waiting.push(() => resolve(chatText(`answer ${String(body['seed'])}`)));
      // The later ones are answered first.
      if (waiting.length === 3) for (const go of waiting.splice(0).reverse()) go();
    }));
    const seen: number[] = [];
    const replies = await open({ concurrency: 3 }).write(
      Array.from({ length: 9 }, (_, seed) => ({ ...text, seed })),
      { onReply: (index) => seen.push(index) },
    );
    expect(replies.map((reply) => 'text' in reply && reply.text)).toEqual(Array.from({ length: 9 }, (_, seed) => `answer ${seed}`));
    expect(seen).toHaveLength(9);
    expect(server.most).toBe(3);
  });
});

describe('faults', () => {
  it('rides out a storm of 429, leaving the server alone as long as it asks', async () => {
    server.behave((_, response, count) =>
      count < 12 ? fail(response, 429, { error: { message: 'slow down' } }, { 'retry-after-ms': '1' }) : chatTop({ '1': 0.6, '2': 0.3 }),
    );
    const replies = await open({ concurrency: 4, retries: 20 }).choose(Array.from({ length: 8 }, () => choice()));
    expect(replies.every((reply) => !failed(reply))).toBe(true);
    server.behave((_, response) => fail(response, 429, { error: { message: 'slow down' } }));
    expect(await failure()).toMatchObject({ failure: 'rate-limit', detail: 'HTTP 429: slow down (tried 2 times)' });
    server.behave((_, response) => fail(response, 429, { error: { message: 'slow down' } }, { 'retry-after': '3600' }));
    expect(await failure()).toMatchObject({ failure: 'rate-limit', detail: 'HTTP 429: slow down (it asks for 3600 s of patience)' });
  });

  it.each([408, 500, 502, 503])('tries again after %i', async (status) => {
    server.behave((_, response, count) => (count < 2 ? fail(response, status, '<html>oops</html>') : chatTop({ '1': 0.6, '2': 0.3 })));
    expect(probabilities((await open().choose([choice()]))[0]!)).toEqual([0.6, 0.3]);
    expect(server.asked).toHaveLength(3);
  });

  it.each([
    [400, 'refused'], [401, 'server-error'], [404, 'server-error'], [413, 'too-long'],
  ] as const)('does not try again after %i', async (status, kind) => {
    server.behave((_, response) => fail(response, status, { error: { message: 'no' } }));
    expect(await failure()).toMatchObject({ failure: kind, detail: `HTTP ${status}: no` });
    expect(server.asked).toHaveLength(1);
  });

  it('knows a context that is too long', async () => {
    server.behave((_, response) =>
      fail(response, 400, { error: { message: "This model's maximum context length is 4096 tokens", code: 'context_length_exceeded' } }),
    );
    expect(await failure()).toMatchObject({ failure: 'too-long' });
  });

  it('names a server that is down, and one that breaks off in the middle', async () => {
    const down = await faultyServer(() => ({}));
    await down.close();
    expect(await failure({ url: down.url })).toMatchObject({
      failure: 'server-error',
      detail: `the server at ${down.url} cannot be reached (ECONNREFUSED) (tried 2 times)`,
    });
    server.behave((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' }).write('{"choices": [');
      response.socket!.end();
      return undefined;
    });
    expect(await failure()).toMatchObject({
      failure: 'server-error',
      detail: expect.stringMatching(/^the connection to http\S+ broke .* \(tried 2 times\)$/) as string,
    });
  });

  it('gives up on a server that is slow, before its first byte or in the middle', async () => {
    server.behave(() => undefined);
    expect(await failure({ timeout: 0.05, retries: 0 })).toMatchObject({ failure: 'timeout', detail: 'no complete reply within 0.05 s' });
    server.behave((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write('{"choices": [');
      return undefined;
    });
    expect(await failure({ timeout: 0.05, retries: 0 })).toMatchObject({ failure: 'timeout' });
  });

  it.each([
    ['HTML', 'text/html', '<!doctype html><p>Welcome', /^the reply is HTML and not JSON: is the url/],
    ['HTML that says it is JSON', 'application/json', '<html></html>', /^the reply is not JSON/],
    ['half of a JSON', 'application/json', '{"choices": [', /^the reply is not JSON/],
    ['a list', 'application/json', '[1]', /^the reply is \[1\] and not an object/],
    ['nothing', 'application/json', '', /^the reply is (empty|not JSON)/],
    ['another object', 'application/json', '{"ok": true}', /^the reply lacks what it should have: choices:/],
    ['no choices', 'application/json', '{"choices": []}', /^the reply lacks what it should have: choices:/],
    ['an error that says it is none', 'application/json', '{"error": {"message": "overloaded"}}', /^the reply is an error: overloaded/],
    ['bytes that are not UTF-8', 'application/json', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22]), /^the reply is not UTF-8/],
  ])('refuses %s', async (_, type, body, detail) => {
    server.behave((_, response) => {
      response.writeHead(200, { 'content-type': type }).end(body);
      return undefined;
    });
    expect(await failure()).toMatchObject({ failure: 'bad-response', detail: expect.stringMatching(detail) as string });
  });

  it('reads JSON that does not say so', async () => {
    server.behave((_, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' }).end(JSON.stringify(chatTop({ '1': 0.6, '2': 0.3 })));
      return undefined;
    });
    expect(probabilities((await open().choose([choice()]))[0]!)).toEqual([0.6, 0.3]);
  });

  it('fails one question and answers the others', async () => {
    server.behave(({ body }, response) =>
      body['seed'] === 1 ? fail(response, 400, { error: { message: 'not this one' } }) : chatText('yes'),
    );
    expect(await open().write([0, 1, 2].map((seed) => ({ ...text, seed })))).toMatchObject([
      { text: 'yes' },
      { failure: 'refused' },
      { text: 'yes' },
    ]);
  });

  it('stops trying again once a server has failed question after question', async () => {
    server.behave((_, response) => fail(response, 500, {}));
    await open({ retries: 3, concurrency: 1 }).write(Array.from({ length: 20 }, (_, seed) => ({ ...text, seed })));
    // Eight of them four times, those that were waiting by then, and the others once.
    expect(server.asked.length).toBeLessThan(60);
  });

  it('stops when it is told to', async () => {
    const abort = new AbortController();
    server.behave(() => {
      abort.abort();
      return undefined;
    });
    const replies = await open({ concurrency: 1 }).write([text, text, text], { signal: abort.signal });
    expect(replies.map((reply) => failed(reply) && reply.failure)).toEqual(['cancelled', 'cancelled', 'cancelled']);
    expect(server.asked).toHaveLength(1);
  });
});

describe('limits', () => {
  it('spends no more than the budget, whatever is under way', async () => {
    server.behave(() => ({ ...chatText('x'), usage: { prompt_tokens: 40, completion_tokens: 20 } }));
    const replies = await open({ budget: { tokens: 300 }, concurrency: 8 }).write(
      Array.from({ length: 20 }, (_, seed) => ({ ...text, seed })),
    );
    const answered = replies.filter((reply) => !failed(reply));
    expect(answered.length).toBeGreaterThan(1);
    expect(60 * answered.length).toBeLessThanOrEqual(300);
    expect(server.asked).toHaveLength(answered.length);
    expect(replies.at(-1)).toMatchObject({
      failure: 'budget',
      detail: expect.stringMatching(/^the budget of 300 tokens does not reach/) as string,
    });
    const paid = await open({ budget: { money: 0.001 }, prices: { prompt: 10, completion: 10, currency: 'EUR' }, concurrency: 1 }).write(
      Array.from({ length: 5 }, (_, seed) => ({ ...text, seed })),
    );
    expect(paid.map((reply) => (failed(reply) ? reply.failure : reply.usage.cost))).toEqual([
      0.0006,
      'budget',
      'budget',
      'budget',
      'budget',
    ]);
    expect(paid[1]).toMatchObject({ detail: expect.stringMatching(/^the budget of 0.001 EUR .* 0.0006 EUR are spent/) as string });
  });

  it('counts what earlier runs spent, in tokens and in money', async () => {
    server.behave(() => ({ ...chatText('x'), usage: { prompt_tokens: 40, completion_tokens: 20 } }));
    const ask = async (options: Partial<EndpointOptions>): Promise<Failure | undefined> => {
      const asked = open(options);
      asked.spentBefore!({ promptTokens: 200, completionTokens: 90 });
      const [reply] = await asked.write([text]);
      return failed(reply!) ? reply : undefined;
    };
    expect(await ask({ budget: { tokens: 300 } })).toMatchObject({
      failure: 'budget',
      detail: expect.stringContaining('290 are spent, those of earlier runs with this store included, 0 under way') as string,
    });
    expect(await ask({ budget: { tokens: 400 } })).toBeUndefined();
    // 200 · 2 + 90 · 10 a million: 0.0013 EUR.
    expect(await ask({ budget: { money: 0.0014 }, prices: { prompt: 2, completion: 10, currency: 'EUR' } })).toMatchObject({
      failure: 'budget',
      detail: expect.stringContaining('0.0013 EUR are spent, those of earlier runs') as string,
    });
    expect(open().spentBefore).toBeUndefined();
  });

  it('keeps to so many requests an interval, and lets go of those that wait when it is stopped', async () => {
    server.behave(() => chatText('x'));
    const abort = new AbortController();
    let answered = 0;
    const replies = await open({ rate: { requests: 2, seconds: 3600 } }).write(
      Array.from({ length: 5 }, (_, seed) => ({ ...text, seed })),
      {
        signal: abort.signal,
        onReply: (_, reply) => {
          if (!failed(reply) && ++answered === 2) abort.abort();
        },
      },
    );
    expect(server.asked).toHaveLength(2);
    expect(replies.map((reply) => (failed(reply) ? reply.failure : 'answered')).sort()).toEqual([
      'answered',
      'answered',
      'cancelled',
      'cancelled',
      'cancelled',
    ]);
  });
});

describe('keys', () => {
  it('come from the environment, and never show in names, replies or failures', async () => {
    const key = 'sk-verysecret123456';
    server.behave(({ headers }, response) =>
      fail(response, 401, { error: { message: `Incorrect API key provided: ${headers.authorization}, also ${key}` } }),
    );
    const [reply] = await open({ keyFrom: 'MY_KEY' }, { MY_KEY: key }).choose([choice()]);
    expect(server.asked[0]!.headers.authorization).toBe(`Bearer ${key}`);
    expect(reply).toMatchObject({ failure: 'server-error', detail: 'HTTP 401: Incorrect API key provided: Bearer [key] also [key]' });
    expect(JSON.stringify(reply) + judge!.name).not.toContain('verysecret');
    server.behave(() => ({ error: { message: `bad key ${key}` } }));
    expect(await open({ keyFrom: 'MY_KEY' }, { MY_KEY: key }).choose([choice()])).toMatchObject([
      { failure: 'bad-response', detail: 'the reply is an error: bad key [key]' },
    ]);
    expect(() => open({ keyFrom: 'MISSING' })).toThrow('The environment variable MISSING, which holds the key of');
    process.env['OPENAI_API_KEY'] = 'sk-not-asked-for';
    try {
      await open().choose([choice()]);
      expect(server.asked.at(-1)!.headers.authorization).toBe('Bearer none');
    } finally {
      delete process.env['OPENAI_API_KEY'];
    }
  });

  it('belong to no name, which changes with what changes replies', () => {
    const names = [
      {},
      { api: 'completions' as const },
      { begun: 'message' as const },
      { samples: 3 },
      { extra: { a: 1 } },
      { concurrency: 2, retries: 1, timeout: 3 },
    ].map((options) => open(options).name);
    expect(new Set(names).size).toBe(5);
    expect(names[5]).toBe(names[0]);
    expect(names[0]).toContain(`endpoint:${server.url} m `);
  });
});
