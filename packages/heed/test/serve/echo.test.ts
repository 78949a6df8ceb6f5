import { describe, expect, it } from 'vitest';
import type { Model } from '../../src/model/load.js';
import { readCompletion } from '../../src/serve/ask.js';
import { createTextLogprobsWriter } from '../../src/serve/logprobs.js';
import { type Tokenizer, createTokenizer } from '../../src/text/tokenizer.js';
import { toyFiles } from '../text/support.js';

const CONTROL = ['<s>', '</s>', '<|x|>'];
const bytes = (addsBos: boolean): Tokenizer =>
  createTokenizer(...toyFiles(CONTROL, { bos_token: '<s>', eos_token: '</s>', add_bos_token: addsBos }));

/** A SentencePiece vocabulary: a space before the first word, which the text does not have. */
const pieces = ((): Tokenizer => {
  const words = ['<unk>', '<s>', '</s>', '▁', 'a', 'b', '▁a', '▁b', 'ab'];
  const control = words.slice(0, 3).map((content, id) => ({ id, content, special: true }));
  return createTokenizer({
    added_tokens: control, post_processor: null, pre_tokenizer: null,
    normalizer: { type: 'Sequence', normalizers: [
      { type: 'Prepend', prepend: '▁' }, { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
    ] },
    decoder: { type: 'Sequence', decoders: [
      { type: 'Replace', pattern: { String: '▁' }, content: ' ' }, { type: 'ByteFallback' }, { type: 'Fuse' },
      { type: 'Strip', content: ' ', start: 1, stop: 0 },
    ] },
    model: {
      type: 'BPE', unk_token: '<unk>', byte_fallback: false, fuse_unk: true, merges: ['▁ a', '▁ b', 'a b'],
      vocab: Object.fromEntries(words.map((word, id) => [word, id])),
    },
  }, { bos_token: '<s>', eos_token: '</s>', add_bos_token: true });
})();

const promptOf = (tokenizer: Tokenizer, prompt: unknown) => {
  const [asked] = readCompletion({ model: 'm', prompt, echo: true, max_tokens: 0, logprobs: 0 }).prompts({ tokenizer } as Model);
  return { ids: [...asked!.ids], text: asked!.echo! };
};

describe('BOS of a completion', () => {
  it.each([
    ['before a text, where the tokenizer puts it there', true, 'ab', '<s>ab'],
    ['once, before a text that begins with it', true, '<s>ab', '<s>ab'],
    ['as the text has it further on', true, 'a<s>b', '<s>a<s>b'],
    ['twice, where the text says it twice', true, '<s><s>', '<s><s>'],
    ['never, where the tokenizer puts none', false, 'ab', 'ab'],
    ['never before tokens', true, [97, 98], 'ab'],
  ])('%s', (_, adds, prompt, expected) => {
    const tokenizer = bytes(adds);
    expect(tokenizer.decode(promptOf(tokenizer, prompt).ids)).toBe(expected);
  });
});

describe('text_offset of an echoed prompt', () => {
  const offsets = (tokenizer: Tokenizer, prompt: unknown, answer: readonly number[] = []) => {
    const { ids, text } = promptOf(tokenizer, prompt);
    const logprob = -1;
    const tokens = [...ids.map((id, i) => ({ id, logprob: i === 0 ? null : logprob })), ...answer.map((id) => ({ id, logprob }))];
    const written = createTextLogprobsWriter(tokenizer, true, { text, ids }).write(tokens, false);
    return { text: text + tokenizer.decode(answer, { skipSpecial: true, continues: true }), ...written };
  };

  it.each<[string, unknown]>([
    ['control tokens', '<|x|>ab</s>c<|x|>'], ['BOS that the text has', '<s>ab'], ['characters of two units', 'a😀<|x|>😀b'],
    ['tokens', [258, 97, 257, 98]],
  ])('%s: each token stands where its offset says', (_, prompt) => {
    const { text, tokens, text_offset: at } = offsets(bytes(true), prompt);
    const whole = tokens.filter((token) => !token.startsWith('\\x'));
    expect(whole.length).toBeGreaterThan(1);
    tokens.forEach((token, i) => {
      if (!token.startsWith('\\x') && !(i === 0 && token === '<s>' && !text.startsWith('<s>'))) {
        expect([token, text.slice(at[i], at[i]! + token.length)]).toEqual([token, token]);
      }
    });
  });

  it('BOS that the server put there takes no place', () => {
    expect(offsets(bytes(true), 'ab').text_offset).toEqual([0, 0, 1]);
  });

  it('the space before the first word takes none, and the answer begins where the prompt ends', () => {
    const { text, tokens, text_offset: at } = offsets(pieces, 'ab b', [7, 2, 6]);
    // The text of prompt and answer together, as the tokenizer itself writes it.
    expect(text).toBe(pieces.decode([...promptOf(pieces, 'ab b').ids, 7, 2, 6], { skipSpecial: true }));
    expect([text, tokens]).toEqual(['ab b b a', ['<s>', ' a', 'b', ' b', ' b', '</s>', ' a']]);
    expect(at).toEqual([0, 0, 1, 2, 4, 6, 6]);
  });
});
