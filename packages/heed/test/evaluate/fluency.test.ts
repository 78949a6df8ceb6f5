import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { coverage, distinct, repetition } from '../../src/evaluate/fluency.js';
import { words } from '../../src/text/words.js';

describe('words', () => {
  it.each([
    ["Don't stop: 2.5 kg, eco-friendly!", ["don't", 'stop', '2.5', 'kg', 'eco-friendly']],
    ['It’s a “mug”…', ['it’s', 'a', 'mug']],
    ['Größe Ωmega naïve नमस्ते', ['größe', 'ωmega', 'naïve', 'नमस्ते']],
    ['** 🏨 -- !', []],
  ])('%s', (text, expected) => {
    expect(words(text)).toEqual(expected);
  });
});

describe('distinct', () => {
  it('counts different n-grams over all n-grams', () => {
    expect(distinct(['a b a b a'], 2)).toBe(2 / 4);
    expect(distinct(['a b c', 'A B d'], 2)).toBe(3 / 4); // a-b, b-c, b-d of 4: case does not matter, texts do not touch
    expect(distinct(['a b c'], 1)).toBe(1);
    expect(distinct(['a'], 2)).toBeNaN();
  });

  it('lies in (0, 1] and does not depend on the order of the texts', () => {
    fc.assert(fc.property(fc.array(fc.stringMatching(/^[ab ]{3,20}$/), { minLength: 1, maxLength: 6 }), (texts) => {
      const value = distinct(texts, 1);
      if (Number.isNaN(value)) return;
      expect(value > 0 && value <= 1).toBe(true);
      expect(distinct(texts.toReversed(), 1)).toBe(value);
    }));
  });
});

it('repetition tells a loop from fresh text', () => {
  expect(repetition('one two three four five', 2)).toBe(0);
  expect(repetition('very good very good very good', 2)).toBeCloseTo(1 - 2 / 5, 12);
  expect(repetition('one', 3)).toBe(0);
});

it('coverage is the share of the prompt’s content words that the response takes up', () => {
  expect(coverage('Write about a brass lamp with a green shade', 'The lamp has a shade of brass.')).toBe(3 / 4);
  expect(coverage('Write about a brass lamp', 'Hello.')).toBe(0);
  expect(coverage('a of', 'anything')).toBeNaN();
});
