import { describe, expect, it } from 'vitest';
import { findings, refusals, rows } from './support.js';

const user = (content: string) => ({ role: 'user', content });
const assistant = (content: unknown, more: object = {}) => ({ role: 'assistant', content, ...more });

describe('OpenAI fine-tuning files', () => {
  it('make conversations, pairs and prompts', () => {
    const found = findings('openai', [
      { messages: [{ role: 'developer', content: 'Be brief.' }, user('Fruit?'), assistant('Pear.')] },
      { input: { messages: [user('Fruit?')] }, preferred_output: [assistant('Pear.')], non_preferred_output: [assistant('Carrot.')] },
      { messages: [user('3+4?')], wanted: '7' },
    ]);
    expect(rows(found, 'conversation')).toEqual([
      { messages: [{ role: 'system', content: 'Be brief.' }, user('Fruit?'), assistant('Pear.')] },
    ]);
    expect(rows(found, 'preference')).toEqual([{ prompt: [user('Fruit?')], chosen: 'Pear.', rejected: 'Carrot.' }]);
    expect(rows(found, 'prompt')).toEqual([{ prompt: [user('3+4?')], wanted: '7' }]);
    expect(found.refused).toEqual([]);
  });

  it('weight 0 is context and no negative; parts of text are text; functions go with the conversation', () => {
    const tools = [{ type: 'function', function: { name: 'f' } }];
    const found = findings('openai', [
      {
        messages: [user('a'), assistant('b', { weight: 0 }), user('c'), assistant([{ type: 'text', text: 'd' }], { weight: 1 })],
        tools, parallel_tool_calls: false,
      },
    ]);
    expect(rows(found, 'conversation')).toEqual([
      { messages: [user('a'), assistant('b', { weight: 0 }), user('c'), assistant('d')], tools },
    ]);
    expect([...found.unused]).toEqual(['parallel_tool_calls']);
  });

  it('what cannot be learned is refused with its reason', () => {
    const pair = { input: { messages: [user('a')] }, preferred_output: [assistant('b')], non_preferred_output: [assistant('c')] };
    const found = findings('openai', [
      { prompt: 'a', completion: 'b' }, { ...pair, non_preferred_output: [assistant('c'), assistant('d')] },
      { preferred_completion: 'x' }, { messages: [user('a'), assistant([{ type: 'image_url' }])] }, { messages: 'a' },
      { ...pair, preferred_output: [assistant(null, { tool_calls: [{ function: { name: 'f', arguments: '{}' } }] })] },
    ]);
    expect(refusals(found)).toEqual({
      "has prompt and completion, OpenAI's form before chats: heed train reads such a file as it is": 1,
      'non_preferred_output: one assistant turn is needed': 1,
      'has preferred_completion: an early form; call it preferred_output': 1,
      'messages turn 2 has a part of type image_url in its content; only text is learned': 1,
      'messages: Invalid input: expected array, received string': 1,
      'preferred_output has tool_calls, which method: sft alone learns, from messages': 1,
    });
    expect(found.rows).toEqual([]);
  });

  it('a pair of equal answers is found, and refused as a row', () => {
    const found = findings('openai', [
      { input: { messages: [user('a')] }, preferred_output: [assistant('b')], non_preferred_output: [assistant('b ')] },
    ]);
    expect(found.refused).toEqual([]);
    expect(rows(found, 'preference')).toEqual([]);
  });
});
