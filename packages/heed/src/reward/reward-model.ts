import type { Engine } from '@heed/tensor';
import { basename } from 'node:path';
import { UserError } from '../errors.js';
import { fingerprint } from '../model/fingerprint.js';
import { describeModel, withEngine } from '../judge/define.js';
import { RewardModelOptions } from '../judge/options.js';
import { readPrinciples } from '../judge/principle-file.js';
import type { Failure } from '../judge/respondent.js';
import { type Model, loadModel } from '../model/load.js';
import { type Adapter, loadAdapter } from '../model/peft.js';
import { type Reading, createRewardScorer } from '../model/reward-scorer.js';
import { type HeldPrinciple, principledPrompt } from '../text/principled.js';
import { tokenSpans } from '../text/token-ends.js';
import type { TokenSequence } from '../text/token-sequence.js';
import { defineReward } from './define.js';
import type { Rated, Reward, RewardItem } from './reward.js';

/** `rewardModel`: the number that an adapter with a head gives a response, held to principles where the options name them. */
export const rewardModel = defineReward({
  name: 'rewardModel',
  learned: true,
  options: RewardModelOptions,
  // Its head may have learnt costs.
  mayBeCost: () => true,
  describe: (options) => `rewardModel: ${describeModel(options)}`,
  open: ({ model: name, adapter, template, precision, threshold, principles: file, only, attention }, tools) =>
    withEngine(tools, async (engine) => {
      const principles = file === undefined ? undefined : await readPrinciples(file, only);
      const model = await loadModel(name, { template, precision, now: tools.now, log: tools.log });
      return createModelReward(engine, model, await loadAdapter(adapter, model.checkpoint), { threshold, principles, attention });
    }),
});

export interface ModelRewardOptions {
  /** Responses with at least this reward are satisfactory. Default: 0. */
  readonly threshold?: number;
  /**
   * What responses are held to, all at once and in this order; at least one. For adapters of `principle-reward-model`, which read them in
   * their prompt: the reward can be steered by others than those that were trained on. A principle's negation, as its text, turns it round.
   */
  readonly principles?: readonly HeldPrinciple[];
  /** Results also have `attention`. Default: false. Means nothing with principles, where the response stands in the prompt. */
  readonly attention?: boolean;
}

/**
 * A reward model: an adapter with a head of one number, as the methods `reward-model` and `principle-reward-model` train it. Value: that
 * number, in the model's own unit. A reward model has no words: its reason names the numbers. A response that does not fit the context
 * fails as `too-long`.
 *
 * @throws UserError where the adapter has no head, or one of several numbers (a classifier), or where the list of principles is empty
 */
export async function createModelReward(
  engine: Engine, model: Model, adapter: Adapter, { threshold = 0, principles, attention = false }: ModelRewardOptions = {},
): Promise<Reward> {
  if (principles?.length === 0) {
    throw new UserError('The list of principles is empty, so that there is nothing to hold responses to.', [
      'Name at least one, or leave the list out for an adapter of the method reward-model.',
    ]);
  }
  const scorer = await createRewardScorer(engine, model, adapter, { attention });
  if (scorer.size !== 1) {
    await scorer.release();
    throw new UserError(`The adapter's head gives ${scorer.size} numbers: it is a classifier and not a reward model.`, [
      'Train one with the method reward-model.',
    ]);
  }
  const heldTo = principles === undefined ? '' : ` held to ${principles.map(({ name }) => name).join(', ')}`;
  const words = principles === undefined ? '' : ` ${JSON.stringify(principles.map(({ text }) => text))}`;

  const asked = attention ? ' with attention' : '';
  // Codes of a GGUF file give the same numbers as the widened matrices; rounded ones do not, though the fingerprint is the same.
  const { precision } = model.checkpoint;
  const rounded = precision === 'int8' || precision === 'int4' ? ` ${precision}` : '';

  const rated = ({ scores, attention: attended }: Reading, { response }: TokenSequence): Rated => {
    const value = scores[0]!;
    const satisfied = value >= threshold;
    const reason = `The reward model gives this answer ${value.toFixed(2)}${heldTo === '' ? '' : `,${heldTo},`} below ${threshold}.`;
    const places = attended && tokenSpans(model.tokenizer, response).map((span, t) => ({ ...span, value: attended[t]! }));
    return { value, reason: satisfied ? null : reason, satisfied, ...(places === undefined ? {} : { attention: places }) };
  };

  return {
    name: `reward-model:${basename(model.checkpoint.id)} ${fingerprint(model, adapter)}${rounded} ≥ ${threshold}${heldTo}${words}${asked}`,
    drawsLine: true,
    async rate(items, { onProgress } = {}) {
      const sequences = items.map((item) => sequenceOf(model, item, principles));
      const readings = await scorer.read(sequences.filter((one): one is TokenSequence => !('failure' in one)));
      onProgress?.(items.length, items.length);
      let at = 0;
      return sequences.map((one) => ('failure' in one ? one : rated(readings[at++]!, one)));
    },
    close: () => scorer.release(),
  };
}

/**
 * As in training: the response ends with the end of turn. Held to principles, the response stands in the prompt, and the end of turn is all
 * that is answered.
 */
function sequenceOf(
  { template, architecture: { context }, checkpoint }: Model, { prompt, response }: RewardItem, principles?: readonly HeldPrinciple[],
): TokenSequence | Failure {
  try {
    const sequence = principles === undefined
      ? { prompt: template.prompt(prompt), response: template.response(response) }
      : { prompt: template.prompt(principledPrompt(prompt, response, principles)), response: template.response('') };
    const tokens = sequence.prompt.length + sequence.response.length;
    if (tokens <= context) return sequence;
    return { failure: 'too-long', detail: `prompt and response have ${tokens} tokens; the context of ${checkpoint.id} is ${context}` };
  } catch (error) {
    return { failure: 'refused', detail: (error as Error).message };
  }
}
