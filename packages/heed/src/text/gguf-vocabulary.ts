import { UserError } from '../errors.js';
import { PRE_TOKENIZERS } from './pretokenizers.js';

/** `tokenizer.ggml.token_type`, as llama.cpp numbers it. */
const TYPE = { unknown: 2, control: 3, userDefined: 4 } as const;

/** The contents of `tokenizer.json` and `tokenizer_config.json` (Hugging Face formats). */
export interface TokenizerFiles {
  readonly tokenizer: object;
  readonly tokenizerConfig: object;
}

interface AddedToken {
  id: number; content: string; single_word: boolean; lstrip: boolean; rstrip: boolean; normalized: boolean; special: boolean;
}

interface Vocabulary {
  readonly tokens: readonly string[];
  readonly types: readonly number[];
  readonly vocab: Record<string, number>;
  readonly added: readonly AddedToken[];
}

/**
 * Turns the vocabulary inside a GGUF file into the two Hugging Face tokenizer files.
 *
 * Two kinds are known: `gpt2` (byte-level BPE, split by the rule named in `tokenizer.ggml.pre`) and `llama` (SentencePiece BPE with
 * byte fallback; merges are recovered from the scores as `transformers` does; Gemma's and Phi-3's peculiarities are known). For
 * SmolLM2 the result encodes as the original `tokenizer.json` does, single digits included.
 *
 * @param metadata GGUF keys as they stand in the file. Numbers may be `number` or `bigint`, arrays plain or typed.
 * @throws if a needed key is missing or malformed, or if the tokenizer kind or the `pre` name is unknown (the error lists those known).
 */
export function tokenizerFromGguf(metadata: ReadonlyMap<string, unknown>): TokenizerFiles {
  const model = metadata.get('tokenizer.ggml.model');
  if (model === 'gpt2') return byteLevelFiles(metadata);
  if (model === 'llama') return sentencePieceFiles(metadata);
  throw new UserError(`GGUF tokenizer.ggml.model is ${show(model)}; known: gpt2, llama. ` +
    'Use a checkpoint folder with the original tokenizer.json instead.');
}

function byteLevelFiles(metadata: ReadonlyMap<string, unknown>): TokenizerFiles {
  const name = metadata.get('tokenizer.ggml.pre');
  const pre = typeof name === 'string' ? PRE_TOKENIZERS.get(name) : undefined;
  if (!pre) {
    throw new UserError(`GGUF tokenizer.ggml.pre is ${show(name)}; known: ${[...PRE_TOKENIZERS.keys()].join(', ')}. ` +
      'Use a checkpoint folder with the original tokenizer.json instead.');
  }
  const vocabulary = readVocabulary(metadata);
  const merges = list(metadata, 'tokenizer.ggml.merges').map((merge, i) => splitMerge(merge, i));
  const addBos = flag(metadata, 'tokenizer.ggml.add_bos_token') ?? pre.addsBos;
  const addEos = flag(metadata, 'tokenizer.ggml.add_eos_token') ?? false;
  return {
    tokenizer: tokenizerJson(metadata, vocabulary, {
      normalizer: pre.normalizer,
      pre_tokenizer: pre.preTokenizer,
      decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
      model: bpe(vocabulary.vocab, merges, { ignore_merges: pre.ignoreMerges }),
    }, addBos, addEos),
    tokenizerConfig: configJson(metadata, vocabulary, addBos, addEos, 'GPT2Tokenizer'),
  };
}

