import { describe, expect, it } from 'vitest';
import { type ParseOptions, parseRows } from '../../src/data/parse.js';
import type { RowKind } from '../../src/data/rows.js';

type Fields = Readonly<Record<string, unknown>>;
const user = (content: string) => ({ role: 'user', content });
const assistant = (content: string) => ({ role: 'assistant', content });

/** What a file with this one row is read as, without its place. */
function read(kind: RowKind, fields: Fields, options: ParseOptions = {}): Record<string, unknown> {
  const [row] = parseRows(kind, [{ source: { file: 'f', line: 1 }, fields }], options).rows;
  return Object.fromEntries(Object.entries(row!).filter(([name]) => name !== 'source'));
}
const fault = (kind: RowKind, fields: Fields): string => {
  try {
    return JSON.stringify(read(kind, fields));
  } catch (error) {
    return (error as Error).message.split('\n')[1]!;
  }
};

const python = (turns: readonly { role: string; content: string }[]): string =>
  `[${turns.map(({ role, content }) => `{'role': '${role}', 'content': '${content}'}`).join(', ')}]`;

describe('turns spelt as text', () => {
  const talk = [user('Why?'), assistant('So.')];

  it.each(['json', 'python'])('are turns in every column, as %s', (how) => {
    const spell = (turns: { role: string; content: string }[]): string => (how === 'json' ? JSON.stringify(turns) : python(turns));
    expect(read('conversation', { messages: spell(talk) })).toEqual({ messages: talk });
    expect(read('prompt', { prompt: spell([user('Why?')]) })).toMatchObject({ prompt: [user('Why?')] });
    expect(read('completion', { prompt: 'Why?', completion: spell([assistant('So.')]) }))
      .toEqual({ prompt: [user('Why?')], completion: 'So.' });
    expect(read('preference', { prompt: 'Why?', chosen: spell(talk), rejected: spell([user('Why?'), assistant('No.')]) })).toEqual({
      prompt: [user('Why?')], chosen: 'So.', rejected: 'No.',
    });
    expect(read('negative', { prompt: 'Why?', rejected: spell(talk) })).toEqual({ prompt: [user('Why?')], rejected: 'So.' });
    expect(read('judged', { prompt: 'Why?', completion: spell([assistant('So.')]), judgment: 'Thin.' }))
      .toMatchObject({ completion: 'So.' });
    expect(read('refined', { prompt: 'Why?', completion: 'a', judgment: 'b', refinement: spell([assistant('So.')]) })).toMatchObject({
      refinement: 'So.',
    });
    expect(read('classified', { text: spell([assistant('So.')]), label: 'x' })).toMatchObject({ text: 'So.' });
    expect(read('completion', { prompt: 'q', completion: 'c', history: spell(talk) })).toMatchObject({ prompt: [...talk, user('q')] });
  });

  it('are refused where text belongs, and where they cannot be read', () => {
    expect(fault('judged', { prompt: 'p', completion: 'c', judgment: python(talk) }))
      .toContain('judgment spells turns, where text belongs');
    expect(fault('completion', { instruction: 'p', input: python(talk), output: 'c' })).toContain('input spells turns');
    expect(fault('preference', { prompt: 'p', chosen: python(talk).slice(0, -9), rejected: 'b' })).toContain(
      'chosen begins like a list of turns, but can be read neither as JSON nor as Python',
    );
    expect(fault('completion', { prompt: 'p', completion: "[{'role': 'assistant', 'content': '\\ud83d'}]" }))
      .toContain('begins like a list');
    expect(fault('completion', { prompt: "[{'role': 'user', 'content': 'a', 'content': 'b'}]", completion: 'c' }))
      .toContain('begins like a list');
    expect(fault('completion', { prompt: '[{"role": "user", "content": "a", "content": "b"}]', completion: 'c' }))
      .toContain('spells turns of which one has the key "content" twice');
    for (const prompt of [
      "[{'name': None, 'role': 'user', 'content': 'cut o", "[ { role: 'user', content: 'a' + 'b' } ]", '[{role: user, content: a}]',
      JSON.stringify(JSON.stringify(talk)).slice(0, -9), "[HumanMessage(content='a', additional_kwargs={})]",
      "[ChatCompletionUserMessageParam(role='user', content='a')]",
    ]) expect(fault('completion', { prompt, completion: 'c' })).toContain('prompt begins like a list of turns');
  });

  it('are no turns where they only look a little like some', () => {
    for (const prompt of ['[note: role] content: x', '{ role: x, content: y } is what?', '"[hello]" is what?', '[Message(1)]']) {
      expect(read('completion', { prompt, completion: 'c' })).toMatchObject({ prompt: [user(prompt)] });
    }
  });

  it('leave other text alone: a model may learn to write JSON', () => {
    for (const completion of ['[{"name": "a"}]', '{"role": "cook"}', "['a', 'b']", '[1, 2]']) {
      expect(read('completion', { prompt: 'p', completion })).toMatchObject({ completion });
    }
  });

  it('lists of texts may be spelt too', () => {
    expect(read('choice', { prompt: 'p', choices: "['a', 'b']", targets: '[0.25 0.75]' })).toMatchObject({
      choices: ['a', 'b'], targets: [0.25, 0.75],
    });
  });
});

