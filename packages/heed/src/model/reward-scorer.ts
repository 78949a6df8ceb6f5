import { type Engine, view } from '@heed/tensor';
import { UserError } from '../errors.js';
import type { TokenSequence } from '../text/token-sequence.js';
import { compileForwardPass, inPasses } from './forward-pass.js';
import { lastRows, layOut } from './layout.js';
import type { Model } from './load.js';
import type { Adapter } from './peft.js';

/** What a trained head makes of given responses. */
export interface RewardScorer {
  /** Numbers the head gives for a sequence: 1 for a reward model, as many as there are classes for a classifier. */
  readonly size: number;
  /**
   * The head's numbers for each sequence, at its last token: end the response as in training, with the end of turn (`Template.response`
   * does). One number each; of a larger head, `size` of them each.
   */
  scores(sequences: readonly TokenSequence[]): Promise<number[][]>;
  /** The same of a reward model: one number a sequence. @throws UserError where the head gives more. */
  rewards(sequences: readonly TokenSequence[]): Promise<number[]>;
  release(): Promise<void>;
}

/**
 * Scores (prompt, response) pairs with an adapter that has a head: a reward model, or a classifier.
 *
 * @throws UserError where the adapter has none: it was not trained by a method with one.
 */
export async function createRewardScorer(
  engine: Engine, model: Pick<Model, 'checkpoint' | 'architecture'>, { plan, parameters }: Adapter,
): Promise<RewardScorer> {
  const head = plan.heads.find(({ at }) => at === 'last');
  if (head === undefined) {
    throw new UserError('The adapter has no head, so it gives no rewards.', [
      'Train one with the method reward-model, classifier or principle-reward-model.',
    ]);
  }
  const { size } = head;
  const buffer = await engine.upload(parameters);
  const adapter = { plan, parameters: view(buffer) };
  const forward = await compileForwardPass(engine, model, adapter, (read, heads) => ({ scores: read.scores(heads[head.name]!) }));

  const scores = async (sequences: readonly TokenSequence[]): Promise<number[][]> => {
    const results: number[][] = [];
    const empty = sequences.findIndex(({ response }) => response.length === 0);
    if (empty >= 0) throw new UserError(`Sequence ${empty} has an empty response, so there is no last token to read its reward at.`);
    for (const pass of inPasses(sequences)) {
      const last = lastRows(pass);
      const { data } = (await forward.run(layOut(pass), { lastFrom: { data: last, shape: [last.length] } }))['scores']!;
      for (let s = 0; s < pass.length; s++) results.push(Array.from({ length: size }, (_, i) => Number(data[s * size + i])));
    }
    return results;
  };
  return {
    size,
    scores,
    async rewards(sequences) {
      if (size !== 1) throw new UserError(`The adapter's head gives ${size} numbers, so it is a classifier and not a reward model.`);
      return (await scores(sequences)).map(([reward]) => reward!);
    },
    async release() {
      await forward.release();
      await engine.free(buffer);
    },
  };
}
