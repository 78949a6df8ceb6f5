import { describe, expect, it } from 'vitest';
import { degenerate, describeDegenerate, repeatsItself, signsIn } from '../../src/evaluate/degenerate.js';

const range = (n: number, from = 0): number[] => Array.from({ length: n }, (_, i) => from + i);
const loop = (period: number, length: number): number[] => range(length).map((i) => i % period);

describe('an answer that repeats itself', () => {
  it('is one of whose 4-grams of tokens half or more were there before', () => {
    // A period of p tokens over L: p different 4-grams of L − 3.
    expect(repeatsItself(loop(1, 40))).toBe(true); // 1 of 37
    expect(repeatsItself(loop(10, 23))).toBe(true); // 10 of 20: just half
    expect(repeatsItself(loop(11, 23))).toBe(false); // 11 of 20
  });

  it('is also one that begins well and then loops', () => {
    expect(repeatsItself([...range(20, 100), ...loop(2, 60)])).toBe(true);
    expect(repeatsItself([...range(60, 100), ...loop(2, 20)])).toBe(false);
  });

  it('is none that says nothing twice, and none of fewer than 16 tokens', () => {
    expect(repeatsItself(range(200))).toBe(false);
    expect(repeatsItself(loop(1, 15))).toBe(false);
    expect(repeatsItself([])).toBe(false);
  });
});

describe('a round of answers', () => {
  const fine = { ids: range(30), text: 'Well.' };
  const empty = { ids: [2], text: ' \n' };
  const looping = { ids: loop(2, 40), text: 'ha ha' };

  it('is counted: empty ones, and ones that repeat themselves', () => {
    expect(degenerate([fine, empty, looping, looping, fine])).toEqual({ empty: 1, repetitive: 2 });
  });

  it('is described only where something is wrong, with advice from a quarter of the answers on', () => {
    expect(describeDegenerate({ empty: 0, repetitive: 0 }, 8)).toBeUndefined();
    expect(describeDegenerate({ empty: 1, repetitive: 0 }, 8)).toBe('of 8 answers 1 empty.');
    expect(describeDegenerate({ empty: 1, repetitive: 1 }, 8))
      .toMatch(/^of 8 answers 1 empty and 1 that repeat themselves; the model writes worse and worse: .*method\.beta.*train\.learningRate/);
  });
});

describe('signs that a model has collapsed, beside its numbers', () => {
  const answers = (n: number, one: object = {}) =>
    range(n).map((i) => ({ ids: range(30), text: `Well ${i}.`, finish: 'stop' as const, ...one }));

  it('are said of a quarter that is empty or repeats itself, of most that are cut off, and of nearly all that are equal', () => {
    const loops = answers(2, { ids: loop(2, 40) });
    expect(signsIn([...answers(6), ...loops])).toEqual(['2 of 8 answers repeat themselves']);
    expect(signsIn([...answers(7), ...loops])).toEqual([]);
    expect(signsIn([...answers(5), ...answers(3, { text: '' })])).toEqual(['3 of 8 answers are empty']);
    expect(signsIn([...answers(4), ...answers(4, { finish: 'length' })])).toEqual([]);
    expect(signsIn([...answers(3), ...answers(5, { finish: 'length' })])).toEqual(['5 of 8 answers are cut off']);
    expect(signsIn([...answers(1), ...answers(9, { text: 'No.' })])).toEqual(['9 of 10 answers are the same text']);
    expect(signsIn([...answers(2), ...answers(8, { text: 'No.' })])).toEqual([]);
    // Of so few it may well be chance.
    expect(signsIn(answers(7, { text: 'No.' }))).toEqual([]);
  });
});
