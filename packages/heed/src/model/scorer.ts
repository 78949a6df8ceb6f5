import { type Engine, type View, lower } from '@heed/tensor';
import type { TokenSequence } from '../text/token-sequence.js';
import type { AdapterPlan } from './adapter.js';
import { layOut } from './layout.js';
import type { Model } from './load.js';
import { feedsOf, ropeFeed, scoringFeeds, traceLogProbs } from './scoring.js';
import { inPasses } from './passes.js';
import { adaptedWeights, boundParameters, frozenWeights } from './weights.js';

/** Log-probabilities of given responses. */
export interface Scorer {
  /** log p of each supervised response token (null where not supervised), by sequence. */
  logProbs(sequences: readonly TokenSequence[]): Promise<(number | null)[][]>;
  release(): Promise<void>;
}

/** Scores under the model itself, or under an adapter on it. */
export async function createScorer(engine: Engine, model: Pick<Model, 'checkpoint' | 'architecture'>, adapter?: { readonly plan: AdapterPlan; readonly parameters: View }): Promise<Scorer> {
  const { checkpoint, architecture } = model;
  const adapted = adapter && adaptedWeights(checkpoint, adapter.plan, { dropout: false });
  const logp = traceLogProbs(architecture, adapted ?? frozenWeights(checkpoint), 'none');
  const session = await engine.compile(lower({ logp }, { folder: checkpoint.folder }));
  const rope = ropeFeed(architecture);
  if (adapter !== undefined) session.bind(boundParameters(adapted!, adapter.parameters));
  return {
    async logProbs(sequences) {
      const results: (number | null)[][] = [];
      for (const pass of inPasses(sequences)) {
        const layout = layOut(pass);
        const out = (await session.run(feedsOf(session.program, scoringFeeds(layout, architecture, rope))))['logp']!.data;
        for (const labels of layout.labelOf) results.push(Array.from(labels, (i) => (i < 0 ? null : Number(out[i]))));
      }
      return results;
    },
    release: () => session.release(),
  };
}
