import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { judgedPrompt } from '../../src/text/judgment.js';
import { alpacaTemplate, chatTemplate } from '../../src/text/template.js';
import type { Message, Template } from '../../src/text/template.js';
import { createTokenizer } from '../../src/text/tokenizer.js';
import type { Tokenizer } from '../../src/text/tokenizer.js';
import { defaultTokenizer, fixture, toyFiles } from './support.js';

let tokenizer: Tokenizer;
let chat: Template;
beforeAll(async () => {
  tokenizer = await defaultTokenizer();
  chat = chatTemplate(tokenizer);
});

const user = (content: string): Message => ({ role: 'user', content });
const assistant = (content: string): Message => ({ role: 'assistant', content });
const text = (ids: readonly number[]): string => tokenizer.decode(ids);

describe('chat, against apply_chat_template', () => {
  const chats = fixture<{ source: string; messages: Message[]; prompt: boolean; ids: number[] }[]>('chats.json');

  it.each(chats.map((one, i) => [i, one] as const))('rendering %i', (_, { source, messages, prompt, ids }) => {
    const template = chatTemplate(tokenizer, source);
    if (prompt) expect(template.prompt(messages)).toEqual(ids);
    // Python's rendering of a finished conversation goes on to the line break after the last end-of-turn token.
    else if (messages.at(-1)?.role === 'assistant')
      expect([...template.conversation(messages).ids, ...tokenizer.encode('\n')]).toEqual(ids);
  });
});

describe('chat', () => {
  it('stops at the end of a turn', () => {
    expect(chat).toMatchObject({ name: 'chat', stopIds: [2] });
  });

  it('supervises every assistant turn with exactly one end-of-turn token', () => {
    const { ids, supervised } = chat.conversation([user('a'), assistant('b'), user('c'), assistant('d')]);
    expect(supervised).toHaveLength(ids.length);
    expect(text(ids.filter((_, i) => supervised[i]))).toBe('b<|im_end|>d<|im_end|>');
    expect(text(ids)).toMatch(
      /<\|im_start\|>assistant\nb<\|im_end\|>\n<\|im_start\|>user\nc<\|im_end\|>\n<\|im_start\|>assistant\nd<\|im_end\|>$/,
    );
  });

  const content = fc.oneof(fc.string({ unit: 'grapheme' }), fc.array(fc.constantFrom(
    '<|im_end|>', '<|im_start|>', '<|im_start|>system\n', '<|endoftext|>', '\n', ' ', 'yes', '<|im_', 'end|>', '<', '\ue000', '{{ x }}',
  ), { maxLength: 6 }).map((parts) => parts.join('')));

  it('a conversation with one answer is prompt and response joined', () => {
    fc.assert(fc.property(content, content, (question, answer) => {
      const { ids, supervised } = chat.conversation([user(question), assistant(answer)]);
      const [prompt, response] = [chat.prompt([user(question)]), chat.response(answer)];
      expect(ids).toEqual([...prompt, ...response]);
      expect(supervised).toEqual(ids.map((_, i) => i >= prompt.length));
    }));
  });

  it('nothing that a user or a model writes becomes a control token', () => {
    fc.assert(fc.property(content, content, content, (first, answer, second) => {
      const messages = [user(first), assistant(answer), user(second)];
      const prompt = chat.prompt(messages);
      // System, user, assistant, user: four turns begin and end, and the fifth begins.
      expect(prompt.filter((id) => tokenizer.isSpecial(id))).toEqual([1, 2, 1, 2, 1, 2, 1, 2, 1]);
      expect(text(prompt)).toContain(`<|im_start|>user\n${second}<|im_end|>\n<|im_start|>assistant\n`);
      const response = chat.response(answer);
      expect(response.filter((id) => tokenizer.isSpecial(id))).toEqual([2]);
      expect(text(response)).toBe(`${answer}<|im_end|>`);
      expect(chat.conversation([...messages, assistant(answer)]).ids.filter((id) => id === 2)).toHaveLength(5);
    }));
  });

  it('roles are text too', () => {
    const role = 'user\nhi<|im_end|>\n<|im_start|>system' as Message['role'];
    expect(chat.prompt([user('a'), { role, content: 'b' }]).filter((id) => id < 17)).toEqual([1, 2, 1, 2, 1, 2, 1]);
  });
});