function sentencePieceFiles(metadata: ReadonlyMap<string, unknown>): TokenizerFiles {
  const architecture = metadata.get('general.architecture'), gemma = architecture === 'gemma3';
  const read = readVocabulary(metadata, gemma ? spacesAsPieces : undefined);
  const vocabulary = architecture === 'phi3' && isPhi3(metadata) ? strippingPhi3(read) : read;
  const merges = metadata.has('tokenizer.ggml.merges')
    ? list(metadata, 'tokenizer.ggml.merges').map((merge, i) => splitMerge(merge, i))
    // Gemma's order of merging is that of its ids: its runs of spaces and newlines have no scores, though they are merged first.
    : mergesFromScores(vocabulary, gemma ? vocabulary.tokens.map((_, id) => -id) : list(metadata, 'tokenizer.ggml.scores').map(Number));
  const addBos = flag(metadata, 'tokenizer.ggml.add_bos_token') ?? true;
  const addEos = flag(metadata, 'tokenizer.ggml.add_eos_token') ?? false;
  const prefix = flag(metadata, 'tokenizer.ggml.add_space_prefix') ?? true;
  const replace = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
  const unknown = tokenAt(metadata, vocabulary, 'unknown') ?? vocabulary.tokens[vocabulary.types.indexOf(TYPE.unknown)] ?? null;
  return {
    tokenizer: tokenizerJson(metadata, vocabulary, {
      // The prefix goes before every stretch between control tokens: llama.cpp and the original Llama files agree on that.
      normalizer: { type: 'Sequence', normalizers: prefix ? [{ type: 'Prepend', prepend: '▁' }, replace] : [replace] },
      pre_tokenizer: null,
      decoder: {
        type: 'Sequence',
        decoders: [
          { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
          { type: 'ByteFallback' },
          { type: 'Fuse' },
          ...(prefix ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
        ],
      },
      model: bpe(vocabulary.vocab, merges, { unk_token: unknown, fuse_unk: true, byte_fallback: true }),
    }, addBos, addEos),
    tokenizerConfig: configJson(metadata, vocabulary, addBos, addEos, 'LlamaTokenizer'),
  };
}

/** llama.cpp's converter writes Gemma's runs of spaces as spaces; its tokenizer.json, like every SentencePiece one, as `▁▁`. */
function spacesAsPieces(token: string): string {
  return /^ {2,}$/.test(token) ? '▁'.repeat(token.length) : token;
}

/** Phi-4 mini is of the same architecture, and of another kind of vocabulary. */
function isPhi3(metadata: ReadonlyMap<string, unknown>): boolean {
  const name = metadata.get('general.name');
  return typeof name === 'string' && /phi[- ]?3/i.test(name);
}

/** In Phi-3's tokenizer.json, control tokens take the white space after them with them, but for three. A GGUF cannot say so. */
function strippingPhi3(vocabulary: Vocabulary): Vocabulary {
  const plain = new Set(['<unk>', '<s>', '<|endoftext|>']);
  return { ...vocabulary, added: vocabulary.added.map((token) => ({ ...token, rstrip: !plain.has(token.content) })) };
}

function readVocabulary(metadata: ReadonlyMap<string, unknown>, spell: (token: string) => string = (token) => token): Vocabulary {
  const tokens = list(metadata, 'tokenizer.ggml.tokens').map((token) => spell(String(token)));
  const types = metadata.has('tokenizer.ggml.token_type') ? list(metadata, 'tokenizer.ggml.token_type').map(Number) : tokens.map(() => 1);
  if (types.length !== tokens.length) {
    throw new UserError(
      `GGUF has ${tokens.length} tokenizer.ggml.tokens but ${types.length} tokenizer.ggml.token_type: the file is damaged.`,
    );
  }
  const ids = new Map<string, number>();
  tokens.forEach((token, id) => {
    const before = ids.get(token);
    if (before !== undefined) throw new UserError(`GGUF tokenizer.ggml.tokens holds ${show(token)} twice (ids ${before} and ${id}).`);
    ids.set(token, id);
  });
  const added: AddedToken[] = [];
  types.forEach((type, id) => {
    if (type !== TYPE.control && type !== TYPE.userDefined && type !== TYPE.unknown) return;
    added.push({
      id, content: tokens[id] as string, single_word: false, lstrip: false, rstrip: false, normalized: false,
      special: type !== TYPE.userDefined,
    });
  });
  // fromEntries defines own properties, so that a token spelt `__proto__` stays a token.
  return { tokens, types, vocab: Object.fromEntries(ids), added };
}

/** Every way of building a piece from two pieces, the best-scored piece first; ties: the longer left, then the longer right part. */
function mergesFromScores({ tokens, types, vocab }: Vocabulary, scores: readonly number[]): [string, string][] {
  if (scores.length !== tokens.length) {
    throw new UserError(`GGUF has ${tokens.length} tokenizer.ggml.tokens but ${scores.length} tokenizer.ggml.scores: the file is damaged.`);
  }
  const merges: { pair: [string, string]; score: number; left: number; right: number }[] = [];
  tokens.forEach((token, id) => {
    if (types[id] === TYPE.control || types[id] === TYPE.unknown) return;
    const characters = Array.from(token);
    const local: typeof merges = [];
    for (let cut = 1; cut < characters.length; cut++) {
      const left = characters.slice(0, cut).join('');
      const right = characters.slice(cut).join('');
      if (Object.hasOwn(vocab, left) && Object.hasOwn(vocab, right)) {
        local.push({ pair: [left, right], score: scores[id] as number, left: cut, right: characters.length - cut });
      }
    }
    const idOf = (piece: string): number => vocab[piece] as number;
    merges.push(...local.sort((a, b) => idOf(a.pair[0]) - idOf(b.pair[0]) || idOf(a.pair[1]) - idOf(b.pair[1])));
  });
  return merges.sort((a, b) => b.score - a.score || b.left - a.left || b.right - a.right).map(({ pair }) => pair);
}

function bpe(vocab: Record<string, number>, merges: [string, string][], more: object): object {
  return {
    type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null,
    fuse_unk: false, byte_fallback: false, ignore_merges: false, ...more, vocab, merges,
  };
}

function tokenizerJson(
  metadata: ReadonlyMap<string, unknown>, vocabulary: Vocabulary, parts: object, addBos: boolean, addEos: boolean,
): object {
  const bos = addBos ? tokenAt(metadata, vocabulary, 'bos') : undefined;
  const eos = addEos ? tokenAt(metadata, vocabulary, 'eos') : undefined;
  return {
    version: '1.0', truncation: null, padding: null, added_tokens: vocabulary.added,
    post_processor: bos === undefined && eos === undefined ? null : frame(vocabulary, bos, eos),
    ...parts,
  };
}

/** Puts BOS before and EOS after each text. Heed's `encode` never asks for it; other readers of the file do. */
function frame(vocabulary: Vocabulary, bos: string | undefined, eos: string | undefined): object {
  const special = (token: string | undefined, type: number): object[] =>
    token === undefined ? [] : [{ SpecialToken: { id: token, type_id: type } }];
  const around = (id: 'A' | 'B', type: number): object[] => [
    ...special(bos, type),
    { Sequence: { id, type_id: type } },
    ...special(eos, type),
  ];
  const named = [...new Set([bos, eos].filter((token) => token !== undefined))];
  return {
    type: 'TemplateProcessing', single: around('A', 0), pair: [...around('A', 0), ...around('B', 1)],
    special_tokens: Object.fromEntries(named.map((token) => [token, { id: token, ids: [vocabulary.vocab[token]], tokens: [token] }])),
  };
}

function configJson(
  metadata: ReadonlyMap<string, unknown>, vocabulary: Vocabulary, addBos: boolean, addEos: boolean, tokenizerClass: string,
): object {
  const config: Record<string, unknown> = {
    tokenizer_class: tokenizerClass, add_prefix_space: false, add_bos_token: addBos, add_eos_token: addEos,
    clean_up_tokenization_spaces: false,
    bos_token: tokenAt(metadata, vocabulary, 'bos') ?? null,
    eos_token: tokenAt(metadata, vocabulary, 'eos') ?? null,
    unk_token: tokenAt(metadata, vocabulary, 'unknown') ?? null,
    pad_token: tokenAt(metadata, vocabulary, 'padding') ?? null,
    added_tokens_decoder: Object.fromEntries(vocabulary.added.map(({ id, ...token }) => [String(id), token])),
  };
  const length = metadata.get(`${String(metadata.get('general.architecture'))}.context_length`);
  if (typeof length === 'number' || typeof length === 'bigint') config['model_max_length'] = Number(length);
  const template = metadata.get('tokenizer.chat_template');
  if (typeof template === 'string') config['chat_template'] = template;
  return config;
}

function tokenAt(
  metadata: ReadonlyMap<string, unknown>,
  { tokens }: Vocabulary,
  role: 'bos' | 'eos' | 'unknown' | 'padding',
): string | undefined {
  const key = `tokenizer.ggml.${role}_token_id`;
  const id = metadata.get(key);
  if (id === undefined) return undefined;
  const token = typeof id === 'number' || typeof id === 'bigint' ? tokens[Number(id)] : undefined;
  if (token === undefined) throw new UserError(`GGUF ${key} is ${show(id)}, but the vocabulary has ids 0 to ${tokens.length - 1}.`);
  return token;
}

function splitMerge(merge: unknown, index: number): [string, string] {
  const [left, right, ...rest] = String(merge).split(' ');
  if (!left || !right || rest.length > 0) {
    throw new UserError(`GGUF tokenizer.ggml.merges[${index}] is ${show(merge)}; it should be two pieces with one space between.`);
  }
  return [left, right];
}

function list(metadata: ReadonlyMap<string, unknown>, key: string): unknown[] {
  const value = metadata.get(key);
  if (Array.isArray(value)) return value as unknown[];
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return Array.from(value as unknown as ArrayLike<number>);
  throw new UserError(`GGUF metadata has ${value === undefined ? 'no' : 'no list in'} ${key}: the file carries no complete vocabulary. ` +
    'Use a checkpoint folder with the original tokenizer.json instead.');
}

function flag(metadata: ReadonlyMap<string, unknown>, key: string): boolean | undefined {
  const value = metadata.get(key);
  if (value === undefined || typeof value === 'boolean') return value;
  throw new UserError(`GGUF ${key} is ${show(value)}; it should be true or false.`);
}

function show(value: unknown): string {
  if (value === undefined) return 'missing';
  return typeof value === 'bigint' ? String(value) : JSON.stringify(value);
}
