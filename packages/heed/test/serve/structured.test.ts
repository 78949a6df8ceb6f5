/** Answers in a format: json_schema and json_object. */
import OpenAI from 'openai';
import { zodResponseFormat } from 'openai/helpers/zod';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { served } from './support.js';

const tiny = served({}, { context: 512 });
const Person = z.object({ name: z.string().max(6), age: z.int().min(0).max(150), pets: z.array(z.enum(['cat', 'dog'])).max(2) });
const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: 'Who?' }];
const ask = { model: 'tiny', messages, max_tokens: 200, seed: 5 };

/** What the server says to a schema. */
async function refusal(schema: object): Promise<string> {
  const format = { type: 'json_schema', json_schema: { name: 'x', schema: schema as Record<string, unknown> } } as const;
  const thrown = await tiny().client.chat.completions.create({ ...ask, response_format: format }).catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(OpenAI.BadRequestError);
  return (thrown as Error).message;
}

describe('response_format', () => {
  it('json_schema: every answer of a random model is one, and the official client reads it', async () => {
    const { choices } = await tiny().client.chat.completions.parse({ ...ask, n: 3, response_format: zodResponseFormat(Person, 'person') });
    for (const { message, finish_reason: finish } of choices) {
      expect(finish).toBe('stop');
      expect(message.parsed).toEqual(JSON.parse(message.content!));
    }
    expect(new Set(choices.map(({ message }) => message.content)).size).toBe(3);
  });

  it('is kept at temperature 0, with filters, streamed, and with log-probabilities', async () => {
    const format = { response_format: zodResponseFormat(Person, 'person') };
    const greedy = await tiny().client.chat.completions.create({ ...ask, ...format, temperature: 0, logprobs: true });
    const [{ message, logprobs }] = greedy.choices as [OpenAI.ChatCompletion.Choice];
    expect(Person.safeParse(JSON.parse(message.content!))).toMatchObject({ success: true });
    const bytes = logprobs!.content!.slice(0, -1).flatMap((token) => token.bytes!);
    expect(new TextDecoder().decode(Uint8Array.from(bytes))).toBe(message.content);
    const stream = await tiny().client.chat.completions.create({ ...ask, ...format, temperature: 0, stream: true });
    let streamed = '';
    for await (const { choices: [choice] } of stream) streamed += choice?.delta.content ?? '';
    expect(streamed).toBe(message.content);
    const filtered = await tiny().client.chat.completions.create({ ...ask, ...format, top_p: 0.5, frequency_penalty: 0 });
    expect(Person.safeParse(JSON.parse(filtered.choices[0]!.message.content!))).toMatchObject({ success: true });
  });

  it('json_object: an object, or the beginning of one where the tokens end; text: as without', async () => {
    const format = { type: 'json_object' } as const;
    const { choices } = await tiny().client.chat.completions.create({ ...ask, max_tokens: 300, n: 4, response_format: format });
    for (const { message: { content }, finish_reason: finish } of choices) {
      expect(content!.startsWith('{')).toBe(true);
      if (finish === 'stop') expect(JSON.parse(content!)).toBeTypeOf('object');
    }
    const plain = { ...ask, max_tokens: 8 };
    const asText = await tiny().client.chat.completions.create({ ...plain, response_format: { type: 'text' } });
    expect(asText.choices).toEqual((await tiny().client.chat.completions.create(plain)).choices);
  });

  it('an answer that was parsed can be sent back', async () => {
    const { client } = tiny();
    const { choices: [first] } = await client.chat.completions.parse({ ...ask, response_format: zodResponseFormat(Person, 'person') });
    const messages = [...ask.messages, first!.message, ...ask.messages];
    const next = await client.chat.completions.create({ ...ask, max_tokens: 4, messages });
    expect(next.choices).toHaveLength(1);
  });

  it('a schema that cannot be kept to is refused by place and key, before anything is written', async () => {
    const dated = { type: 'object', properties: { at: { type: 'string', format: 'date' } } };
    expect(await refusal(dated)).toContain('at .properties.at: format is not supported');
    expect(await refusal({ type: 'blob' })).toContain('type is "blob"');
  });
});
