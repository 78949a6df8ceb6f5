/** A tokenizer's keys of a GGUF file, out of tokenizer.json and tokenizer_config.json. */
import { isDeepStrictEqual } from 'node:util';
import { UserError } from '../errors.js';
import { PRE_TOKENIZERS } from './pretokenizers.js';
import type { Tokenizer } from './tokenizer.js';

/** `tokenizer.ggml.token_type`, as llama.cpp numbers it. */
const TYPE = { normal: 1, control: 3, userDefined: 4, unused: 5 } as const;

type Json = Readonly<Record<string, unknown>>;
interface Bpe { readonly vocab: Record<string, number>; readonly merges: readonly unknown[]; readonly byte_fallback?: boolean }

/** What a GGUF says of a tokenizer. */
export interface GgufVocabulary {
  /** `tokenizer.ggml.pre`: the name of the rule that splits texts before merging. A wrong one gives other tokens without a word. */
  readonly pre: string;
  /** By id, one for each row of the embeddings. */
  readonly tokens: string[];
  readonly types: number[];
  readonly merges: string[];
  readonly ids: Readonly<Partial<Record<'bos' | 'eos' | 'unknown' | 'padding', number>>>;
  readonly addsBos: boolean;
  readonly chatTemplate?: string;
}

/**
 * Of a byte-level BPE tokenizer whose splitting rule llama.cpp has a name for.
 *
 * @param json tokenizer.json.
 * @param config tokenizer_config.json.
 * @param tokenizer The same, read.
 * @param rows How many embeddings the model has; those beyond the tokens are called unused.
 * @throws UserError for other tokenizers
 */
export function ggufVocabulary(json: Json, config: Json, tokenizer: Tokenizer, rows: number): GgufVocabulary {
  const { vocab, merges, byte_fallback: fallback } = json['model'] as Bpe;
  if (fallback === true) {
    throw new UserError('A tokenizer of SentencePiece\'s kind cannot be written to GGUF: tokenizer.json lacks its scores.', WAYS);
  }
  const tokens = Array.from({ length: rows }, (_, id) => `[PAD${id}]`);
  const types = tokens.map((): number => TYPE.unused);
  const put = (token: string, id: number, type: number): void => {
    if (id >= rows) throw new UserError(`The tokenizer has the id ${id}, and the model has embeddings for ${rows} tokens.`);
    [tokens[id], types[id]] = [token, type];
  };
  for (const [token, id] of Object.entries(vocab)) put(token, id, TYPE.normal);
  for (const { id, content, special } of json['added_tokens'] as { id: number; content: string; special: boolean }[])
    put(content, id, special ? TYPE.control : TYPE.userDefined);
  const idOf = (name: string): number | undefined => {
    const given = config[name], token = typeof given === 'object' && given !== null ? (given as Json)['content'] : given;
    return typeof token === 'string' ? tokenizer.tokenId(token) : undefined;
  };
  const ids = {
    bos: tokenizer.bosId, eos: tokenizer.eosId, unknown: idOf('unk_token'), padding: tokenizer.padId,
  };
  return {
    pre: ruleOf(json), tokens, types, merges: merges.map((pair) => (Array.isArray(pair) ? pair.join(' ') : String(pair))), ids,
    addsBos: tokenizer.addsBos, ...(tokenizer.chatTemplate !== undefined && { chatTemplate: tokenizer.chatTemplate }),
  };
}

const WAYS = [
  'Take the base as a .gguf file: its own tokenizer is copied.',
  'Or export --to safetensors, and convert that folder with llama.cpp\'s convert_hf_to_gguf.py.',
];

function ruleOf(json: Json): string {
  const own = { normalizer: json['normalizer'] ?? null, preTokenizer: plain(json['pre_tokenizer']) };
  const ignores = (json['model'] as Json)['ignore_merges'] === true;
  const found = [...PRE_TOKENIZERS].find(([name, { normalizer, preTokenizer, ignoreMerges }]) => name !== 'default'
    && ignoreMerges === ignores && isDeepStrictEqual({ normalizer, preTokenizer: plain(preTokenizer) }, own));
  if (found !== undefined) return found[0];
  throw new UserError('The tokenizer splits texts by a rule that has no known name in GGUF, and a wrong name gives other tokens.', WAYS);
}

/** Without what does not change how a text is split: where the pieces' offsets are. */
function plain(rule: unknown): unknown {
  if (Array.isArray(rule)) return rule.map(plain);
  if (typeof rule !== 'object' || rule === null) return rule;
  return Object.fromEntries(Object.entries(rule).filter(([key]) => key !== 'trim_offsets').map(([key, value]) => [key, plain(value)]));
}
