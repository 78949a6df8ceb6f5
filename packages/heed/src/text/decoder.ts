import type { DecodeOptions, Tokenizer } from './tokenizer.js';

/** Turns tokens into text as they arrive. */
export interface Decoder {
  /** The text that became certain with this token: '' while a character is incomplete. */
  push(id: number): string;
  /** What was held back. Bytes that never became a character come out as U+FFFD. */
  end(): string;
}

/**
 * A decoder for streaming. All its output together is `tokenizer.decode(ids, options)`.
 *
 * @param options.skipSpecial Default true: what a reader of a chat wants.
 */
export function createDecoder(tokenizer: Tokenizer, { skipSpecial = true, continues = false }: DecodeOptions = {}): Decoder {
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
  let started = continues;
  return {
    push(id) {
      if (tokenizer.isSpecial(id)) return skipSpecial ? '' : (started = true, utf8.decode()) + tokenizer.decode([id]);
      let bytes = tokenizer.tokenBytes(id);
      // SentencePiece vocabularies drop the one space before a text's first word.
      if (!started && bytes[0] === 0x20 && !tokenizer.decode([id]).startsWith(' ')) bytes = bytes.subarray(1);
      started = true;
      return utf8.decode(bytes, { stream: true });
    },
    end: () => utf8.decode(),
  };
}
