import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REFINEMENT, refinementPrompt } from '../../src/text/refine.js';
import { SELF_CORRECTION, selfCorrectionPrompt } from '../../src/text/self-correct.js';
import type { Message } from '../../src/text/template.js';
import { sift, whyUnusable } from '../../src/text/usable.js';
import { rewriteInstruction, wordingFault } from '../../src/text/wording.js';

const user = (content: string): Message => ({ role: 'user', content });
const assistant = (content: string): Message => ({ role: 'assistant', content });
const talk: Message[] = [{ role: 'system', content: 's' }, user('a'), assistant('b'), user('c')];

describe('wordings', () => {
  it('put values in their places once, whatever the values hold', () => {
    fc.assert(fc.property(fc.string(), fc.string().filter((s) => s.trim() !== ''), (instruction, note) => {
      const [, last] = rewriteInstruction([user('x'), user(instruction)], 'test', '<{instruction}|{note}|{instruction}>', { note });
      expect(last!.content).toBe(`<${instruction}|${note}|${instruction}>`);
    }));
  });

  it('say what is wrong', () => {
    expect(wordingFault('{instruction} {"k": 1}', ['instruction'])).toBeUndefined();
    expect(wordingFault('no place', ['instruction'])).toBe('lacks {instruction}');
    expect(wordingFault('{instruction} {answer}', ['instruction'])).toContain('unknown placeholder {answer}; known: {instruction}');
    expect(() => rewriteInstruction([user('q'), assistant('a')], 'refinement', '{instruction}')).toThrow(
      'A refinement prompt ends with a user turn; this one ends with assistant',
    );
    expect(() => rewriteInstruction([], 'refinement', '{instruction}')).toThrow('ends with nothing');
  });
});

describe('self-correction', () => {
  it('wraps the last user turn alone, which stays as it was inside', () => {
    const prompt = selfCorrectionPrompt(talk);
    expect(prompt.slice(0, 3)).toEqual(talk.slice(0, 3));
    expect(prompt[3]).toEqual(user(SELF_CORRECTION.replace('{instruction}', 'c')));
    expect(selfCorrectionPrompt([user('q')], 'Be kind. {instruction}')).toEqual([user('Be kind. q')]);
  });

  it('refuses a wording without the instruction, or with a place for something else', () => {
    expect(() => selfCorrectionPrompt([user('q')], 'Be kind.')).toThrow('The self-correction wording lacks {instruction}');
    expect(() => selfCorrectionPrompt([user('q')], '{instruction} {judgment}')).toThrow('unknown placeholder {judgment}');
  });
});

describe('refinement', () => {
  it('shows instruction, response and judgment in the last user turn', () => {
    const prompt = refinementPrompt(talk, 'the {response}', 'the $1 {judgment}');
    expect(prompt.slice(0, 3)).toEqual(talk.slice(0, 3));
    const [before, between, after] = [
      prompt[3]!.content.indexOf('c'),
      prompt[3]!.content.indexOf('the {response}'),
      prompt[3]!.content.indexOf('the $1 {judgment}'),
    ];
    expect(before).toBe(0);
    expect(between).toBeGreaterThan(before);
    expect(after).toBeGreaterThan(between);
    expect(refinementPrompt([user('q')], 'r', 'j', '{judgment}/{response}/{instruction}')).toEqual([user('j/r/q')]);
    expect(wordingFault(REFINEMENT, ['instruction', 'response', 'judgment'])).toBeUndefined();
  });

  it('refuses what shows nothing to refine', () => {
    expect(() => refinementPrompt([user('q')], ' ', 'j')).toThrow('The response is empty');
    expect(() => refinementPrompt([user('q')], 'r', '')).toThrow('The judgment is empty');
    expect(() => refinementPrompt([user('q')], 'r', 'j', '{instruction} {judgment}')).toThrow('lacks {response}');
  });
});

describe('what a model wrote to learn from', () => {
  it('is dropped when empty, equal to the bad answer or cut off, and counted', () => {
    const made = [
      { text: '  good \n', finish: 'stop' }, { text: ' \n', finish: 'stop' }, { text: 'bad\n answer ', finish: 'stop' },
      { text: 'half a', finish: 'length' }, { text: '', finish: 'length' }, { text: 'better', finish: 'stop' },
    ] as const;
    expect(sift(made, ' bad answer')).toEqual({ kept: ['good', 'better'], dropped: { empty: 2, same: 1, 'cut-off': 1 } });
    expect(whyUnusable({ text: 'Bad answer', finish: 'stop' }, 'bad answer')).toBeUndefined();
  });

  it('is kept or counted, each once', () => {
    const one = fc.record({ text: fc.constantFrom('', ' ', 'a', 'b', 'a b'), finish: fc.constantFrom('stop' as const, 'length' as const) });
    fc.assert(fc.property(fc.array(one), fc.constantFrom('a', 'a  b'), (made, bad) => {
      const { kept, dropped } = sift(made, bad);
      expect(kept.length + dropped.empty + dropped.same + dropped['cut-off']).toBe(made.length);
    }));
  });
});
