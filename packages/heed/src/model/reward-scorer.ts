import { type Engine, type Feed, lower, view } from '@heed/tensor';
import { UserError } from '../errors.js';
import { type TokenSequence, layOut } from './layout.js';
import type { Model } from './load.js';
import type { Adapter } from './peft.js';
import { feedsOf, ropeFeed, scoringFeeds, traceReads } from './scoring.js';
import { adaptedWeights } from './weights.js';

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

/** Tokens worked on in one pass. */
const TOKENS_PER_PASS = 1024;

/**
 * Scores (prompt, response) pairs with an adapter that has a head: a reward model, or a classifier.
 *
 * @throws UserError where the adapter has none: it was not trained by a method with one.
 */
export async function createRewardScorer(engine: Engine, model: Pick<Model, 'checkpoint' | 'architecture'>, adapter: Adapter): Promise<RewardScorer> {
  const { checkpoint, architecture } = model;
  const { plan, parameters } = adapter;
  if (plan.head === undefined) {
    throw new UserError('The adapter has no head, so it gives no rewards.', ['Train one with the method reward-model, classifier or principle-reward-model.']);
  }
  const { size } = plan.head;
  const weights = adaptedWeights(checkpoint, plan, { dropout: false });
  const session = await engine.compile(lower({ scores: traceReads(architecture, weights, 'none').scores(weights.head!) }, { folder: checkpoint.folder }));
  const rope = ropeFeed(architecture);
  const buffer = await engine.upload(parameters);
  session.bind(Object.fromEntries(weights.parameters.map((p) => [p.name, view(buffer, p.shape, p.offset)])));

  const scores = async (sequences: readonly TokenSequence[]): Promise<number[][]> => {
    const results: number[][] = [];
    const empty = sequences.findIndex(({ response }) => response.length === 0);
    if (empty >= 0) throw new UserError(`Sequence ${empty} has an empty response, so there is no last token to read its reward at.`);
    for (let from = 0; from < sequences.length; ) {
      let to = from;
      for (let tokens = 0; to < sequences.length && (to === from || tokens < TOKENS_PER_PASS); to++) tokens += sequences[to]!.prompt.length + sequences[to]!.response.length;
      const pass = sequences.slice(from, to);
      const feeds = { ...scoringFeeds(layOut(pass), architecture, rope), lastFrom: lastRows(pass) };
      const out = (await session.run(feedsOf(session.program, feeds)))['scores']!.data;
      for (let s = 0; s < to - from; s++) results.push(Array.from({ length: size }, (_, i) => Number(out[s * size + i])));
      from = to;
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
      await session.release();
      await engine.free(buffer);
    },
  };
}

/** The response row that each sequence of a layout ends in: responses lie one behind the other. */
function lastRows(sequences: readonly TokenSequence[]): Feed {
  let end = 0;
  const data = Int32Array.from(sequences, ({ response }) => (end += response.length) - 1);
  return { data, shape: [data.length] };
}
