import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { cells, sideBySide, wrap } from '../../src/cli/side-by-side.js';
import { scratchFolder } from '../support/scratch.js';
import { heed, tinyChat } from './support.js';

const { folder } = scratchFolder();
let model = '';
let adapter = '';
beforeAll(async () => { ({ model, adapter } = await tinyChat(folder)); });

interface Reply { text: string; tokens: number; finish: string; promptTokens: number }
interface Talk { model: string; turns: { prompt: string; answers: { base?: Reply; adapter?: Reply } }[] }

const talk = async (input: string, ...more: string[]): Promise<Talk> => {
  const { code, json, out } = await heed(['chat', '--model', model, '--max-tokens', '5', '--json', ...more], { input });
  expect(code).toBe(0);
  expect(out.trim().split('\n')).toHaveLength(1);
  return json<Talk>();
};

describe('heed chat', () => {
  it('remembers what was said until /reset, one turn a line, and ends at /quit', async () => {
    const { turns } = await talk('Hi\n\nAnd now?\n/reset\nHi\n/quit\nnever\n', '--temperature', '0');
    expect(turns.map(({ prompt }) => prompt)).toEqual(['Hi', 'And now?', 'Hi']);
    const [first, second, third] = turns.map(({ answers }) => answers.base!);
    // <s>u_Hi</s><s>a_ : each letter a token; the second turn comes after the first and its answer, in words.
    expect(first!.promptTokens).toBe(9);
    expect(second!.promptTokens).toBeGreaterThan(9 + 'And now?'.length);
    expect(third).toEqual(first);
    expect((await talk('Hi', '--temperature', '0', '--system', 'Be')).turns[0]!.answers.base!.promptTokens).toBe(9 + 6);
  });

  it('answers with the base and the adapter, each with a memory of its own', async () => {
    const { turns } = await talk('Hi\nMore\n', '--adapter', adapter, '--compare', '--temperature', '1');
    expect(turns).toHaveLength(2);
    for (const { answers } of turns) expect(Object.keys(answers)).toEqual(['base', 'adapter']);
    const alone = await talk('Hi\nMore\n', '--adapter', adapter, '--temperature', '1');
    expect(alone.turns.map(({ answers }) => answers)).toEqual(turns.map(({ answers }) => ({ adapter: answers.adapter })));
  });

  it('prints the answers alone to a pipe, and columns in a wide terminal', async () => {
    const argv = ['chat', '--model', model, '--max-tokens', '5', '--temperature', '0'];
    const { turns } = await talk('Hi\n', '--temperature', '0');
    const piped = await heed(argv, { input: 'Hi\n' });
    expect(piped.out).toBe(`${turns[0]!.answers.base!.text}\n`);
    expect(piped.err).toContain('[cut off at --max-tokens 5]');
    const compare = [...argv, '--adapter', adapter, '--compare'];
    const narrow = await heed(compare, { input: 'Hi\n' });
    expect(narrow.out).toMatch(/^base: [^]*\nadapter: [^]*\n\n$/);
    const wide = await heed(compare, { input: 'Hi\n', columns: 120 });
    expect(wide.out.split('\n')[0]).toBe(`${'base'.padEnd(58)} │ adapter`);
    expect(wide.out).toContain('[cut off at --max-tokens 5]');
  });

  it('says so when the context is full, and goes on after /reset', async () => {
    // Not one character of the long turn can be answered; nothing of it is remembered.
    const { turns } = await talk(`Hi\n${'x'.repeat(300)}\nHi\n/reset\n${'x'.repeat(245)}\n`, '--temperature', '0');
    const answers = turns.map(({ answers: { base } }) => base!);
    expect(answers[1]).toMatchObject({ finish: 'full', text: '', tokens: 0 });
    expect(answers[2]!.promptTokens).toBeLessThan(60);
    expect(answers[3]).toMatchObject({ finish: 'context', tokens: 4 });
    const { err } = await heed(['chat', '--model', model], { input: 'x'.repeat(300) });
    expect(err).toContain('no room to answer: the conversation has 307 tokens, and the context is 256');
    expect(err).toContain('/reset');
  });

  it('says what is wrong', async () => {
    const compare = await heed(['chat', '--model', model, '--compare'], { input: '' });
    expect(compare.code).toBe(2);
    expect(compare.err).toContain('Name it: --adapter FOLDER.');
    const command = await heed(['chat', '--model', model], { input: '/rest\n' });
    expect(command.err).toContain('there is no command /rest; there are /reset and /quit');
    const missing = await heed(['chat', '--model', 'no-such-model'], { input: '' });
    expect(missing.code).toBe(2);
    const system = await heed(['chat', '--model', model, '--max-tokens', '0'], { input: '' });
    expect(system.err).toContain('--max-tokens is 0; expected a whole number, at least 1.');
  });
});

describe('columns', () => {
  it('wrap at spaces, count wide characters twice, and stand side by side', () => {
    expect(wrap('one two  three\n\nfour', 8)).toEqual(['one two', 'three', '', 'four']);
    expect(wrap('incomprehensible', 6)).toEqual(['incomp', 'rehens', 'ible']);
    expect(cells('猫 cat 👩‍👩‍👧')).toBe(9);
    const columns = sideBySide([{ name: 'a', text: '猫 x' }, { name: 'b', text: 'one two' }], 13);
    expect(columns).toBe('a     │ b\n───── │ ─────\n猫 x  │ one\n      │ two');
  });

  it('lose no word and keep to their width, for any text', () => {
    const part = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom(' ', '\n', '猫', 'word'));
    const text = fc.array(part, { maxLength: 30 }).map((parts) => parts.join(''));
    fc.assert(fc.property(text, fc.integer({ min: 2, max: 20 }), (given, width) => {
      const lines = wrap(given, width);
      for (const line of lines) expect(cells(line)).toBeLessThanOrEqual(width);
      expect(lines.join('').replace(/\s/g, '')).toBe(given.replace(/\s/g, ''));
    }));
  });
});
