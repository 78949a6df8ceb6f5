/**
 * How each `tokenizer.ggml.pre` splits text before byte-pair merging.
 *
 * GGUF stores only a name; the rule behind the name is the one in the model's original `tokenizer.json`, which is the truth here.
 * llama.cpp's own regexes agree with it up to its known simplifications (it drops Unicode normalisation, for instance).
 */

/** The parts of a Hugging Face `tokenizer.json` that a pre-tokenizer name decides. */
export interface PreTokenizer {
  readonly normalizer: object | null;
  readonly preTokenizer: object;
  /** A pre-token that is a vocabulary entry is taken whole, even if no chain of merges builds it. */
  readonly ignoreMerges: boolean;
  /** What llama.cpp assumes where the file has no `tokenizer.ggml.add_bos_token`. */
  readonly addsBos: boolean;
}

const GPT2 = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;
const CONTRACTIONS = String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)`;
const LLAMA3 = String.raw`${CONTRACTIONS}|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
const QWEN2 = String.raw`${CONTRACTIONS}|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
const CASED = String.raw`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+`;
const UPPER = String.raw`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*`;
const REST = String.raw` ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
const TEKKEN = `${CASED}|${UPPER}|\\p{N}|${REST}`;
const GPT4O = `${CASED}${CONTRACTIONS}?|${UPPER}${CONTRACTIONS}?|\\p{N}{1,3}|${REST}`;

const NFC = { type: 'NFC' };
const byteLevel = (useRegex: boolean): object => ({ type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: useRegex });
const split = (regex: string): object => ({ type: 'Split', pattern: { Regex: regex }, behavior: 'Isolated', invert: false });
const sequence = (...pretokenizers: object[]): object => ({ type: 'Sequence', pretokenizers });

function rule(preTokenizer: object, more: Partial<PreTokenizer> = {}): PreTokenizer {
  return { normalizer: null, preTokenizer, ignoreMerges: false, addsBos: false, ...more };
}

const gpt2 = rule(byteLevel(true));
const digits = rule(sequence({ type: 'Digits', individual_digits: true }, byteLevel(true)));
const llama3 = rule(sequence(split(LLAMA3), byteLevel(false)), { ignoreMerges: true, addsBos: true });
const qwen2 = rule(sequence(split(QWEN2), byteLevel(false)), { normalizer: NFC });

/** Every `tokenizer.ggml.pre` that Heed knows. */
export const PRE_TOKENIZERS: ReadonlyMap<string, PreTokenizer> = new Map([
  ['gpt-2', gpt2],
  ['phi-2', gpt2],
  ['mpt', gpt2],
  ['olmo', { ...gpt2, normalizer: NFC }],
  ['smollm', digits],
  ['starcoder', digits],
  ['refact', digits],
  ['codeshell', digits],
  ['command-r', { ...digits, normalizer: NFC }],
  ['llama-bpe', llama3],
  ['llama3', llama3],
  ['llama-v3', llama3],
  ['qwen2', qwen2],
  ['deepseek-r1-qwen', qwen2],
  ['tekken', rule(sequence(split(TEKKEN), byteLevel(false)), { ignoreMerges: true, addsBos: true })],
  ['gpt-4o', rule(sequence(split(GPT4O), byteLevel(false)))],
  // What llama.cpp does with files that do not say: no original tokenizer exists to follow.
  ['default', rule(sequence(
    split(String.raw`[\p{P}\$\+<=>\^~\|]+`), split(GPT2), split(String.raw`\p{N}+`), split('[0-9][0-9][0-9]'), byteLevel(false),
  ))],
]);

/** The regex that `ByteLevel` with `use_regex` means, for those who have to apply it themselves. */
export const BYTE_LEVEL_REGEX = GPT2;
