import { describe, expect, it } from 'vitest';
import { parseJson, parseSpelt } from '../../src/data/spelt.js';

// Texts that Python 3.11 and numpy 2 printed (repr, str of an object array).
describe('lists and objects spelt as text', () => {
  it.each<[string, unknown]>([
    [`[{'role': 'user', 'content': "it's"}]`, [{ role: 'user', content: "it's" }]],
    [String.raw`['a\'b"', 'c\nd', '\\', '\x00\u2028\U0001f600', 'é']`, ['a\'b"', 'c\nd', '\\', '\0\u2028😀', 'é']],
    [`{'a': True, 'b': None, 'c': [1, -2.5, 1e-07], 'd': (1, 'x'), 'e': {}}`, { a: true, b: null, c: [1, -2.5, 1e-7], d: [1, 'x'], e: {} }],
    [`[{'content': 'p', 'role': 'user'} {'content': 'c', 'role': 'assistant'}]`,
      [{ content: 'p', role: 'user' }, { content: 'c', role: 'assistant' }]],
    [`array([{'content': 'p', 'role': 'user'}], dtype=object)`, [{ role: 'user', content: 'p' }]],
    [`['a' 'b']`, ['a', 'b']], ['[0.25 0.75]', [0.25, 0.75]],
    ['[{"role": "user", "content": "a\\u00e9"}]', [{ role: 'user', content: 'aé' }]],
    ['[1234567890123456789, 9007199254740993]', ['1234567890123456789', '9007199254740993']],
    [`{'id': 1234567890123456789}`, { id: '1234567890123456789' }],
    // JSON that was written as JSON once and twice more, as exports of exports are.
    ['"[{\\"role\\":\\"user\\",\\"content\\":\\"say \\\\\\"x\\\\\\"\\"}]"', [{ role: 'user', content: 'say "x"' }]],
    [JSON.stringify(JSON.stringify('[1]')), [1]],
    // util.inspect of Node 20.
    [`[ { role: 'user', content: "it's", weight: 1 } ]`, [{ role: 'user', content: "it's", weight: 1 }]],
  ])('%s', (text, value) => expect(parseSpelt(text)).toEqual(value));

  it.each(['text', '[open', `[{'a': 1}`,
    `{'a' 'b'}`, `[nan]`, `['a'] tail`, '[citation needed]', `[{'a': 1, 'a': 2}]`, `['\\ud83d']`, '["\\ud83d"]', '{x}', '"[said] he"',
    '"[said" he', '{ a: b }', `[ { a: 'x' + 'y' } ]`])(
    '%s is text', (text) => expect(parseSpelt(text)).toBeUndefined(),
  );
});

describe('JSON', () => {
  it('keeps every digit of whole numbers that a double cannot hold, as text', () => {
    expect(parseJson('{"id":1234567890123456789,"n":-9007199254740993,"ok":9007199254740991,"even":9007199254740992}')).toEqual({
      id: '1234567890123456789', n: '-9007199254740993', ok: 9007199254740991, even: 9007199254740992,
    });
    expect(parseJson('["call 1234567890123456789", "\\"1234567890123456789", 0.12345678901234567890, 1e20]')).toEqual([
      'call 1234567890123456789', '"1234567890123456789', 0.12345678901234568, 1e20,
    ]);
  });
});
