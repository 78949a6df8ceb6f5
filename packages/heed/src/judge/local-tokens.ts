import type { Model } from '../model/load.js';
import type { Asked } from './asked.js';

type Speaker = Pick<Model, 'tokenizer' | 'template'>;

/** The tokens of a question as a model reads it, up to where its answer, or the rest of one that is begun, follows. */
export function askedTokens(speaker: Speaker, { messages, begun = '' }: Asked): number[] {
  return [...speaker.template.prompt(messages), ...(begun === '' ? [] : turnTokens(speaker, begun))];
}

/** The tokens of an answer after those of its question. Texts are tokenised apart and joined in token space. */
export function answerTokens(speaker: Speaker, { begun = '' }: Asked, answer: string): number[] {
  return begun === '' ? turnTokens(speaker, answer) : speaker.tokenizer.encode(answer, { after: 'text' });
}

/** The token that ends an answer. */
export const endToken = ({ template }: Speaker): number => template.response('').at(-1)!;

/** A text as the beginning of a turn: as the template writes it, but for its end. */
function turnTokens({ tokenizer, template }: Speaker, text: string): number[] {
  const written = template.response(text).slice(0, -1);
  // Some templates trim what they are given, or put a space before the end of turn: neither belongs to an answer that goes on.
  return tokenizer.decode(written).trimStart() === text.trimStart() ? written : tokenizer.encode(text, { after: 'text' });
}
