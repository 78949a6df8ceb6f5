/** Functions that an answer may call, through the official client. */
import type OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { readChat } from '../../src/serve/ask.js';
import { createReplies } from '../../src/serve/replies.js';
import { callingOf } from '../../src/serve/tools.js';
import { served } from './support.js';

// The form of Qwen 2.5 and Hermes.
const TEMPLATE = '{% if tools %}<s>t {% for t in tools %}{{ t | tojson }}{% endfor %}</s>{% endif %}'
  + '{% for m in messages %}<s>{{ m.role[:1] }} {{ m.content }}{% for c in m.tool_calls or [] %}<tool_call>\n'
  + '{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments | tojson }}}\n</tool_call>{% endfor %}</s>{% endfor %}'
  + '{% if add_generation_prompt %}<s>a {% endif %}';
const tiny = served({}, { context: 1024, chatTemplate: TEMPLATE });
const plain = served();

const tool = (name: string, parameters: object = {}) =>
  ({ type: 'function', function: { name, description: `Does ${name}.`, parameters } }) as OpenAI.ChatCompletionFunctionTool;
const weather = tool('weather', {
  type: 'object', properties: { city: { type: 'string', maxLength: 5 }, days: { type: 'integer', minimum: 1, maximum: 9 } },
  required: ['city', 'days'], additionalProperties: false,
});
const time = tool('time', { type: 'object', properties: {}, additionalProperties: false });
const user = { role: 'user', content: 'Rain?' } as const;
const ask = { model: 'tiny', messages: [user], tools: [weather, time], max_tokens: 200, seed: 2 };
type Create = OpenAI.ChatCompletionCreateParamsNonStreaming;

