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

/** A tokenizer divided into what the library does and what Heed does itself. */
export interface Plan {
  /** For `@huggingface/tokenizers`. Where `bytes` is set, its pre-tokenizer only splits. */
  readonly json: TokenizerJson;
  /** Where set: the last pre-tokenizing step, which writes each piece in the byte alphabet. */
  readonly bytes?: (piece: string) => string;
}

/**
 * The same tokenizer, arranged so that text is split exactly as by the original Rust library, and so that pieces can be cached before
 * they are written as bytes. Left to itself the JavaScript library differs in three ways: its `Digits` knows only 0 to 9 (the
 * original: every Unicode number), its `ByteLevel` takes JavaScript's `\s` (which has U+FEFF and lacks U+0085), and a byte that the
 * vocabulary lacks hinders merges of its neighbours (the original drops it first; SmolLM2 lacks 21 bytes, among them those of
 * U+0004, U+0006, U+0013, U+0014, U+0016 and U+001D).
 */
export function plan(json: TokenizerJson): Plan {
  const steps = flatten(json.pre_tokenizer);
  const last = steps.pop();
  if (last?.type !== 'ByteLevel' || last['add_prefix_space'] === true) return { json };
  if (last['use_regex'] !== false) steps.push(isolate(BYTE_LEVEL_REGEX));
  const { vocab, unk_token: unknown } = json.model;
  // With an unknown token, a missing byte becomes that.
  const alphabet = Array.from(BYTE_OF.keys(), (character) => unknown != null || Object.hasOwn(vocab, character) ? character : '');
  const utf8 = new TextEncoder();
  return {
    json: { ...json, pre_tokenizer: { type: 'Sequence', pretokenizers: steps } },
    bytes: (piece) => {
      let written = '';
      for (const byte of utf8.encode(piece)) written += alphabet[byte];
      return written;
    },
  };
}

function isolate(regex: string): Part {
  return { type: 'Split', pattern: { Regex: regex }, behavior: 'Isolated', invert: false };
}

/** The steps of nested sequences in order, digits spelt out. */
function flatten(part: Part | null): Part[] {
  if (!part) return [];
  if (part.type === 'Sequence') return (part['pretokenizers'] as Part[]).flatMap(flatten);
  return [part.type === 'Digits' ? isolate(part['individual_digits'] === true ? '\\p{N}' : '\\p{N}+') : part];
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
