import { describe, expect, it } from 'vitest';
import { UnfitError } from '../../src/errors.js';
import { begunTurn } from '../../src/text/begun-turn.js';
import { alpacaTemplate, chatTemplate } from '../../src/text/template.js';
import type { Template, TemplateOptions } from '../../src/text/template.js';
import { createTokenizer } from '../../src/text/tokenizer.js';
import { toyFiles } from './support.js';

const tokenizer = createTokenizer(...toyFiles(['<s>', '</s>'], { bos_token: '<s>', eos_token: '</s>' }));

/** A template whose assistant turns hold this Jinja expression of `m.content`. */
const withAnswer = (expression: string, options?: TemplateOptions): Template => chatTemplate(
  tokenizer,
  `{% for m in messages %}{% if m.role == "assistant" %}A: {{ ${expression} }}</s>{% else %}U: {{ m.content }}</s>{% endif %}{% endfor %}`
  + '{% if add_generation_prompt %}A: {% endif %}',
  options,
);
const user = { role: 'user', content: 'q' } as const;
const text = (ids: readonly number[]): string => tokenizer.decode(ids);

describe('a template that changes the response', () => {
  it.each([
    ['thoughts', 'm.content.split("</think>")[-1]', '<think>a</think>b'],
    ['a prefix', 'm.content[2:] if m.content.startswith("A:") else m.content', 'A: yes'],
    ['capitals', 'm.content | lower', 'Yes'],
    ['characters', 'm.content | replace("&", "and")', 'salt & pepper'],
    ['its length', 'm.content[:9]', 'longer than nine'],
    ['spaces within', 'm.content.split() | join(" ")', 'two  spaces'],
  ])('%s: it is refused, alone and as the last turn, with both texts and the way out', (_, expression, response) => {
    const template = withAnswer(expression);
    const turns = [user, { role: 'assistant', content: response }] as const;
    for (const learn of [() => template.response(response), () => template.conversation(turns)]) {
      expect(learn).toThrow(UnfitError);
      expect(learn).toThrow(`The chat template changes this response: ${JSON.stringify(response)} becomes `);
    }
    expect(text(template.response('plain'))).toBe('plain</s>');
  });

  it('an earlier turn that is learnt is held to the same', () => {
    const template = withAnswer('m.content | replace("!", ".")');
    const turns = (first: string) => [user, { role: 'assistant', content: first }, user, { role: 'assistant', content: 'b' }] as const;
    expect(() => template.conversation(turns('a!'))).toThrow('changes this response: "a!"');
    expect(template.conversation(turns('a')).ids.length).toBeGreaterThan(0);
  });

  it('may trim its ends, add to it, and hold control tokens in it apart', () => {
    expect(text(withAnswer('m.content | trim').response(' yes\n'))).toBe('yes</s>');
    expect(text(withAnswer('"<think></think>" + m.content').response('yes'))).toBe('<think></think>yes</s>');
    expect(text(withAnswer('m.content').response('a </s> b'))).toBe('a </s> b</s>');
    expect(text(alpacaTemplate(tokenizer).response('<think>a</think>b'))).toBe('<think>a</think>b</s>');
  });

  it('does not keep an answer from going on where it stopped', () => {
    const template = withAnswer('m.content.split("</think>")[-1]');
    expect(text(begunTurn({ tokenizer, template }, '<think>a</think>b'))).toBe('<think>a</think>b');
  });
});

describe('a template that prints the date', () => {
  const dated = 'strftime_now("%d %b %Y, %H:%M") + " " + m.content';

  it('prints the time that it is given, every time', () => {
    let asked = 0;
    const at = new Date(2024, 6, 26, 23, 59);
    const template = withAnswer(dated, { now: () => (asked++, at) });
    expect(text(template.response('x'))).toBe('26 Jul 2024, 23:59 x</s>');
    expect(text(template.response('x'))).toBe('26 Jul 2024, 23:59 x</s>');
    expect(asked).toBeGreaterThan(0);
  });

  it('asks for no time where it prints none, and begins with nothing of ours', () => {
    const template = withAnswer('m.content', { now: () => { throw new Error('not asked'); } });
    expect(text(template.prompt([user]))).toBe('U: q</s>A: ');
    const first = chatTemplate(tokenizer, '{{ strftime_now("%Y") }}|{% for m in messages %}{{ m.content }}</s>{% endfor %}', {
      now: () => new Date(2031, 0, 1),
    });
    expect(text(first.prompt([user]))).toBe('2031|q</s>');
  });
});
