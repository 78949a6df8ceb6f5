/** The official client against our server. */
import { view } from '@heed/tensor';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { createScorer } from '../../src/model/scorer.js';
import { served } from './support.js';

const tiny = served();
const messages = [
  { role: 'system', content: 'Be brief' },
  { role: 'user', content: 'Why?' },
] as const;
const chat = (more: object = {}) =>
  tiny().client.chat.completions.create({ model: 'tiny', messages: [...messages], max_tokens: 12, seed: 3, ...more });
const largest = (a: readonly number[], b: readonly number[]): number => (
  expect(a).toHaveLength(b.length),
  Math.max(...a.map((x, i) => Math.abs(x - b[i]!)))
);

describe('models', () => {
  it('are the base and the adapters, by name', async () => {
    const { client } = tiny();
    const { data } = await client.models.list();
    expect(data.map(({ id, object, owned_by: owner }) => [id, object, owner])).toEqual([
      ['tiny', 'model', 'heed'],
      ['tuned', 'model', 'heed'],
    ]);
    expect(await client.models.retrieve('tuned')).toMatchObject({ id: 'tuned' });
    await expect(client.models.retrieve('none')).rejects.toThrow(OpenAI.NotFoundError);
  });
});

describe('chat completions', () => {
  it('answer as the generator does, with what they cost', async () => {
    const { voices, model: { template } } = tiny();
    const prompt = template.prompt([...messages]);
    const [wanted] = await voices.all.get('tiny')!.generator.generate([{ prompt, row: 0 }], { maxNewTokens: 12, temperature: 1, seed: 3 });
    const got = await chat();
    expect(got).toMatchObject({
      object: 'chat.completion',
      model: 'tiny',
      system_fingerprint: expect.stringMatching(/^fp_[0-9a-f]{12}$/) as string,
      choices: [
        { index: 0, message: { role: 'assistant', content: wanted!.text, refusal: null }, logprobs: null, finish_reason: wanted!.finish },
      ],
      usage: { prompt_tokens: prompt.length, completion_tokens: wanted!.ids.length, total_tokens: prompt.length + wanted!.ids.length },
    });
    const parts = await chat({
      messages: messages.map(({ role, content }) => ({
        role,
        content: [
          { type: 'text', text: content.slice(0, 2) },
          { type: 'text', text: content.slice(2) },
        ],
      })),
    });
    expect(parts.choices[0]!.message.content).toBe(wanted!.text);
  });

  it('are the same for the same seed, in whatever company, and differ without one', async () => {
    const texts = async (more: object = {}) => (await chat(more)).choices.map(({ message }) => message.content);
    const [alone] = await texts();
    const company = await Promise.all([
      texts({ temperature: 0 }),
      texts(),
      texts({ seed: 4, top_p: 0.5 }),
      texts({ seed: 5, logprobs: true, top_logprobs: 3 }),
      texts({ top_k: 2 }),
    ]);
    expect(company[1]).toEqual([alone]);
    expect(new Set(company.flat()).size).toBeGreaterThan(3);
    const free = await Promise.all([chat({ seed: undefined }), chat({ seed: undefined })]);
    expect(free[0].choices[0]!.message.content).not.toBe(free[1].choices[0]!.message.content);
  });

  it('give n choices, of which the first is the one that n = 1 gives', async () => {
    const three = await chat({ n: 3 });
    expect(three.choices.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(new Set(three.choices.map(({ message }) => message.content)).size).toBe(3);
    expect(three.choices[0]).toEqual((await chat()).choices[0]);
    expect(three.usage!.prompt_tokens).toBe((await chat()).usage!.prompt_tokens);
  });

  it('stream what they would give whole: text, log-probabilities, ends and usage', async () => {
    const options = { n: 2, logprobs: true, top_logprobs: 2, stop: ['e'], max_tokens: 20 };
    const whole = await chat(options);
    const stream = await tiny().client.chat.completions.create({
      model: 'tiny',
      messages: [...messages],
      seed: 3,
      ...options,
      stream: true,
      stream_options: { include_usage: true },
    });
    const choices = whole.choices.map(() => ({ content: '', logprobs: [] as unknown[], finish: null as string | null }));
    let usage: unknown;
    for await (const chunk of stream) {
      expect(chunk.object).toBe('chat.completion.chunk');
      usage ??= chunk.usage;
      for (const { index, delta, logprobs, finish_reason: finish } of chunk.choices) {
        const choice = choices[index]!;
        choice.content += delta.content ?? '';
        choice.logprobs.push(...(logprobs?.content ?? []));
        choice.finish ??= finish;
      }
    }
    expect(choices).toEqual(
      whole.choices.map(({ message, logprobs, finish_reason: finish }) => ({
        content: message.content,
        logprobs: logprobs!.content,
        finish,
      })),
    );
    expect(usage).toEqual(whole.usage);
  });

  it('end before a stop text', async () => {
    const { choices: [free] } = await chat({ temperature: 0, max_tokens: 30 });
    const text = free!.message.content!;
    const stop = text.slice(7, 9);
    const { choices: [stopped] } = await chat({ temperature: 0, max_tokens: 30, stop });
    expect(stopped).toMatchObject({ finish_reason: 'stop', message: { content: text.slice(0, text.indexOf(stop)) } });
    expect(free!.finish_reason).toBe('length');
  });

  it.each(['tiny', 'tuned'])('have the log-probabilities that the scorer gives: %s', async (model) => {
    const { engine, model: loaded, adapter, voices } = tiny();
    const { tokenizer } = loaded;
    const parameters = view(await engine.upload(adapter.parameters));
    const scorer = await createScorer(engine, loaded, model === 'tuned' ? { plan: adapter.plan, parameters } : undefined);
    const prompt = loaded.template.prompt([...messages]);
    const { choices } = await chat({ model, n: 3, logprobs: true, top_logprobs: 20, temperature: 1.4 });
    const same = await voices.all
      .get(model)!
      .generator.generate([{ prompt, row: 0, samples: 3 }], { maxNewTokens: 12, temperature: 1.4, seed: 3, top: 20 });
    const others = await voices.all
      .get(model === 'tiny' ? 'tuned' : 'tiny')!
      .generator.generate([{ prompt, row: 0 }], { maxNewTokens: 1, temperature: 0, seed: 3, top: 20 });
    expect(
      largest(
        others[0]!.tops![0]!.map((t) => t.logprob),
        same[0]!.tops![0]!.map((t) => t.logprob),
      ),
    ).toBeGreaterThan(1e-3);
    for (const [k, { logprobs }] of choices.entries()) {
      const tokens = logprobs!.content!;
      const { ids, tops } = same[k]!;
      expect(tokens.map(({ token, bytes }) => [token, bytes])).toEqual(
        ids.map((id) => [tokenizer.tokenText(id), [...tokenizer.tokenBytes(id)]]),
      );
      const [wanted] = await scorer.logProbs([{ prompt, response: ids }]);
      expect(largest(tokens.map(({ logprob }) => logprob), wanted!.map((x) => x!))).toBeLessThan(1e-4);
      for (const [i, { top_logprobs: top }] of tokens.entries()) {
        expect(top).toHaveLength(20);
        expect(top.map(({ token }) => token)).toEqual(tops![i]!.map(({ id }) => tokenizer.tokenText(id)));
        expect(top.map((t) => t.logprob)).toEqual([...top.map((t) => t.logprob)].sort((a, b) => b - a));
        const scored = await scorer.logProbs(tops![i]!.map(({ id }) => ({ prompt: [...prompt, ...ids.slice(0, i)], response: [id] })));
        expect(largest(top.map((t) => t.logprob), scored.map(([x]) => x!))).toBeLessThan(1e-4);
      }
    }
    await scorer.release();
  });

  it('take an answer back as it came: whole, streamed, as the Python client writes it, and as other servers do', async () => {
    const { client, voices, model: { template } } = tiny();
    const ask = { model: 'tiny', messages: [messages[1]], max_tokens: 6, seed: 3 };
    const { choices: [whole] } = await client.chat.completions.create({ ...ask, logprobs: true });
    const streamed = await client.chat.completions.stream(ask).finalMessage();
    const deltas: Record<string, unknown> = {};
    for await (const {
      choices: [choice],
    } of await client.chat.completions.create({ ...ask, stream: true })) {
      for (const [key, value] of Object.entries(choice!.delta))
        deltas[key] = typeof value === 'string' ? ((deltas[key] as string | undefined) ?? '') + value : value;
    }
    const { content } = whole!.message;
    const python = { content, refusal: null, role: 'assistant', annotations: null, audio: null, function_call: null, tool_calls: null };
    const vllm = {
      role: 'assistant',
      content,
      refusal: null,
      annotations: [],
      audio: null,
      function_call: null,
      tool_calls: [],
      reasoning: '',
      reasoning_content: null,
    };
    const [wanted] = await voices.all
      .get('tiny')!
      .generator.generate([{ prompt: template.prompt([messages[1], { role: 'assistant', content: content! }, messages[1]]), row: 0 }], {
        maxNewTokens: 6,
        temperature: 1,
        seed: 3,
      });
    expect(content).not.toBe('');
    for (const message of [whole!.message, streamed, deltas, python, vllm]) {
      const next = { ...ask, messages: [messages[1], message, messages[1]] } as OpenAI.ChatCompletionCreateParamsNonStreaming;
      expect((await client.chat.completions.create(next)).choices[0]!.message.content).toBe(wanted!.text);
    }
  });

  it('take back an answer of no text', async () => {
    const empty = { role: 'assistant', content: '', refusal: null } as const;
    expect((await chat({ messages: [messages[1], empty, messages[1]] })).choices).toHaveLength(1);
  });

  it('go on with an answer that is begun', async () => {
    const { voices, model: { template } } = tiny();
    const prompt = [...template.prompt([messages[1]]), ...template.response('Be').slice(0, -1)];
    const [wanted] = await voices.all.get('tiny')!.generator.generate([{ prompt, row: 0 }], { maxNewTokens: 5, temperature: 0, seed: 0 });
    const got = await chat({
      messages: [messages[1], { role: 'assistant', content: 'Be' }],
      continue_final_message: true,
      add_generation_prompt: false,
      temperature: 0,
      max_tokens: 5,
    });
    expect(got.choices[0]!.message.content).toBe(wanted!.text);
    expect(got.usage!.prompt_tokens).toBe(prompt.length);
  });
});

describe('completions', () => {
  const complete = (more: object = {}) =>
    tiny().client.completions.create({ model: 'tiny', prompt: 'Once upon', max_tokens: 8, seed: 1, ...more }) as Promise<OpenAI.Completion>;

  it('continue texts and tokens, several at once', async () => {
    const { tokenizer } = tiny().model;
    const both = await complete({ prompt: ['Once upon', 'A'], n: 2 });
    expect(both.choices.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    expect(both.object).toBe('text_completion');
    const [first] = (await complete()).choices;
    expect(both.choices[0]).toEqual(first);
    const ids = [...(tokenizer.addsBos ? [tokenizer.bosId!] : []), ...tokenizer.encode('Once upon')];
    expect((await complete({ prompt: ids })).choices[0]).toEqual(first);
    expect((await complete({ prompt: [ids] })).choices[0]).toEqual(first);
    expect(both.usage!.prompt_tokens).toBe(ids.length + [...(tokenizer.addsBos ? [1] : []), ...tokenizer.encode('A')].length);
  });

  it('take a text back as the next prompt, with the nulls of an answer', async () => {
    const [first] = (await complete()).choices;
    const next = await complete({ prompt: `Once upon${first!.text}`, logprobs: first!.logprobs, stop: null, echo: true });
    expect(next.choices[0]!.text.startsWith(`Once upon${first!.text}`)).toBe(true);
  });

  it('stream texts with their log-probabilities', async () => {
    const { choices: [whole] } = await complete({ logprobs: 2 });
    expect(whole!.logprobs!.tokens).toHaveLength(8);
    let text = '';
    const tokens: string[] = [];
    const offsets: number[] = [];
    for await (const {
      choices: [choice],
    } of await tiny().client.completions.create({
      model: 'tiny',
      prompt: 'Once upon',
      max_tokens: 8,
      seed: 1,
      logprobs: 2,
      stream: true,
    })) {
      text += choice!.text;
      tokens.push(...(choice!.logprobs?.tokens ?? []));
      offsets.push(...(choice!.logprobs?.text_offset ?? []));
    }
    expect({ text, tokens, offsets }).toEqual({
      text: whole!.text,
      tokens: whole!.logprobs!.tokens,
      offsets: whole!.logprobs!.text_offset,
    });
  });

  it('score a given text: echo, no new tokens', async () => {
    const { engine, model, adapter } = tiny();
    const prompt = 'Once upon a time';
    const { choices: [echoed], usage } = await complete({ model: 'tuned', prompt, echo: true, max_tokens: 0, logprobs: 0 });
    const ids = [...(model.tokenizer.addsBos ? [model.tokenizer.bosId!] : []), ...model.tokenizer.encode(prompt)];
    const scorer = await createScorer(engine, model, { plan: adapter.plan, parameters: view(await engine.upload(adapter.parameters)) });
    const [wanted] = await scorer.logProbs([{ prompt: ids.slice(0, 1), response: ids.slice(1) }]);
    const { token_logprobs: logprobs, top_logprobs: top, tokens } = echoed!.logprobs!;
    expect(echoed!.text).toBe(prompt);
    expect(tokens!.length).toBe(ids.length);
    expect(logprobs![0]).toBeNull();
    expect(top).toBeNull();
    expect(largest(logprobs!.slice(1), wanted!.map((x) => x!))).toBeLessThan(1e-4);
    expect(usage).toEqual({ prompt_tokens: ids.length, completion_tokens: 0, total_tokens: ids.length });
    const more = await complete({ model: 'tuned', prompt, echo: true, max_tokens: 3, logprobs: 0 });
    expect(more.choices[0]!.text.startsWith(prompt)).toBe(true);
    expect(more.choices[0]!.logprobs!.token_logprobs).toHaveLength(ids.length + more.usage!.completion_tokens);
    // The likeliest of each place hold the greedy continuation, where the text is one.
    const [greedy] = await tiny()
      .voices.all.get('tuned')!
      .generator.generate([{ prompt: ids, row: 0 }], { maxNewTokens: 6, temperature: 0, seed: 0, top: 3 });
    const {
      choices: [scored],
    } = await complete({ model: 'tuned', prompt: [...ids, ...greedy!.ids], echo: true, max_tokens: 0, logprobs: 3 });
    const tops = scored!.logprobs!.top_logprobs!.slice(ids.length);
    expect(scored!.logprobs!.top_logprobs![0]).toBeNull();
    for (const [i, top] of greedy!.tops!.entries()) {
      expect(Object.keys(tops[i]!)).toHaveLength(3);
      for (const { id, logprob } of top) expect(tops[i]![model.tokenizer.tokenText(id)]).toBeCloseTo(logprob, 4);
    }
    await scorer.release();
  });

  it('score a text of more places than fit in one pass', async () => {
    const { voices, engine, model } = tiny();
    const ids = Array.from({ length: 700 }, (_, i) => 3 + ((7 * i * i) % 250));
    const scored = await voices.all.get('tiny')!.score(ids, 2);
    const scorer = await createScorer(engine, model);
    for (const at of [0, 255, 256, 511, 512, 698]) {
      const [wanted] = await scorer.logProbs([{ prompt: ids.slice(0, at + 1), response: [scored[at]!.top![0]!.id] }]);
      expect(scored[at]!.top![0]!.logprob).toBeCloseTo(wanted![0]!, 4);
      expect(scored[at]!.top![0]!.logprob).toBeGreaterThanOrEqual(scored[at]!.logprob - 1e-5);
    }
    await scorer.release();
  });
});