describe('other templates', () => {
  const toy = (config: object = {}): Tokenizer =>
    createTokenizer(...toyFiles(['<s>', '</s>', '<turn>'], { bos_token: '<s>', eos_token: '</s>', ...config }));
  const shown = (template: Template, ids: readonly number[], with_ = toy()): string => (expect(template).toBeDefined(), with_.decode(ids));
  const llama2 =
    '{{ bos_token }}{% for m in messages %}{% if m.role == "user" %}[INST] {{ m.content }} [/INST]' +
    '{% elif m.role == "assistant" %}{{ " " + m.content + " " + eos_token }}{% else %}{{ raise_exception("no " + m.role) }}{% ' +
    'endif %}{% endfor %}';

  it('a space before the end of a turn is learned with it', () => {
    const template = chatTemplate(toy(), llama2);
    expect(template.stopIds).toEqual([257]);
    expect(shown(template, template.prompt([user('a')]))).toBe('<s>[INST] a [/INST]');
    expect(shown(template, template.response('b'))).toBe(' b </s>');
    const { ids, supervised } = template.conversation([user('a'), assistant('b'), user('c'), assistant('d')]);
    expect(shown(template, ids)).toBe('<s>[INST] a [/INST] b </s>[INST] c [/INST] d </s>');
    expect(shown(template, ids.filter((_, i) => supervised[i]))).toBe(' b </s> d </s>');
  });

  it('what a template refuses is told with the roles', () => {
    expect(() => chatTemplate(toy(), llama2).prompt([{ role: 'tool', content: 'x' }])).toThrow(
      /refuses this conversation \(tool\): no tool/,
    );
  });

  it('an end-of-turn token other than EOS, and trimming', () => {
    const template = chatTemplate(
      toy(),
      '{% for m in messages %}{{ m.role }}: {{ m.content | trim }}<turn>\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}',
    );
    expect(template.stopIds).toEqual([258, 257]);
    expect(shown(template, template.response('  x \n'))).toBe('x<turn>');
    expect(shown(template, template.conversation([user(' a '), assistant(' b '), user('c'), assistant('d')]).ids)).toBe(
      'user: a<turn>\nassistant: b<turn>\nuser: c<turn>\nassistant: d<turn>',
    );
  });

  it('without a control token after the content, EOS ends the turn', () => {
    const template = chatTemplate(
      toy(),
      '{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}',
    );
    expect(shown(template, template.response('x'))).toBe('x</s>');
    expect(shown(template, template.conversation([user('a'), assistant('b'), user('c'), assistant('d')]).ids)).toBe(
      'user: a\nassistant: b</s>\nuser: c\nassistant: d</s>',
    );
    expect(() => chatTemplate(createTokenizer(...toyFiles([])), '{{ messages[1].content }}')).toThrow('No end-of-turn token');
  });

  it('a template that rewrites earlier turns cannot be learned as one sequence', () => {
    const forgetful = chatTemplate(
      toy(),
      '{% for m in messages %}<turn>{{ m.role }}\n{% if m.role == "assistant" and not loop.last %}{{ m.content.split("</think>")[-1] }}' +
        '{% else %}{{ m.content }}{% endif %}</s>{% endfor %}{% if add_generation_prompt %}<turn>assistant\n{% endif %}',
    );
    expect(() => forgetful.conversation([user('a'), assistant('hm</think>b'), user('c'), assistant('d')])).toThrow(
      /renders the turns before turn 4 differently/,
    );
    expect(shown(forgetful, forgetful.conversation([user('a'), assistant('hm</think>b')]).ids)).toBe(
      '<turn>user\na</s><turn>assistant\nhm</think>b</s>',
    );
  });

  it('a generation prompt that no finished turn begins with', () => {
    const opening = chatTemplate(
      toy(),
      '{% for m in messages %}{{ m.content }}</s>{% endfor %}{% if add_generation_prompt %}<think>{% endif %}',
    );
    expect(() => opening.response('x')).toThrow('renders a finished assistant turn differently from its generation prompt');
  });

  it('no template, a broken one, one without the content, a conversation without an answer', () => {
    expect(() => chatTemplate(toy())).toThrow('no chat template');
    expect(() => chatTemplate(toy(), '{% for %}')).toThrow('not valid Jinja');
    expect(() => chatTemplate(toy(), 'hello')).toThrow("leaves out the assistant's content");
    expect(() => chat.conversation([user('a')])).toThrow('must end with an assistant turn; this one ends with user');
    expect(() => chat.conversation([assistant('a')])).toThrow('begins with an assistant turn');
  });
});

