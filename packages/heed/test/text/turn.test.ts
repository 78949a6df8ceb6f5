import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.js';
import { createRespond } from '../../src/text/respond.js';
import { alpacaTemplate, chatTemplate, type Message } from '../../src/text/template.js';
import { createTokenizer } from '../../src/text/tokenizer.js';
import { said } from '../../src/text/turn.js';
import { toyFiles } from './support.js';

const toy = createTokenizer(...toyFiles(['<s>', '</s>'], { bos_token: '<s>', eos_token: '</s>' }));
/** Reads nothing but roles and contents. */
const PLAIN = "{% for m in messages %}{{ m.role }}: {{ m.content }}</s>{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}";
/** Writes tools first, thoughts and calls within a turn. */
const RICH = "{% if tools %}can {{ tools | tojson }}</s>{% endif %}{% for m in messages %}{{ m.role }}: "
  + "{% if m.reasoning_content %}({{ m.reasoning_content }}){% endif %}{{ m.content }}"
  + "{% for c in m.tool_calls or [] %}[{{ c.function.name }} {{ c.function.arguments | tojson }}]{% endfor %}</s>{% endfor %}"
  + "{% if add_generation_prompt %}assistant: {% endif %}";

const user: Message = { role: 'user', content: 'q' };
const call = { type: 'function', function: { name: 'add', arguments: { a: '</s>' } } };
const calling: Message = { role: 'assistant', content: '', tool_calls: [call] };

const text = (ids: readonly number[]): string => toy.decode([...ids]);
const learned = ({ ids, supervised }: { ids: number[]; supervised: boolean[] }): string => text(ids.filter((_, i) => supervised[i]));

describe('a turn of weight 0', () => {
  const talk: Message[] = [user, { role: 'assistant', content: 'bad', weight: 0 }, user, { role: 'assistant', content: 'good' }];

  it('is context, with the same tokens, and is not learned', () => {
    for (const source of [PLAIN, RICH]) {
      const template = chatTemplate(toy, source);
      const whole = template.conversation(talk);
      expect(learned(whole)).toBe('good</s>');
      expect(whole.ids).toEqual(template.conversation(talk.map(({ weight: _, ...turn }) => turn)).ids);
    }
    const { prompt, response } = createRespond(chatTemplate(toy, PLAIN)).converse(talk);
    expect([text(prompt), text(response)]).toEqual(['user: q</s>assistant: bad</s>user: q</s>assistant: ', 'good</s>']);
  });
});

describe('parts of a turn', () => {
  it('are written where the template writes them, and learned with their turn', () => {
    const template = chatTemplate(toy, RICH);
    const first: Message = { ...user, tools: [{ name: 'add' }] };
    const talk: Message[] = [first, { ...calling, reasoning_content: 'sum' }, { role: 'tool', content: '3' },
      { role: 'assistant', content: '3' }];
    const whole = template.conversation(talk);
    expect(text(whole.ids)).toBe('can [{"name": "add"}]</s>user: q</s>assistant: (sum)[add {"a": "</s>"}]</s>tool: 3</s>assistant: 3</s>');
    expect(learned(whole)).toBe('(sum)[add {"a": "</s>"}]</s>3</s>');
    // The end of turn in the arguments is text: 4 bytes, not the token.
    const end = toy.encode('</s>', { special: true })[0];
    expect(whole.ids.filter((id) => id === end)).toHaveLength(5);
    expect(text(template.prompt(talk.slice(0, 3)))).toContain('[add {"a": "</s>"}]');
  });

  it.each<[string, Message[]]>([
    ['tool_calls of turn 2', [user, calling, { role: 'tool', content: '3' }]],
    ['reasoning_content of turn 2', [user, { role: 'assistant', content: 'a', reasoning_content: 'b' }, user]],
    ['thinking of turn 2', [user, { role: 'assistant', content: 'a', thinking: 'b' }, user]],
    ['tools', [{ ...user, tools: [{ name: 'add' }] }]],
  ])('%s: refused by a template that passes over it', (what, talk) => {
    const template = chatTemplate(toy, PLAIN);
    expect(() => template.prompt(talk)).toThrow(UserError);
    expect(() => template.prompt(talk)).toThrow(`The chat template leaves out ${what}`);
    expect(() => template.conversation([...talk, { role: 'assistant', content: 'c' }])).toThrow(`leaves out ${what}`);
  });

  it('of each turn is looked for: one that is written does not speak for one that is not', () => {
    const last = '{% for m in messages %}{% if loop.last and m.reasoning_content %}({{ m.reasoning_content }}){% endif %}'
      + '{{ m.content }}</s>'
      + '{% endfor %}{% if add_generation_prompt %}:{% endif %}';
    const thought: Message = { role: 'assistant', content: 'a', reasoning_content: 'b' };
    expect(() => chatTemplate(toy, last).conversation([user, thought, user, thought])).toThrow('leaves out reasoning_content of turn 2');
  });

  it('that are empty say nothing', () => {
    const talk: Message[] = [{ ...user, tools: [] }, { role: 'assistant', content: 'a', tool_calls: [], reasoning_content: '' }, user];
    expect(text(chatTemplate(toy, PLAIN).prompt(talk))).toBe('user: q</s>assistant: a</s>user: q</s>assistant: ');
  });

  it('have no place in the alpaca template', () => {
    const template = alpacaTemplate(toy);
    expect(() => template.prompt([{ ...user, tools: [{ name: 'add' }] }])).toThrow('The alpaca template has no place for tools');
    expect(() => template.conversation([user, { ...calling, content: 'x' }])).toThrow('has no place for tool_calls');
  });

  it('are said in words where no template stands between', () => {
    expect(said({ role: 'assistant', content: 'a', tool_calls: [{ name: 'b' }] })).toBe('a\n{"name":"b"}');
    expect(said(user)).toBe('q');
  });

  it('a template reads the keys that it names', () => {
    expect([chatTemplate(toy, RICH).reads('tool_call_id'), chatTemplate(toy, `${PLAIN}{{ messages[0].name }}`).reads('name')])
      .toEqual([false, true]);
  });
});
