import type { Model } from '../model/load.js';
import { begunTurn } from '../text/begun.js';
import type { Question } from './respondent.js';

type Speaker = Pick<Model, 'tokenizer' | 'template'>;

/** The tokens of a question as a model reads it, up to where its answer, or the rest of one that is begun, follows. */
export function askedTokens(speaker: Speaker, { messages, begun = '' }: Question): number[] {
  return [...speaker.template.prompt(messages), ...(begun === '' ? [] : begunTurn(speaker, begun))];
}

/** The tokens of an answer after those of its question. Texts are tokenised apart and joined in token space. */
export function answerTokens(speaker: Speaker, { begun = '' }: Question, answer: string): number[] {
  return begun === '' ? begunTurn(speaker, answer) : speaker.tokenizer.encode(answer, { after: 'text' });
}

/** The token that ends an answer. */
export const endToken = ({ template }: Speaker): number => template.response('').at(-1)!;
