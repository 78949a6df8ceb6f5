import { UserError } from '../../src/errors.js';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { createDecoder } from '../../src/text/decoder.js';
import { createTokenizer, loadTokenizer } from '../../src/text/tokenizer.js';
import type { Tokenizer } from '../../src/text/tokenizer.js';
import { defaultTokenizer, fixture, toyFiles } from './support.js';

interface Row { text: string; plain: number[]; special?: number[]; decoded?: string }

let tokenizer: Tokenizer;
beforeAll(async () => {
  tokenizer = await defaultTokenizer();
});

describe('the default model, against the Rust library', () => {
  const rows = fixture<Row[]>('strings.json');

  it.each(rows.map((row, i) => [i, row] as const))('string %i', (_, { text, plain, special = plain, decoded = text }) => {
    expect(tokenizer.encode(text)).toEqual(plain);
    expect(tokenizer.encode(text, { special: true })).toEqual(special);
    expect(tokenizer.decode(plain)).toBe(decoded);
    expect(plain.every((id) => !tokenizer.isSpecial(id))).toBe(true);
  });

  it('knows its special tokens', () => {
    expect(tokenizer).toMatchObject({ vocabularySize: 49152, bosId: 1, eosId: 2, padId: 2, addsBos: false });
    expect(tokenizer.tokenId('<|endoftext|>')).toBe(0);
    expect(tokenizer.tokenId('Ġthe')).toBe(tokenizer.encode(' the')[0]);
    expect(tokenizer.tokenId('no such token')).toBeUndefined();
    expect(tokenizer.decode([1, 28, 2])).toBe('<|im_start|>+<|im_end|>'.replace('+', tokenizer.tokenText(28)));
    expect(tokenizer.decode([1, 28, 2], { skipSpecial: true })).toBe(tokenizer.tokenText(28));
    expect(tokenizer.decode([])).toBe('');
    expect(() => tokenizer.decode([49152])).toThrow(/49152 is outside the vocabulary \(0 to 49151\)/);
  });

  it('shows tokens: text as text, parts of characters as bytes', () => {
    expect(tokenizer.encode(' ٣').map((id) => tokenizer.tokenText(id))).toEqual([' ', '\\xD9', '\\xA3']);
    expect(tokenizer.tokenText(2)).toBe('<|im_end|>');
  });
});

// SmolLM2's vocabulary lacks the bytes of these control characters, and 0xF1 and 0xF2, which lead unassigned planes.
 
const unencodable = /[\x04\x06\x13\x14\x16\x1d\u{40000}-\u{bffff}]/gu;
const pieces = ['<|im_end|>', '<|im_start|>', ' ', '  ', '\n', '\r\n', '7', 'the', 'é', '👨‍👩‍👧', '\ufeff'];
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }), fc.string({ unit: 'grapheme' }),
  fc.array(fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: 'grapheme-ascii', maxLength: 5 }))).map((parts) => parts.join('')),
).map((text) => text.replace(unencodable, ''));

it('decode(encode(text)) is the text, and plain text never holds a control token', () => {
  fc.assert(fc.property(anyText, (text) => {
    const ids = tokenizer.encode(text);
    expect(tokenizer.decode(ids)).toBe(text);
    expect(ids.some((id) => tokenizer.isSpecial(id))).toBe(false);
    expect(tokenizer.decode(tokenizer.encode(text, { special: true }))).toBe(text);
  }), { numRuns: 500 });
});

it('the streaming decoder writes what decode does, in whole characters', () => {
  const streamed = (ids: readonly number[], skipSpecial: boolean): string[] => {
    const decoder = createDecoder(tokenizer, { skipSpecial });
    return [...ids.map((id) => decoder.push(id)), decoder.end()];
  };
  fc.assert(fc.property(anyText, (text) => {
    const parts = streamed(tokenizer.encode(text), true);
    expect(parts.join('')).toBe(text);
    expect(parts.every((part) => !part.includes('\ufffd') || text.includes('\ufffd'))).toBe(true);
  }));
  // Any ids at all, broken characters and control tokens among them.
  fc.assert(fc.property(fc.array(fc.oneof(fc.nat(49151), fc.nat(300))), fc.boolean(), (ids, skipSpecial) => {
    expect(streamed(ids, skipSpecial).join('')).toBe(tokenizer.decode(ids, { skipSpecial }));
  }));
});

it('a very long piece does not exhaust the stack', () => {
  expect(tokenizer.decode(tokenizer.encode('é'.repeat(130_000)))).toHaveLength(130_000);
});

describe('files', () => {
  it('a missing file is named', async () => {
    await expect(loadTokenizer('/nowhere')).rejects.toBeInstanceOf(UserError);
    await expect(loadTokenizer('/nowhere')).rejects.toThrow(
      /\/nowhere\/tokenizer(_config)?\.json cannot be read .* needs tokenizer\.json and tokenizer_config\.json/,
    );
  });

  it('a token of the configuration that the vocabulary lacks is an error', () => {
    expect(() => createTokenizer(...toyFiles(['<e>'], { eos_token: '<f>' }), 'folder')).toThrow(
      'folder: tokenizer_config.json names eos_token "<f>"',
    );
  });

  it('reads tokens written as objects and templates in a list', () => {
    const toy = createTokenizer(
      ...toyFiles(['<e>'], { eos_token: { content: '<e>' }, chat_template: [{ name: 'default', template: 'x' }] }),
    );
    expect(toy).toMatchObject({ eosId: 256, chatTemplate: 'x' });
    expect(() => createTokenizer(...toyFiles([], { chat_template: [{ name: 'rag', template: 'x' }] }))).toThrow('it has rag');
  });

  it('matches overlapping control tokens leftmost, then longest', () => {
    const toy = createTokenizer(...toyFiles(['<a>', '<a><b>', '><']));
    expect(toy.encode('<a><b>', { special: true })).toEqual([257]);
    expect(toy.encode('<a><c', { special: true })).toEqual([256, 60, 99]);
    expect(toy.encode('<a>')).toEqual([60, 97, 62]);
  });

});
