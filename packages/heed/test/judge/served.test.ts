import { describe, expect, it } from 'vitest';
import { type TextReply, failed } from '../../src/judge/respondent.js';
import { createEndpointRespondent } from '../../src/judge/endpoint.js';
import { createLocalRespondent } from '../../src/judge/local.js';
import { EndpointOptions } from '../../src/judge/endpoint/options.js';
import { served } from '../serve/support.js';

// The endpoint judge through our own server, for real, says what the local judge says of the same weights.
const tiny = served();
const open = (options: object) =>
  createEndpointRespondent(EndpointOptions.parse({ url: `${tiny().server.url}/v1`, model: 'tiny', samples: 0, retries: 0, ...options }));

describe('the endpoint judge against heed serve', () => {
  it.each([
    { api: 'chat', begun: undefined, settings: {} },
    { api: 'chat', begun: 'Better=', settings: { begun: 'continue' } },
  ])('chooses as the local judge does ($api, begun: $begun)', async ({ begun, settings }) => {
    const messages = [{ role: 'user' as const, content: 'Which is better?' }];
    const { client, model, engine } = tiny();
    // The model knows nothing: the answers are what it is likely to say.
    const asked =
      begun === undefined
        ? { messages }
        : {
            messages: [...messages, { role: 'assistant' as const, content: begun }],
            continue_final_message: true,
            add_generation_prompt: false,
          };
    const { choices } = await client.chat.completions.create({
      model: 'tiny',
      ...asked,
      max_tokens: 1,
      logprobs: true,
      top_logprobs: 20,
      temperature: 1,
    });
    const printable = choices[0]!.logprobs!.content![0]!.top_logprobs.map(({ token }) => token).filter((token) => /^[!-~]$/.test(token));
    const answers = printable.slice(0, 2);
    expect(answers).toHaveLength(2);
    const question = { messages, answers, ...(begun === undefined ? {} : { begun }) };
    const [local, remote] = [await createLocalRespondent(engine, model), open(settings)];
    const [here, there] = [(await local.choose([question]))[0]!, (await remote.choose([question]))[0]!];
    if (failed(here) || failed(there)) throw new Error(JSON.stringify([here, there]));
    expect(there.source).toBe('logprobs');
    there.logprobs.forEach((p, i) => expect(Math.abs(p - here.logprobs[i]!)).toBeLessThan(1e-3));
    expect(there.usage.promptTokens).toBe(here.usage.promptTokens);
    await local.close();
    await remote.close();
  });

  it('writes what the local judge writes, greedily, many at a time', async () => {
    const { model, engine } = tiny();
    const questions = Array.from({ length: 12 }, (_, i) => ({
      messages: [{ role: 'user' as const, content: `Question ${i % 4}` }],
      maxNewTokens: 6,
      temperature: 0,
      seed: i,
    }));
    const [local, remote] = [await createLocalRespondent(engine, model), open({ concurrency: 6 })];
    const texts = (replies: readonly object[]): unknown[] => replies.map((reply) => (reply as TextReply).text);
    expect(texts(await remote.write(questions))).toEqual(texts(await local.write(questions)));
    const sampled = questions.slice(0, 2).map((question) => ({ ...question, temperature: 1, seed: 7 }));
    expect(texts(await remote.write(sampled))).toEqual(texts(await remote.write(sampled)));
    await local.close();
    await remote.close();
  });

  it('says why it failed: another model, too long', async () => {
    const question = { messages: [{ role: 'user' as const, content: 'x'.repeat(400) }], maxNewTokens: 6, temperature: 0, seed: 0 };
    const remote = open({});
    expect(await remote.write([question])).toMatchObject([{ failure: 'too-long' }]);
    await remote.close();
    const other = open({ model: 'other' });
    expect(await other.write([question])).toMatchObject([
      { failure: 'server-error', detail: expect.stringContaining('HTTP 404: The model "other" does not exist') as string },
    ]);
    await other.close();
  });
});
