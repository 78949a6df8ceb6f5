import { describe, expect, it } from 'vitest';
import { namesIn } from '../../src/text/names.js';
import { numbersIn, sameNumber } from '../../src/text/numbers.js';
import { sentencesOf } from '../../src/text/sentences.js';
import { cosine, rarity, tfIdf } from '../../src/text/idf.js';
import { contentWords, shareFound, stem, wordF1 } from '../../src/text/words.js';

describe('words', () => {
  it('content words say what a text is about', () => {
    expect(contentWords('I don’t think that the Dogs are there')).toEqual(['dogs']);
  });

  it.each([['dogs', 'dog'], ['baking', 'bakes'], ['planned', 'plans'], ['cities', 'city'], ['children', 'child'], ['makes', 'making']])(
    'stem: %s and %s meet', (a, b) => expect(stem(a)).toBe(stem(b)),
  );
  it.each([['is', 'i'], ['glass', 'gla'], ['bed', 'b'], ['king', 'k']])('stem: %s is not %s', (a, b) => expect(stem(a)).not.toBe(b));

  it('F1 and shares', () => {
    expect(wordF1(['a', 'b', 'b'], ['b', 'c'])).toBeCloseTo(0.4, 12); // 1 shared of 3 and 2: p 1/3, r 1/2
    expect([wordF1([], []), wordF1(['a'], [])]).toEqual([1, 0]);
    expect(shareFound(['a', 'a', 'b', 'c'], ['a', 'c'])).toBe(0.75);
  });

  it('tf-idf as scikit-learn smooths it', () => {
    const rare = rarity([['a', 'b'], ['a', 'c'], ['a']]);
    expect(rare.of('a')).toBeCloseTo(1, 12); // ln(4/4) + 1
    expect(rare.of('b')).toBeCloseTo(1.6931471805599454, 12); // ln(4/2) + 1
    expect(rare.of('z')).toBeCloseTo(2.386294361119891, 12); // ln(4/1) + 1
    expect(cosine(tfIdf(['a', 'b'], rare), tfIdf(['a', 'b'], rare))).toBeCloseTo(1, 12);
    expect(cosine(tfIdf(['a', 'b'], rare), tfIdf(['a'], rare))).toBeCloseTo(1 / Math.hypot(1, 1.6931471805599454), 12);
    expect(cosine(tfIdf([], rare), tfIdf(['a'], rare))).toBe(0);
  });
});

describe('sentences, numbers and names, with their places', () => {
  it('sentences end with a stop, a sign or a line, and not after "Dr."', () => {
    const text = 'Dr. Lind came at 2.5 today. "Why?" she asked!\nNobody knew';
    const found = sentencesOf(text);
    expect(found.map((span) => span.text)).toEqual(['Dr. Lind came at 2.5 today.', '"Why?"', 'she asked!', 'Nobody knew']);
    for (const span of found) expect(text.slice(span.start, span.end)).toBe(span.text);
  });

  it.each([
    ['1,204 and −2.5', [1204, -2.5]], ['twenty-one dogs, Seven cats', [21, 7]], ['chapter 3-4', [3, 4]], ['someone often', []],
    ['a1 b', []],
    ['It is 1894.', [1894]], ['ninety nine', [99]],
  ])('%s', (text, values) => expect(numbersIn(text).map(({ value }) => value)).toEqual(values));
  it('numbers are the same up to rounding', () => {
    expect([sameNumber(0.1 + 0.2, 0.3), sameNumber(0, 0), sameNumber(1, 1.01)]).toEqual([true, true, false]);
  });

  it.each([
    ['We met Karl Obst in Rome.', ['Karl Obst', 'Rome']], ['Yesterday it rained.', []], ['The Blue Olive is open.', ['Blue Olive']],
    ['Anna came. I saw Anna.', ['Anna', 'Anna']], ['I’m here, OK?', []],
  ])('%s', (text, names) => expect(namesIn(text).map((span) => span.text)).toEqual(names));
});
