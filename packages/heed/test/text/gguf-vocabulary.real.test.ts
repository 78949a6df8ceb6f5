import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { tokenizerFromGguf } from '../../src/text/gguf-vocabulary.js';
import { createDecoder } from '../../src/text/decoder.js';
import { createTokenizer } from '../../src/text/tokenizer.js';
import { defaultFolder, fixture } from './support.js';

interface Sp {
  tokens: string[];
  types: number[];
  scores: number[];
  merges: [string, string][];
  rows: { text: string; plain: number[]; special: number[]; decoded: string }[];
}

const gpt2 = (more: Record<string, unknown> = {}): Map<string, unknown> => new Map(Object.entries({
  'tokenizer.ggml.model': 'gpt2', 'tokenizer.ggml.pre': 'gpt-2', 'tokenizer.ggml.tokens': ['a', 'b', 'ab', '<e>'],
  'tokenizer.ggml.token_type': [1, 1, 1, 3], 'tokenizer.ggml.merges': ['a b'], 'tokenizer.ggml.eos_token_id': 3, ...more,
}));

describe('byte-level vocabularies', () => {
  let vocabulary: Map<string, unknown>;
  beforeAll(async () => {
    const json = JSON.parse(await readFile(join(await defaultFolder(), 'tokenizer.json'), 'utf8')) as {
      model: { vocab: Record<string, number>; merges: [string, string][] };
    };
    const tokens: string[] = [];
    for (const [token, id] of Object.entries(json.model.vocab)) tokens[id] = token;
    vocabulary = gpt2({
      'tokenizer.ggml.tokens': tokens, 'tokenizer.ggml.token_type': Int32Array.from(tokens, (_, id) => id < 17 ? 3 : 1),
      'tokenizer.ggml.merges': json.model.merges.map((pair) => pair.join(' ')), 'tokenizer.ggml.eos_token_id': 2n,
    });
  });

  const { texts, ids } = fixture<{ texts: string[]; ids: Record<string, number[][]> }>('pre-tokenizers.json');
  it.each(Object.keys(ids))('%s splits as its original tokenizer.json', (pre) => {
    const { tokenizer, tokenizerConfig } = tokenizerFromGguf(new Map([...vocabulary, ['tokenizer.ggml.pre', pre]]));
    const own = createTokenizer(tokenizer, tokenizerConfig);
    expect(texts.map((text) => own.encode(text))).toEqual(ids[pre]);
  });

  it('writes SmolLM2 as the original files do', async () => {
    const folder = await defaultFolder();
    const [json, config] = await Promise.all(['tokenizer.json', 'tokenizer_config.json'].map(async (name) =>
      JSON.parse(await readFile(join(folder, name), 'utf8')) as Record<string, unknown>));
    expect(json).toMatchObject({
      normalizer: null,
      post_processor: null,
      pre_tokenizer: {
        type: 'Sequence',
        pretokenizers: [
          { type: 'Digits', individual_digits: true },
          { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
        ],
      },
      decoder: { type: 'ByteLevel' },
    });
    expect((json?.['added_tokens'] as { id: number; special: boolean }[]).map(({ id, special }) => [id, special])).toEqual(
      Array.from({ length: 17 }, (_, id) => [id, true]),
    );
    expect(config).toMatchObject({
      bos_token: '<|im_start|>', eos_token: '<|im_end|>', pad_token: '<|im_end|>', unk_token: '<|endoftext|>',
      add_bos_token: false, clean_up_tokenization_spaces: false, model_max_length: 8192,
    });
    expect(config?.['chat_template']).toContain('You are a helpful AI assistant named SmolLM');
  });
});

describe('SentencePiece vocabularies', () => {
  const toy = fixture<Sp>('sentencepiece.json');
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
  const metadata = new Map<string, unknown>(Object.entries({
    'tokenizer.ggml.model': 'llama',
    'tokenizer.ggml.tokens': ['<unk>', '<s>', '</s>', ...bytes, ...toy.tokens],
    'tokenizer.ggml.token_type': [2, 3, 3, ...bytes.map(() => 6), ...toy.types],
    'tokenizer.ggml.scores': Float32Array.from([0, 0, 0, ...bytes.map(() => 0), ...toy.scores]),
    'tokenizer.ggml.bos_token_id': 1, 'tokenizer.ggml.eos_token_id': 2, 'tokenizer.ggml.unknown_token_id': 0,
  }));
  const { tokenizer, tokenizerConfig } = tokenizerFromGguf(metadata);
  const own = createTokenizer(tokenizer, tokenizerConfig);

  it('recovers the merges that transformers recovers from the scores', () => {
    expect((tokenizer as { model: { merges: unknown } }).model.merges).toEqual(toy.merges);
  });

  it.each(toy.rows)('$text', ({ text, plain, special, decoded }) => {
    expect(own.encode(text)).toEqual(plain);
    expect(own.encode(text, { special: true })).toEqual(special);
    expect(own.decode(plain)).toBe(decoded);
  });

  it('adds BOS unless told otherwise, and no space after text', () => {
    expect(own).toMatchObject({ addsBos: true, bosId: 1, eosId: 2 });
    expect(own.encode('hello').map((id) => own.tokenText(id))).toEqual([' hello']);
    expect(own.encode('hello', { after: 'text' }).map((id) => own.tokenText(id))).toEqual(['hello']);
  });
});

describe('vocabularies that a GGUF tells incompletely', () => {
  const spelt = (tokens: string[], types: number[], more: Record<string, unknown>): Map<string, unknown> =>
    new Map(
      Object.entries({
        'tokenizer.ggml.model': 'llama',
        'tokenizer.ggml.tokens': ['<unk>', '<s>', '</s>', ...tokens],
        'tokenizer.ggml.token_type': [2, 3, 3, ...types],
        'tokenizer.ggml.scores': ['<unk>', '<s>', '</s>', ...tokens].map((_, id) => id),
        'tokenizer.ggml.bos_token_id': 1,
        'tokenizer.ggml.eos_token_id': 2,
        ...more,
      }),
    );

  it("Gemma 3: runs of spaces are pieces, merged first, and merging follows the order of ids, not the scores", () => {
    const { tokenizer, tokenizerConfig } = tokenizerFromGguf(spelt(['  ', '   ', 'ab', 'bc', '▁', 'a', 'b', 'c'], [4, 4, 1, 1, 1, 1, 1, 1],
      { 'general.architecture': 'gemma3', 'tokenizer.ggml.add_space_prefix': false }));
    expect((tokenizer as { model: { merges: unknown } }).model.merges).toEqual([
      ['▁', '▁'],
      ['▁▁', '▁'],
      ['▁', '▁▁'],
      ['a', 'b'],
      ['b', 'c'],
    ]);
    const own = createTokenizer(tokenizer, tokenizerConfig);
    const ids = own.encode('abc   abc c');
    expect(ids.map((id) => own.tokenText(id))).toEqual(['ab', 'c', '   ', 'ab', 'c', ' ', 'c']);
    expect(own.decode(ids)).toBe('abc   abc c');
    const stream = createDecoder(own);
    expect(ids.map((id) => stream.push(id)).join('') + stream.end()).toBe('abc   abc c');
  });

  it("Phi-3: control tokens take the white space after them with them, but for three", () => {
    const read = (name: string): number[] => {
      const { tokenizer, tokenizerConfig } = tokenizerFromGguf(spelt(['<|user|>', '<|endoftext|>', '▁', 'a', '▁a'], [3, 3, 1, 1, 1],
        { 'general.architecture': 'phi3', 'general.name': name, 'tokenizer.ggml.add_space_prefix': false }));
      return createTokenizer(tokenizer, tokenizerConfig).encode('<|user|>  a<|endoftext|> a', { special: true });
    };
    expect(read('Phi 3 Mini')).toEqual([3, 6, 4, 7]);
    expect(read('Phi 4 Mini')).toEqual([3, 5, 7, 4, 7]);
  });
});

describe('what cannot be read says so', () => {
  it.each([
    [{ 'tokenizer.ggml.model': 'bert' }, 'tokenizer.ggml.model is "bert"; known: gpt2, llama'],
    [{ 'tokenizer.ggml.pre': 'new-one' }, /tokenizer\.ggml\.pre is "new-one"; known: .*smollm.*qwen2/],
    [{ 'tokenizer.ggml.pre': undefined }, /tokenizer\.ggml\.pre is missing; known: gpt-2/],
    [{ 'tokenizer.ggml.merges': undefined }, 'has no tokenizer.ggml.merges'],
    [{ 'tokenizer.ggml.merges': ['a b c'] }, 'merges[0] is "a b c"'],
    [{ 'tokenizer.ggml.tokens': ['a', 'a', 'b', 'c'] }, 'holds "a" twice (ids 0 and 1)'],
    [{ 'tokenizer.ggml.token_type': [1] }, '4 tokenizer.ggml.tokens but 1 tokenizer.ggml.token_type'],
    [{ 'tokenizer.ggml.eos_token_id': 9 }, 'eos_token_id is 9, but the vocabulary has ids 0 to 3'],
    [{ 'tokenizer.ggml.add_bos_token': 'yes' }, 'add_bos_token is "yes"'],
  ])('%j', (more, message) => {
    expect(() => tokenizerFromGguf(gpt2(more))).toThrow(message);
  });
});

it('BOS by configuration becomes a post-processor', () => {
  const { tokenizer, tokenizerConfig } = tokenizerFromGguf(
    gpt2({ 'tokenizer.ggml.add_bos_token': true, 'tokenizer.ggml.bos_token_id': 3 }),
  );
  expect(tokenizer).toMatchObject({
    post_processor: { type: 'TemplateProcessing', single: [{ SpecialToken: { id: '<e>' } }, { Sequence: { id: 'A' } }] },
  });
  expect(createTokenizer(tokenizer, tokenizerConfig).addsBos).toBe(true);
});
