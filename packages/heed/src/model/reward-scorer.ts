import { type Engine, view } from '@heed/tensor';
import { UserError } from '../errors.js';
import type { TokenSequence } from '../text/token-sequence.js';
import { compileForwardPass, inPasses } from './forward-pass.js';
import { lastRows, layOut } from './layout.js';
import type { Model } from './load.js';
import type { Adapter } from './peft.js';
import { attentionOver } from './scoring.js';

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
  /** The numbers, and with `attention` how the last token attends to each token of the response in the last layer (`Read.attention`). */
  read(sequences: readonly TokenSequence[]): Promise<readonly Reading[]>;
  release(): Promise<void>;
}

/** What is read at a sequence's last token. */
export interface Reading {
  readonly scores: readonly number[];
  /** One number for each token of the response; what lies on the prompt is left out. */
  readonly attention?: readonly number[];
}

/**
 * Scores (prompt, response) pairs with an adapter that has a head: a reward model, or a classifier.
 *
 * @throws UserError where the adapter has none: it was not trained by a method with one.
 */
export async function createRewardScorer(
  engine: Engine, model: Pick<Model, 'checkpoint' | 'architecture'>, { plan, parameters }: Adapter,
  { attention = false }: { readonly attention?: boolean } = {},
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
  const forward = await compileForwardPass(engine, model, adapter, (read, heads) => ({
    scores: read.scores(heads[head.name]!), ...(attention ? { attention: read.attention() } : {}),
  }));

  const readAll = async (sequences: readonly TokenSequence[]): Promise<Reading[]> => {
    const results: Reading[] = [];
    const empty = sequences.findIndex(({ response }) => response.length === 0);
    if (empty >= 0) throw new UserError(`Sequence ${empty} has an empty response, so there is no last token to read its reward at.`);
    for (const pass of inPasses(sequences)) {
      const last = lastRows(pass);
      const layout = layOut(pass);
      const found = await forward.run(layout, { lastFrom: { data: last, shape: [last.length] } });
      const attended = found['attention'] && attentionOver(layout, found['attention'].data);
      for (let s = 0; s < pass.length; s++) {
        const scores = Array.from({ length: size }, (_, i) => Number(found['scores']!.data[s * size + i]));
        results.push({ scores, attention: attended && Array.from(attended[s]!) });
      }
    }
    return results;
  };
  const scores = async (sequences: readonly TokenSequence[]): Promise<number[][]> =>
    (await readAll(sequences)).map((one) => [...one.scores]);
  return {
    size,
    scores,
    read: readAll,
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
