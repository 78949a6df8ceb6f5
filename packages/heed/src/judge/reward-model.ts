import type { Engine } from '@heed/tensor';
import { basename } from 'node:path';
import type { Model } from '../model/load.js';
import type { Adapter } from '../model/peft.js';
import { createRewardScorer } from '../model/reward-scorer.js';
import { UserError } from '../errors.js';
import { type HeldPrinciple, principledPrompt } from '../text/principled.js';
import type { TokenSequence } from '../text/token-sequence.js';
import type { Failure } from './respondent.js';
import { fingerprint } from './fingerprint.js';
import type { Judge, Judged, Verdict } from './verdict.js';

/** A judge that gives a number, without words. */
export interface RewardJudge extends Judge {
  /** The reward of each response, in the model's own units, or why there is none. */
  rewards(items: readonly Judged[]): Promise<readonly (number | Failure)[]>;
  close(): Promise<void>;
}

export interface RewardJudgeOptions {
  /** Default 0. */
  readonly threshold?: number;
  /**
   * What responses are held to, all at once and in this order; at least one. For adapters of `principle-reward-model`, which read them in their prompt: the
   * reward can be steered by others than those that were trained on. A principle is turned into its opposite by giving its negation as its text.
   */
  readonly principles?: readonly HeldPrinciple[];
}

/**
 * Judges by a reward model: an adapter with a head of one number, as the methods `reward-model` and `principle-reward-model` train it. A response
 * with at least the reward `threshold` satisfies it; the verdict's score is σ(reward − threshold). It has no words: its judgment names the numbers.
 *
 * @throws UserError where the adapter has no head, or one of several numbers (a classifier), or where the list of principles is empty; from `judge`, where
 * a response does not fit the context
 */
export async function createRewardJudge(engine: Engine, model: Model, adapter: Adapter, { threshold = 0, principles }: RewardJudgeOptions = {}): Promise<RewardJudge> {
  if (principles?.length === 0) throw new UserError('The list of principles is empty, so that there is nothing to hold responses to.', ['Name at least one, or leave the list out for an adapter of the method reward-model.']);
  const scorer = await createRewardScorer(engine, model, adapter);
  if (scorer.size !== 1) {
    await scorer.release();
    throw new UserError(`The adapter's head gives ${scorer.size} numbers: it is a classifier and not a reward model.`, ['Train one with the method reward-model.']);
  }
  const { context } = model.architecture;

  async function rewards(items: readonly Judged[]): Promise<(number | Failure)[]> {
    const read = items.map(({ prompt, response }) => sequenceOf(model, prompt, response, principles));
    const tooLong = (sequence: TokenSequence): Failure | undefined => {
      const tokens = sequence.prompt.length + sequence.response.length;
      return tokens <= context ? undefined : { failure: 'too-long', detail: `prompt and response have ${tokens} tokens; the context of ${model.checkpoint.id} is ${context}` };
    };
    const failures = read.map((one) => ('failure' in one ? one : tooLong(one)));
    const scored = await scorer.rewards(read.filter((one, i): one is TokenSequence => failures[i] === undefined && !('failure' in one)));
    let at = 0;
    return failures.map((failure) => failure ?? scored[at++]!);
  }

  const heldTo = principles === undefined ? '' : ` held to ${principles.map(({ name }) => name).join(', ')}`;
  return {
    name: `reward-model:${basename(model.checkpoint.id)} ${fingerprint(model, adapter)}${heldTo}`,
    rewards,
    async judge(items) {
      return (await rewards(items)).map((reward, i): Verdict => {
        if (typeof reward !== 'number') throw new UserError(`Item ${i} cannot be judged: ${reward.detail}.`);
        const satisfied = reward >= threshold;
        const judgment = satisfied ? null : `The reward model gives this answer ${reward.toFixed(2)}${heldTo === '' ? '' : `,${heldTo},`} below ${threshold}.`;
        return { satisfied, judgment, findings: [], score: 1 / (1 + Math.exp(threshold - reward)) };
      });
    },
    close: () => scorer.release(),
  };
}

/** As in training: the response ends with the end of turn; held to principles, it stands in the prompt, and the end of turn is all that is answered. */
function sequenceOf({ template }: Model, prompt: Judged['prompt'], response: string, principles?: readonly HeldPrinciple[]): TokenSequence | Failure {
  try {
    if (principles !== undefined) return { prompt: template.prompt(principledPrompt(prompt, response, principles)), response: template.response('') };
    return { prompt: template.prompt(prompt), response: template.response(response) };
  } catch (error) {
    return { failure: 'refused', detail: (error as Error).message };
  }
}
