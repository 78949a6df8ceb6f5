import { describe, expect, it } from 'vitest';
import { chatTemplate } from '../../src/text/template.js';
import { type CallFormat, readCalls } from '../../src/text/tool-calls.js';
import { createTokenizer } from '../../src/text/tokenizer.js';
import { toyFiles } from './support.js';

const tokenizer = createTokenizer(...toyFiles(['<s>', '</s>', '<call>'], { bos_token: '<s>', eos_token: '</s>' }));
/** A template whose turns call functions by this Jinja text, for `t`, a call's function. */
const template = (call: string, end = '</s>') => chatTemplate(
  tokenizer,
  '{% if tools %}<s>Functions: {{ tools | tojson }}{{ "</s>" }}{% endif %}'
  + '{% for m in messages %}<s>{{ m.role }}: {{ m.content }}{% for c in m.tool_calls or [] %}{% set t = c.function %}'
  + `${call}{% endfor %}${end}{% endfor %}{% if add_generation_prompt %}<s>assistant: {% endif %}`,
);
/** As Qwen 2.5 and Hermes write calls, as Llama 3.1 does, and as Mistral 7B v0.3 does. */
const HERMES = '<tool_call>\n{"name": "{{ t.name }}", "arguments": {{ t.arguments | tojson }}}\n</tool_call>';
const LLAMA = '{"name": "{{ t.name }}", "parameters": {{ t.arguments | tojson }}}';

describe('how a template writes calls', () => {
  it.each<[string, string, string, Partial<CallFormat> | undefined]>([
    ['in tags', HERMES, '</s>', { before: '<tool_call>\n', after: '\n</tool_call>', name: 'name', arguments: 'arguments' }],
    ['as an object alone', LLAMA, '</s>', { before: '', after: '', name: 'name', arguments: 'parameters' }],
    ['before an end of turn that is text', HERMES, '\n', { before: '<tool_call>\n', after: '\n</tool_call>' }],
    ['behind a control token, which an answer is read without', `<call>${LLAMA}`, '</s>', undefined],
    ['in words', 'call {{ t.name }} with {{ t.arguments | tojson }}', '</s>', undefined],
  ])('%s', (_, call, end, format) => {
    const found = template(call, end).calls();
    if (format === undefined) expect(found).toBeUndefined();
    else expect(found).toMatchObject(format);
  });

  it('is nothing where it takes no tools, or no calls', () => {
    const plain = '{% for m in messages %}{{ m.content }}</s>{% endfor %}';
    expect(chatTemplate(tokenizer, plain).calls()).toBeUndefined();
    expect(chatTemplate(tokenizer, `{{ tools }}{# tool_calls #}${plain}`).calls()).toBeUndefined();
  });
});

describe('the calls of an answer', () => {
  const hermes = template(HERMES).calls()!, llama = template(LLAMA).calls()!;
  const read = (text: string, format = hermes) => readCalls(format, text, ['add', 'say']);
  const call = (name: string, args: string): string => `<tool_call>\n{"name": "${name}", "arguments": ${args}}\n</tool_call>`;

  it('are read with what is said beside them', () => {
    expect(read(call('add', '{"a": 1}'))).toEqual({ content: '', calls: [{ name: 'add', arguments: { a: 1 } }] });
    expect(read(`Let me see.\n${call('add', '{}')}\n${call('say', '{"x": "}\\" {"}')} `)).toEqual({
      content: 'Let me see.', calls: [{ name: 'add', arguments: {} }, { name: 'say', arguments: { x: '}" {' } }],
    });
    const alone = '{"name": "say", "parameters": {"x": []}}';
    expect(read(alone, llama)).toEqual({ content: '', calls: [{ name: 'say', arguments: { x: [] } }] });
    expect(read('<tool_call>{"arguments": {"a": 2}, "name": "add"}')).toMatchObject({ calls: [{ arguments: { a: 2 } }] });
  });

  it.each([
    ['plain words', 'I add {1, 2}.', hermes], ['a call that is cut off', '<tool_call>\n{"name": "add", "argum', hermes],
    ['a function that there is not', call('rm', '{}'), hermes], ['arguments that are no object', call('add', '[1]'), hermes],
    ['no JSON', '<tool_call>\n{name: add}\n</tool_call>', hermes],
    ['an object within words', 'So: {"name": "add", "parameters": {}}.', llama],
    ['another object', '{"answer": 1}', llama],
  ])('%s are text', (_, text, format) => {
    expect(read(text, format)).toBeUndefined();
  });
});