describe('formats of turns', () => {
  it("ShareGPT's, in conversations and in pairs", () => {
    const talk = [{ from: 'system', value: 's' }, { from: 'human', value: 'p' }, { from: 'gpt', value: 'c' }];
    expect(read('conversation', { conversations: talk }))
      .toEqual({ messages: [{ role: 'system', content: 's' }, user('p'), assistant('c')] });
    expect(read('conversation', { conversations: talk.slice(1), system: 's' })).toEqual(read('conversation', { conversations: talk }));
    expect(read('labelled', { conversations: talk.slice(1), label: true })).toEqual({ prompt: [user('p')], completion: 'c', label: true });
    const pair = { conversations: talk.slice(0, 2), chosen: talk[2], rejected: { from: 'gpt', value: 'd' } };
    expect(read('preference', pair)).toEqual({ prompt: [{ role: 'system', content: 's' }, user('p')], chosen: 'c', rejected: 'd' });
    expect(fault('conversation', { conversations: [talk[1], { from: 'function_call', value: '{}' }] }))
      .toContain('is from "function_call"; known');
    expect(fault('conversation', { conversations: talk, system: 't' }))
      .toContain('system stands beside turns that begin with a system turn');
  });

  it("OpenAI's preference rows, and content in parts", () => {
    const row = {
      input: { messages: [user('p')], tools: [], parallel_tool_calls: true },
      preferred_output: [{ role: 'assistant', content: [{ type: 'text', text: 'go' }, { type: 'text', text: 'od' }] }],
      non_preferred_output: [assistant('bad')],
    };
    expect(read('preference', row)).toEqual({ prompt: [user('p')], chosen: 'good', rejected: 'bad' });
    expect(parseRows('preference', [{ source: { file: 'f', line: 1 }, fields: row }]).unused).toEqual(['input[].parallel_tool_calls']);
    const picture = [{ type: 'text', text: 'see' }, { type: 'image_url', image_url: {} }];
    expect(fault('conversation', { messages: [{ role: 'user', content: picture }, assistant('c')] })).toContain(
      'messages turn 1 has a part of type image_url in its content; only text is learned',
    );
  });

  it('a single message as a response', () => {
    expect(read('preference', { prompt: 'p', chosen: assistant('c'), rejected: assistant('d') }))
      .toMatchObject({ chosen: 'c', rejected: 'd' });
    expect(read('completion', { prompt: user('p'), completion: assistant('c') })).toEqual({ prompt: [user('p')], completion: 'c' });
    expect(fault('completion', { prompt: 'p', completion: user('c') })).toContain('has the turns user; a response is one assistant turn');
  });

  it('system and history before a prompt, alike for every kind', () => {
    const before = { system: 'Be brief.', history: [['a', 'b'], ['c', 'd']] };
    const prompt = [{ role: 'system', content: 'Be brief.' }, user('a'), assistant('b'), user('c'), assistant('d'), user('p\nq')];
    const row = { ...before, prompt: 'p', input: 'q', completion: 'x', judgment: 'y', label: true, score: 1, chosen: 'x', rejected: 'y' };
    for (const kind of ['prompt', 'completion', 'judged', 'preference', 'labelled', 'scored', 'negative'] as const) {
      expect(read(kind, row)).toMatchObject({ prompt });
    }
    expect(read('conversation', { instruction: 'p', output: 'c', system: 's', history: null })).toEqual({
      messages: [{ role: 'system', content: 's' }, user('p'), assistant('c')],
    });
    expect(read('completion', { prompt: 'p', completion: 'c', system_prompt: 's' })).toMatchObject({ prompt: [{ role: 'system' }, {}] });
    expect(read('completion', { prompt: 'p', completion: 'c', system: '', history: [] })).toMatchObject({ prompt: [user('p')] });
    expect(fault('completion', { prompt: 'p', completion: 'c', history: [['a']] })).toContain('has an item 1 that is no pair of texts');
  });
});

