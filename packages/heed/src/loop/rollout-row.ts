import type { PromptRow, RolloutRow } from '../data/rows.js';
import type { Answer } from './answer-log.js';
import type { RatedAnswer } from './rollout-log.js';

export interface RolloutRowOptions {
  /** Most tokens of an answer. */
  readonly maxTokens: number;
  /** Whether the method reads what the reference says of each token. */
  readonly reference: boolean;
}

/**
 * A prompt with the group of its answers, as a method of policy gradient learns from it.
 *
 * @param rated The answers with their credit. Left out, advantages are 0: the row then serves to be read.
 */
export function rolloutRow(
  { source, id, prompt }: PromptRow, answers: readonly Answer[], { maxTokens, reference }: RolloutRowOptions,
  rated?: readonly RatedAnswer[],
): RolloutRow {
  return {
    source, id, prompt,
    completions: answers.map(({ ids, text: completion, logprobs, sampled = logprobs, kept }, i) => {
      const one = rated?.[i];
      return {
        completion, ids: [...ids], maxTokens, sampled: [...sampled], kept: kept?.map((among) => [...among]),
        reward: one?.rollout.reward ?? null,
        advantages: one === undefined ? ids.map(() => 0) : [...one.credit.advantages],
        returns: one?.credit.returns && [...one.credit.returns],
        reference: reference ? one?.rollout.reference && Array.from(one.rollout.reference) : undefined,
        values: one?.rollout.values && Array.from(one.rollout.values),
      };
    }),
  };
}
