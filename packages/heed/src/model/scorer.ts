import { type Engine, type View, lower, view } from '@heed/tensor';
import type { AdapterPlan } from './adapter.js';
import { type TokenSequence, layOut } from './layout.js';
import type { Model } from './load.js';
import { feedsOf, ropeFeed, scoringFeeds, traceLogProbs } from './scoring.js';
import { adaptedWeights, frozenWeights } from './weights.js';

/** Log-probabilities of given responses. */
export interface Scorer {
  /** log p of each supervised response token (null where not supervised), by sequence. */
  logProbs(sequences: readonly TokenSequence[]): Promise<(number | null)[][]>;
  release(): Promise<void>;
}

/** Tokens worked on in one pass. */
const TOKENS_PER_PASS = 1024;

/** Scores under the model itself, or under an adapter on it. */
export async function createScorer(engine: Engine, model: Pick<Model, 'checkpoint' | 'architecture'>, adapter?: { readonly plan: AdapterPlan; readonly parameters: View }): Promise<Scorer> {
  const { checkpoint, architecture } = model;
  const adapted = adapter && adaptedWeights(checkpoint, adapter.plan, { dropout: false });
  const logp = traceLogProbs(architecture, adapted ?? frozenWeights(checkpoint), 'none');
  const session = await engine.compile(lower({ logp }, { folder: checkpoint.folder }));
  const rope = ropeFeed(architecture);
  if (adapter !== undefined) {
    const { buffer, offset } = adapter.parameters;
    session.bind(Object.fromEntries(adapted!.parameters.map((p) => [p.name, view(buffer, p.shape, offset + p.offset)])));
  }
  return {
    async logProbs(sequences) {
      const results: (number | null)[][] = [];
      for (let from = 0; from < sequences.length; ) {
        let to = from;
        for (let tokens = 0; to < sequences.length && (to === from || tokens < TOKENS_PER_PASS); to++) tokens += sequences[to]!.prompt.length + sequences[to]!.response.length;
        const layout = layOut(sequences.slice(from, to));
        const out = (await session.run(feedsOf(session.program, scoringFeeds(layout, architecture, rope))))['logp']!.data;
        for (const labels of layout.labelOf) results.push(Array.from(labels, (i) => (i < 0 ? null : Number(out[i]))));
        from = to;
      }
      return results;
    },
    release: () => session.release(),
  };
}
