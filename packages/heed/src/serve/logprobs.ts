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
  /** Of each place, the likeliest tokens by their text, and the chosen one; null where they were not asked for. */
  readonly top_logprobs: (Readonly<Record<string, number>> | null)[] | null;
  /** Where in the choice's text each token begins, in UTF-16 units. */
  readonly text_offset: number[];
}

/** A token of a text, whose first has no log-probability. */
export type ScoredToken = Token | { readonly id: number; readonly logprob: null };

/** Writes the log-probabilities of /v1/completions, piece by piece where it streams. */
export interface TextLogprobsWriter {
  write(tokens: readonly ScoredToken[], top: boolean): TextLogprobs;
}

export function createTextLogprobsWriter(tokenizer: Tokenizer): TextLogprobsWriter {
  const decoder = createDecoder(tokenizer);
  let offset = 0;
  return {
    write(tokens, top) {
      const out: TextLogprobs = { tokens: [], token_logprobs: [], top_logprobs: top ? [] : null, text_offset: [] };
      for (const token of tokens) {
        const text = textOf(tokenizer, token.id);
        out.tokens.push(text);
        out.token_logprobs.push(token.logprob);
        out.text_offset.push(offset);
        out.top_logprobs?.push(
          token.logprob === null
            ? null
            : Object.fromEntries([...(token.top ?? []), token].map(({ id, logprob }) => [textOf(tokenizer, id), logprob])),
        );
        if (token.id < tokenizer.vocabularySize) offset += decoder.push(token.id).length;
      }
      return out;
    },
  };
}

/** A model may have more outputs than its tokenizer has tokens: padding that training left alone. */
const textOf = (tokenizer: Tokenizer, id: number): string => (id < tokenizer.vocabularySize ? tokenizer.tokenText(id) : `<${id}>`);