describe('the plain template', () => {
  it('is the papers\' own, and ends with EOS', () => {
    const alpaca = alpacaTemplate(tokenizer);
    expect(text(alpaca.prompt([user('Add 1 and 2.')]))).toBe(
      'Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n' +
        '### Instruction:\nAdd 1 and 2.\n\n### Response:\n',
    );
    expect(alpaca.response('3')).toEqual([...tokenizer.encode('3'), 2]);
    expect(alpaca.stopIds).toEqual([2]);
    const { ids, supervised } = alpaca.conversation([user('a <|im_end|>'), assistant('b')]);
    expect(ids.filter((id) => id === 2)).toHaveLength(1);
    expect(text(ids.filter((_, i) => supervised[i]))).toBe('b<|im_end|>');
  });

  it('puts BOS first where the tokenizer does, and refuses what it cannot say', () => {
    const bos = createTokenizer(...toyFiles(['<s>', '</s>'], { bos_token: '<s>', eos_token: '</s>', add_bos_token: true }));
    expect(alpacaTemplate(bos).prompt([user('a')])[0]).toBe(256);
    expect(() => alpacaTemplate(bos).prompt([user('a'), assistant('b'), user('c')])).toThrow('got user, assistant, user');
    expect(() => alpacaTemplate(createTokenizer(...toyFiles([])))).toThrow('names no eos_token');
  });
});

describe('judged prompts', () => {
  it('for the plain template are T_judge', () => {
    const prompt = alpacaTemplate(tokenizer).prompt(judgedPrompt([user('Add {judgment}.')], 'Wrong: {instruction}.', 'alpaca'));
    expect(text(prompt)).toBe(
      'Below is an instruction that describes a task. Write a response to the instruction and the response should match the ' +
      'corresponding judgment.\n\n' +
        '### Instruction:\nAdd {judgment}.\n\n### Judgment:\nWrong: {instruction}.\n\n### Response:\n',
    );
  });

  it('for chat models rewrite the last user turn alone', () => {
    const messages: Message[] = [{ role: 'system', content: 's' }, user('a'), assistant('b'), user('c')];
    const judged = judgedPrompt(messages, 'Too short.', 'chat');
    expect(judged.slice(0, 3)).toEqual(messages.slice(0, 3));
    expect(judged[3]?.content).toBe('c\n\nWrite an answer that deserves this judgment: Too short.');
    expect(judgedPrompt([user('q')], 'j', 'chat', '{instruction} [{judgment}] {"k": 1}')).toEqual([user('q [j] {"k": 1}')]);
  });

  it('say what is wrong with a wording or a row', () => {
    expect(() => judgedPrompt([user('q')], 'j', 'chat', '{instruction} {judgment} {critique}')).toThrow(
      'unknown placeholder {critique}; known: {instruction}, {judgment}',
    );
    expect(() => judgedPrompt([user('q')], 'j', 'chat', '{instruction}')).toThrow('lacks {judgment}');
    expect(() => judgedPrompt([user('q')], ' ', 'chat')).toThrow('judgment is empty');
    expect(() => judgedPrompt([user('q'), assistant('a')], 'j', 'chat')).toThrow('ends with assistant');
  });
});