describe('keys of a turn', () => {
  const talk = (key: Fields): Fields => ({ messages: [user('p'), { ...assistant('c'), ...key }] });

  it('say whether it is learned', () => {
    for (const key of [{ weight: 0 }, { train: false }, { loss: false }, { loss_scale: 0 }, { trainable: false }]) {
      const messages = [user('p'), { ...assistant('bad'), ...key }, user('q'), { ...assistant('good'), weight: 1 }];
      expect(read('conversation', { messages }))
        .toEqual({ messages: [user('p'), { ...assistant('bad'), weight: 0 }, user('q'), assistant('good')] });
      expect(fault('conversation', talk(key))).toContain('has weight 0 at every assistant turn');
      expect(fault('judged', { ...talk(key), judgment: 'x' })).toContain('the row says that its response is not to be learned');
    }
    expect(fault('conversation', talk({ weight: 0.5 }))).toContain('turn 2 has weight 0.5: a turn is learned (1) or not (0)');
    expect(fault('conversation', talk({ weight: 0, train: true }))).toContain('has weight and train, which say the opposite');
    expect(fault('conversation', { messages: [{ ...user('p'), train: true }, assistant('c')] })).toContain('only turns of the assistant');
  });

  it('go to the template where they have a meaning there', () => {
    const call = { id: 'x', type: 'function', function: { name: 'f', arguments: '{"a": 1}' } };
    const called = { id: 'x', type: 'function', function: { name: 'f', arguments: { a: 1 } } };
    const tool = { role: 'tool', content: '2', tool_call_id: 'x' };
    const messages = [user('p'), { role: 'assistant', content: null, tool_calls: [call], refusal: null }, tool,
      { ...assistant('c'), thinking: 't' }];
    expect(read('conversation', { messages, tools: '[{"name": "f"}]' })).toEqual({
      messages: [
        { ...user('p'), tools: [{ name: 'f' }] }, { role: 'assistant', content: '', tool_calls: [called] }, tool,
          { ...assistant('c'), thinking: 't' },
      ],
    });
    expect(fault('judged', { messages: messages.slice(0, 2), judgment: 'x' }))
      .toContain('messages has tool_calls, which method: sft alone learns');
  });

  it('are refused where they would change what the turn says, and listed elsewhere', () => {
    for (const key of ['function_call', 'refusal', 'reasoning', 'reasoning_details', 'audio']) {
      expect(fault('conversation', talk({ [key]: 'x' }))).toContain(`messages turn 2 has ${key}, which would be lost`);
      expect(read('conversation', talk({ [key]: null }))).toEqual(read('conversation', talk({})));
    }
    expect(fault('conversation', talk({ channel: 'analysis' }))).toContain('messages turn 2 is of the channel "analysis"');
    const fields = talk({ channel: 'final', created_at: 5, annotations: [], name: 'bot' });
    expect(parseRows('conversation', [{ source: { file: 'f', line: 1 }, fields }]).unused)
      .toEqual(['messages[].name', 'messages[].channel', 'messages[].created_at']);
  });

  it('have roles of which the nearest known is said', () => {
    for (const [role, known] of [['User', 'user'], ['human', 'user'], ['developer', 'system'], ['function', 'tool']] as const) {
      expect(fault('conversation', { messages: [{ role, content: 'p' }, assistant('c')] }))
        .toContain(`has the role ${role}; known are system, user, assistant, tool; write ${known} in its place`);
    }
  });
});