describe('tools', () => {
  it('are shown to the model as its template writes them', async () => {
    const { client, model } = tiny();
    const { usage } = await client.chat.completions.create({ ...ask, max_tokens: 1 });
    const prompt = model.template.prompt([{ ...user, tools: [weather, time] }]);
    expect(model.tokenizer.decode(prompt)).toMatch(/^<s> *t .*"description": "Does weather\.".*<s> *u Rain\?<\/s><s> *a /);
    expect(usage!.prompt_tokens).toBe(prompt.length);
    const none = await client.chat.completions.create({ ...ask, max_tokens: 1, tool_choice: 'none' });
    expect(none.usage!.prompt_tokens).toBe(model.template.prompt([user]).length);
  });

  it('that must be called are, with arguments that keep to their schema', async () => {
    const { client } = tiny();
    for (const choice of ['required', { type: 'function', function: { name: 'weather' } }] as const) {
      const { choices } = await client.chat.completions.create({ ...ask, tool_choice: choice, n: 3 });
      for (const { message: { content, tool_calls: calls }, finish_reason: finish } of choices) {
        expect([content, finish, calls!.length]).toEqual([null, 'tool_calls', 1]);
        const { function: { name, arguments: args } } = calls![0] as OpenAI.ChatCompletionMessageFunctionToolCall;
        if (choice !== 'required') expect(name).toBe('weather');
        const { city = '', days = 1, ...more } = JSON.parse(args) as { city?: string; days?: number };
        expect([more, args === '{}']).toEqual([{}, name === 'time']);
        expect([...city].length <= 5 && days >= 1 && days <= 9 && Number.isInteger(days)).toBe(true);
      }
    }
  });

  it('come through a stream as they come whole, and go back with their answers', async () => {
    const { client } = tiny();
    const required = { ...ask, tool_choice: 'required' } as const;
    const { choices: [whole] } = await client.chat.completions.create(required);
    const streamed = await client.chat.completions.stream(required).finalChatCompletion();
    const functionOf = (message: OpenAI.ChatCompletionMessage) => message.tool_calls!.map((call) => {
      const { function: { name, arguments: args } } = call as OpenAI.ChatCompletionMessageFunctionToolCall;
      return [name, args];
    });
    expect(functionOf(streamed.choices[0]!.message)).toEqual(functionOf(whole!.message));
    expect(streamed.choices[0]!.finish_reason).toBe('tool_calls');
    for (const message of [whole!.message, streamed.choices[0]!.message]) {
      const answer = { role: 'tool', tool_call_id: message.tool_calls![0]!.id, content: 'It rains.' } as const;
      const next = { ...ask, max_tokens: 3, messages: [user, message, answer] } as Create;
      expect((await client.chat.completions.create(next)).choices).toHaveLength(1);
    }
  });

  it('an answer that is a text stays one, also through a stream', async () => {
    const { client } = tiny();
    const short = { ...ask, max_tokens: 12 };
    const { choices: [whole] } = await client.chat.completions.create(short);
    expect(whole!.message).toEqual({ role: 'assistant', content: whole!.message.content, refusal: null });
    expect((await client.chat.completions.stream(short).finalMessage()).content).toBe(whole!.message.content);
  });

  it('that an answer calls by itself are read from its text, with what it says before them', () => {
    const { model } = tiny();
    const read = readChat({ ...ask, tools: [weather, time] });
    const calling = callingOf(read.tools!, model.template);
    const replies = createReplies(read, [], { tokenizer: model.tokenizer, model: 'tiny', fingerprint: 'x', calling });
    const text = 'One moment.\n<tool_call>\n{"name": "weather", "arguments": {"city": "Bonn", "days": 2}}\n</tool_call>\n'
      + '<tool_call>\n{"name": "time", "arguments": {}}\n</tool_call>';
    const completion = { row: 0, sample: 0, ids: [], text, logprobs: [], finish: 'stop' } as const;
    const { choices: [choice] } = replies.whole([completion], { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }, []) as {
      choices: { message: OpenAI.ChatCompletionMessage; finish_reason: string }[];
    };
    expect(choice).toMatchObject({
      finish_reason: 'tool_calls',
      message: { content: 'One moment.', tool_calls: [
        { type: 'function', function: { name: 'weather', arguments: '{"city":"Bonn","days":2}' } },
        { type: 'function', function: { name: 'time', arguments: '{}' } },
      ] },
    });
    expect(new Set(choice!.message.tool_calls!.map(({ id }) => id)).size).toBe(2);
    expect(callingOf(readChat({ ...ask, parallel_tool_calls: false }).tools!, model.template).stop).toEqual(['</tool_call>']);
  });

  it.each<[string, object, RegExp]>([
    ['a choice of none that are there', { tools: undefined, tool_choice: 'required' }, /there are no tools/],
    ['a choice that is not among them', { tool_choice: { type: 'function', function: { name: 'x' } } }, /not among the tools/],
    ['two of one name', { tools: [time, time] }, /two functions are named time/],
    ['a name that is none', { tools: [tool('a b')] }, /expected 1 to 64 letters/],
    ['strict, where a text may come', { tools: [{ ...time, function: { ...time.function, strict: true } }] },
      /strict needs tool_choice: required/],
    ['parameters that cannot be kept to', { tools: [tool('x', { properties: { a: { format: 'date' } } })], tool_choice: 'required' },
      /\.properties\.a: format is not supported/],
    ['a format beside them', { response_format: { type: 'json_object' } }, /tools and response_format together/],
    ['arguments that are no JSON', { messages: [user, { role: 'assistant', content: null, tool_calls: [
      { id: 'a', type: 'function', function: { name: 'time', arguments: '{' } },
    ] }, { role: 'tool', tool_call_id: 'a', content: 'x' }] }, /expected the text of a JSON object/],
  ])('%s: refused', async (_, more, words) => {
    await expect(tiny().client.chat.completions.create({ ...ask, ...more } as Create)).rejects.toThrow(words);
  });

  it('are refused by name for a model whose template takes none', async () => {
    await expect(plain().client.chat.completions.create(ask)).rejects.toThrow(/The chat template of this model takes no tools/);
  });
});
