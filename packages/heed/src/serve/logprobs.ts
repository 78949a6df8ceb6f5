/** Log-probabilities as the two endpoints write them. */
import type { Likely, Token } from '../generate/request.js';
import { createDecoder } from '../text/decoder.js';
import type { Tokenizer } from '../text/tokenizer.js';

interface ChatToken {
  /** Its text; bytes that are part of a character only as `\xE2`. The end of turn is listed by its name. */
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[];
}

export interface ChatLogprobs {
  readonly content: readonly (ChatToken & { readonly top_logprobs: readonly ChatToken[] })[];
  readonly refusal: null;
}

/** As /v1/chat/completions has them. */
export function chatLogprobs(tokenizer: Tokenizer, tokens: readonly Token[]): ChatLogprobs {
  const written = ({ id, logprob }: Likely): ChatToken => ({
    token: textOf(tokenizer, id),
    logprob,
    bytes: id < tokenizer.vocabularySize ? [...tokenizer.tokenBytes(id)] : [],
  });
  return { content: tokens.map((token) => ({ ...written(token), top_logprobs: (token.top ?? []).map(written) })), refusal: null };
}

export interface TextLogprobs {
  readonly tokens: string[];
  /** Null where nothing came before: the first token of an echoed prompt. */
  readonly token_logprobs: (number | null)[];
  /** For each place, the likeliest tokens and the chosen one, by their text; null where the request does not ask for them. */
  readonly top_logprobs: (Readonly<Record<string, number>> | null)[] | null;
  /** Where in the choice's text each token begins, in UTF-16 units. */
  readonly text_offset: number[];
}

/** A token of a text, whose first has no log-probability. */
export type ScoredToken = Token | { readonly id: number; readonly logprob: null };

/** A prompt that an answer begins with: its text as the request wrote it, and its tokens. */
export interface Echoed {
  readonly text: string;
  readonly ids: readonly number[];
}

/** Writes the log-probabilities of /v1/completions, piece by piece where it streams. */
export interface TextLogprobsWriter {
  write(tokens: readonly ScoredToken[], top: boolean): TextLogprobs;
}

/**
 * @param continues As `Prompt.continues`.
 * @param echoed The beginning of the choice's text. Either all of its tokens are written first, or none is written.
 */
export function createTextLogprobsWriter(
  tokenizer: Tokenizer, continues: boolean | undefined, echoed: Echoed = { text: '', ids: [] },
): TextLogprobsWriter {
  const decoder = createDecoder(tokenizer, { continues });
  let offset = echoed.text.length;
  return {
    write(tokens, top) {
      const out: TextLogprobs = { tokens: [], token_logprobs: [], top_logprobs: top ? [] : null, text_offset: [] };
      const isEchoed = tokens[0]?.logprob === null;
      const places = isEchoed ? placesIn(tokenizer, echoed) : [];
      tokens.forEach((token, i) => {
        const text = textOf(tokenizer, token.id);
        out.tokens.push(text);
        out.token_logprobs.push(token.logprob);
        out.text_offset.push(places[i] ?? offset);
        out.top_logprobs?.push(
          token.logprob === null
            ? null
            : Object.fromEntries([...(token.top ?? []), token].map(({ id, logprob }) => [textOf(tokenizer, id), logprob])),
        );
        if (i >= places.length && token.id < tokenizer.vocabularySize) offset += decoder.push(token.id).length;
      });
      return out;
    },
  };
}

/**
 * Where each token of a text begins in it, in UTF-16 units. Control tokens are a part of a prompt's text, and have no place in it where the
 * server put them there (BOS). Vocabularies with a space before the first word have a space more than the text, others lack characters.
 */
function placesIn(tokenizer: Tokenizer, { text, ids }: Echoed): number[] {
  const decoder = createDecoder(tokenizer, { skipSpecial: false });
  let at = 0;
  return ids.map((id) => {
    const begin = at;
    if (id >= tokenizer.vocabularySize) return begin;
    const piece = decoder.push(id);
    if (text.startsWith(piece, at)) at += piece.length;
    else if (text.startsWith(piece.slice(1), at) && piece.startsWith(' ')) at += piece.length - 1;
    else if (!tokenizer.isSpecial(id)) at = Math.min(text.length, at + piece.length);
    return begin;
  });
}

/** A model may have more outputs than its tokenizer has tokens: padding that training left alone. */
const textOf = (tokenizer: Tokenizer, id: number): string => (id < tokenizer.vocabularySize ? tokenizer.tokenText(id) : `<${id}>`);
