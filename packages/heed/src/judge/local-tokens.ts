import type { Model } from '../model/load.js';
import { begunTurn } from '../text/begun-turn.js';
import { isThoughtMark, openedThoughts } from '../text/thoughts.js';
import type { Question } from './respondent.js';

type Speaker = Pick<Model, 'tokenizer' | 'template'>;

/** The tokens of a question as a model reads it, including the beginning of the answer where the question gives one. */
export function askedTokens(speaker: Speaker, { messages, begun = '' }: Question): number[] {
  return [...speaker.template.prompt(messages), ...(begun === '' ? [] : begunTurn(speaker, begun))];
}

/** The tokens of an answer after those of its question. Texts are tokenised apart and joined in token space. */
export function answerTokens(speaker: Speaker, { begun = '' }: Question, answer: string): number[] {
  return begun === '' ? begunTurn(speaker, answer) : speaker.tokenizer.encode(answer, { after: 'text' });
}

/** The mark with which the prompt ends where the template opens the model's thoughts; undefined where it does not. */
export const thoughtsOpenedBy = ({ tokenizer, template }: Speaker, { messages }: Question): string | undefined =>
  openedThoughts(tokenizer.decode(template.prompt(messages).slice(-MARK_TOKENS)));

/** Most tokens of a mark, with the line break after it. */
const MARK_TOKENS = 12;

/**
 * What a model wrote, with the marks round its thoughts: those that are control tokens, which a text leaves out, and the one that the
 * template wrote.
 */
export function withThoughtMarks(speaker: Speaker, text: string, ids: readonly number[], opened: string | undefined): string {
  const { tokenizer } = speaker;
  const marks = new Set(ids.filter((id) => tokenizer.isSpecial(id) && isThoughtMark(tokenizer.decode([id]))));
  const marked = marks.size === 0 ? text : tokenizer.decode(ids.filter((id) => marks.has(id) || !tokenizer.isSpecial(id)));
  return (opened ?? '') + marked;
}

/** The token that ends an answer. */
export const endToken = ({ template }: Speaker): number => template.response('').at(-1)!;

/** Smallest share of its probability that an answer keeps when longer answers are taken off: the resolution of a float32. */
const LEAST = 2 ** -23;

/**
 * Log-probabilities of exactly these answers, computed from those of all texts that begin with them. Where one answer begins another ("1"
 * and "10"), the probability of the longer one is taken off the shorter, so the result is the same whether a vocabulary writes "10" as one
 * token or as two.
 *
 * @param begins whether answer i is a proper beginning of answer j
 */
export function exclusive(logprobs: readonly number[], begins: (i: number, j: number) => boolean): number[] {
  const all = logprobs.map((_, i) => i);
  return logprobs.map((own, i) => {
    const longer = all.filter((j) => j !== i && begins(i, j));
    // Of "1", "10" and "100", the second holds the third already.
    const next = longer.filter((j) => !longer.some((k) => k !== j && begins(k, j)));
    const taken = next.reduce((sum, j) => sum + Math.exp(logprobs[j]! - own), 0);
    return taken === 0 ? own : own + Math.log(Math.max(LEAST, 1 - taken));
  });
}

/** Probability of all answers together, at most 1. */
export const massOf = (logprobs: readonly number[]): number => Math.min(1, logprobs.reduce((sum, p) => sum + Math.exp(p), 0));
