import type { PromptRow } from '../data/rows.js';
import type { Answer } from './answer-log.js';
import type { Sample } from './rows-of.js';

/**
 * The rated answers that a prompt might get: so many bad ones first, then good ones of the given value, all different. A method that cannot
 * learn from them can be refused before any answer is generated.
 *
 * @param filler Follows the words of each answer. Default: nothing.
 */
export function pretendSamples(prompt: PromptRow, samples: number, bad: number, good: number, filler = ''): Sample[] {
  return Array.from({ length: samples }, (_, sample) => ({
    prompt, sample, text: `${sample < bad ? 'No.' : `Yes, for ${sample + 2} reasons.`}${filler}`,
    rated: sample < bad ? { value: 0, reason: '"No" is wrong.', satisfied: false } : { value: good, reason: null, satisfied: true },
  }));
}

/** Answers of so many tokens, as a rollout has them. */
export function pretendAnswers(samples: number, tokens: number): Answer[] {
  const of = <T>(value: T): T[] => Array<T>(tokens).fill(value);
  return Array.from({ length: samples }, (_, sample) => ({
    round: 0, row: 0, sample, ids: of(0), logprobs: of(-1), text: '', finish: 'length',
  }));
}
