import { BYTE_LEVEL_REGEX } from './pretokenizers.js';

/** One entry of `added_tokens`. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly special?: boolean;
  readonly single_word?: boolean;
  readonly lstrip?: boolean;
  readonly rstrip?: boolean;
}

interface Part { readonly type: string; readonly [key: string]: unknown }

/** The parts of a `tokenizer.json` that Heed reads itself; the rest belongs to `@huggingface/tokenizers`. */
export interface TokenizerJson {
  readonly model: { readonly type?: string; readonly vocab: Readonly<Record<string, number>>; readonly unk_token?: string | null };
  readonly added_tokens: readonly AddedToken[];
  readonly normalizer: Part | null;
  readonly pre_tokenizer: Part | null;
  readonly decoder: Part | null;
  readonly post_processor: Part | null;
}

/**
 * The same tokenizer, written so that `@huggingface/tokenizers` splits text exactly as the original Rust library does.
 * Three differences would otherwise show: its `Digits` knows only 0 to 9 (the original: every Unicode number), its `ByteLevel`
 * takes JavaScript's `\s` (which has U+FEFF and lacks U+0085), and a byte that the vocabulary lacks hinders merges of its neighbours
 * (the original drops it first; SmolLM2 lacks 21 bytes, among them five control characters).
 */
export function faithful(json: TokenizerJson): TokenizerJson {
  if (!json.pre_tokenizer) return json;
  const preTokenizer = rewrite(json.pre_tokenizer);
  const missing = hasType(json.decoder, 'ByteLevel') && json.model.unk_token == null
    ? [...BYTE_OF.keys()].filter((character) => !Object.hasOwn(json.model.vocab, character)) : [];
  if (missing.length === 0) return { ...json, pre_tokenizer: preTokenizer };
  const pattern = missing.map((character) => `\\u{${character.codePointAt(0)?.toString(16)}}`).join('|');
  const drop = { type: 'Replace', pattern: { Regex: pattern }, content: '' };
  return { ...json, pre_tokenizer: { type: 'Sequence', pretokenizers: [preTokenizer, drop] } };
}

function rewrite(part: Part): Part {
  const isolate = (regex: string): Part => ({ type: 'Split', pattern: { Regex: regex }, behavior: 'Isolated', invert: false });
  if (part.type === 'Sequence') return { ...part, pretokenizers: (part['pretokenizers'] as Part[]).map(rewrite) };
  if (part.type === 'Digits') return isolate(part['individual_digits'] === true ? '\\p{N}' : '\\p{N}+');
  if (part.type === 'ByteLevel' && part['use_regex'] !== false && part['add_prefix_space'] !== true) {
    return { type: 'Sequence', pretokenizers: [isolate(BYTE_LEVEL_REGEX), { ...part, use_regex: false }] };
  }
  return part;
}

/** True if the part, or a part of its sequence, is of that type. */
export function hasType(part: Part | null, type: string): boolean {
  if (!part) return false;
  const inner = (part['decoders'] ?? part['pretokenizers'] ?? part['normalizers']) as Part[] | undefined;
  return part.type === type || (inner?.some((one) => hasType(one, type)) ?? false);
}

/** GPT-2's alphabet: the printable character that stands for each byte. */
const BYTE_OF: ReadonlyMap<string, number> = (() => {
  const printable = (byte: number): boolean => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let next = 256;
  return new Map(Array.from({ length: 256 }, (_, byte) => [String.fromCharCode(printable(byte) ? byte : next++), byte]));
})();

/** How the tokens of a vocabulary spell bytes. */
export type Spelling = 'byte-level' | 'byte-fallback';

/** The spelling that the decoder implies. */
export function spellingOf(json: TokenizerJson): Spelling {
  return hasType(json.decoder, 'ByteLevel') ? 'byte-level' : 'byte-fallback';
}

/** The UTF-8 bytes that a token of the model's own vocabulary stands for; they need not be whole characters. */
export function bytesOf(token: string, spelling: Spelling): Uint8Array {
  if (spelling === 'byte-level') {
    const bytes = Array.from(token, (character) => BYTE_OF.get(character));
    // A token with a character outside the alphabet was added as text.
    return bytes.every((byte) => byte !== undefined) ? Uint8Array.from(bytes) : new TextEncoder().encode(token);
  }
  const hex = /^<0x([0-9A-F]{2})>$/.exec(token)?.[1];
  return hex === undefined ? new TextEncoder().encode(token.replaceAll('▁', ' ')) : Uint8Array.of(Number.parseInt(hex, 16));
}
