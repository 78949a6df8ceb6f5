import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lastTokenOf, tokenEnds } from '../../src/text/token-ends.js';
import { type Tokenizer, createTokenizer } from '../../src/text/tokenizer.js';
import { toyFiles } from './support.js';

const encoder = new TextEncoder();

/** A vocabulary whose tokens are these pieces of bytes, in this order, as a policy might sample them. */
const sampled = (pieces: readonly Uint8Array[]): Tokenizer => ({
  isSpecial: () => false,
  tokenBytes: (id: number) => pieces[id]!,
  decode: ([id]: readonly number[]) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(pieces[id!]),
}) as unknown as Tokenizer;

/** A text in any script, with emoji of several code points, cut into tokens at any bytes. */
const cutTexts = fc.array(fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('👩‍🚀', '🇪🇺', 'é', '\n', ' a', '.')), { maxLength: 8 })
  .map((parts) => parts.join(''))
  .chain((text) => {
    const bytes = encoder.encode(text);
    return fc.uniqueArray(fc.integer({ min: 0, max: bytes.length }), { maxLength: 12 })
      .map((cuts) => ({ text, bytes, cuts: [0, ...cuts, bytes.length].sort((a, b) => a - b) }));
  });

/** UTF-16 units of the characters that end within the first `n` bytes: counted character by character. */
function unitsWithin(text: string, n: number): number {
  let [bytes, units] = [0, 0];
  for (const character of text) {
    bytes += encoder.encode(character).length;
    if (bytes > n) break;
    units += character.length;
  }
  return units;
}

describe('the ends of sampled tokens', () => {
  it('are where their characters are complete, whatever bytes a token has', () => {
    fc.assert(fc.property(cutTexts, ({ text, bytes, cuts }) => {
      const pieces = cuts.slice(1).map((cut, i) => bytes.subarray(cuts[i], cut));
      const ends = tokenEnds(sampled(pieces), pieces.map((_, id) => id));
      expect(ends).toEqual(cuts.slice(1).map((cut) => unitsWithin(text, cut)));
    }));
  });

  it('lead from a span to the token that has the last byte of its last character', () => {
    fc.assert(fc.property(cutTexts, fc.nat(), fc.nat(), ({ text, bytes, cuts }, a, b) => {
      const characters = [...text];
      fc.pre(characters.length > 0);
      const [first, last] = [a % characters.length, b % characters.length].sort((x, y) => x - y) as [number, number];
      const pieces = cuts.slice(1).map((cut, i) => bytes.subarray(cuts[i], cut));
      const ends = tokenEnds(sampled(pieces), pieces.map((_, id) => id));
      const start = characters.slice(0, first).join('').length;
      const before = characters.slice(0, last + 1).join('');
      const lastByte = encoder.encode(before).length;
      expect(lastTokenOf(ends, { start, end: before.length })).toBe(cuts.slice(1).findIndex((cut) => cut >= lastByte));
    }));
  });

  it('are those of the sampled ids where the tokenizer would cut the text otherwise', () => {
    const [files, config] = toyFiles(['<end>']);
    const { model } = files as { model: { merges: string[]; vocab: Record<string, number> } };
    Object.assign(model.vocab, { ab: 300, abc: 301 });
    model.merges.push('a b', 'ab c');
    const tokenizer = createTokenizer(files, config);
    expect(tokenizer.encode('abc.')).toEqual([301, 46]);
    // "ab" and "c." as sampled: counting tokens of the prefix "abc", told apart anew, would give the token 0.
    const ids = [300, 99, 46, 256];
    expect(tokenEnds(tokenizer, ids)).toEqual([2, 3, 4, 4]);
    expect(lastTokenOf(tokenEnds(tokenizer, ids), { start: 0, end: 3 })).toBe(1);
  });

  it('give what names no place to the last token', () => {
    const spans = [{ start: 0, end: 0 }, { start: 3, end: 3 }, { start: 2, end: 9 }];
    expect(spans.map((span) => lastTokenOf([2, 3, 4, 4], span))).toEqual([3, 3, 3]);
  });
});
