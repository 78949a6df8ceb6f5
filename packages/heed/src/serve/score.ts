/** Log-probabilities of a text that is given, and what else was likely at each place. */
import { type Engine, type View, lower } from '@heed/tensor';

import { traceChoice } from '../generate/choose.js';
import type { Likely, Token } from '../generate/request.js';
import { layOut } from '../model/layout.js';
import type { Model } from '../model/load.js';
import type { AdapterPlan } from '../model/adapter.js';
import { createScorer } from '../model/scorer.js';
import { feedsOf, ropeFeed, scoringFeeds, traceReads } from '../model/scoring.js';
import { adaptedWeights, boundParameters, frozenWeights } from '../model/weights.js';

export interface TextScorer {
  /** Each token of a text after the first, with its log-probability and the `top` likeliest tokens of its place (none for 0). */
  score(ids: readonly number[], top: number): Promise<Token[]>;
}

type Adapter = { readonly plan: AdapterPlan; readonly parameters: View };

/** Places whose logits over the whole vocabulary are in memory together. */
const PLACES = 256;
/** What the program gives; requests take less. */
const COUNT = 64;

/** Compiles what is needed when it is first asked for. */
export function createTextScorer(engine: Engine, model: Model, adapter?: () => Promise<Adapter>): TextScorer {
  const lazily = <T>(make: (adapter?: Adapter) => Promise<T>): (() => Promise<T>) => {
    let made: Promise<T> | undefined;
    return () => (made ??= adapter === undefined ? make() : adapter().then(make));
  };
  const scorer = lazily((on) => createScorer(engine, model, on));
  const likeliest = lazily((on) => createLikeliest(engine, model, on));
  return {
    async score(ids, top) {
      if (ids.length < 2) return [];
      const [prompt, response] = [ids.slice(0, 1), ids.slice(1)];
      const [logprobs] = await (await scorer()).logProbs([{ prompt, response }]);
      const tops = top === 0 ? undefined : await (await likeliest())(prompt, response, top);
      return response.map((id, i) => ({ id, logprob: logprobs![i]!, ...(tops === undefined ? {} : { top: tops[i]! }) }));
    },
  };
}

async function createLikeliest(engine: Engine, { checkpoint, architecture }: Model, adapter?: Adapter) {
  const adapted = adapter && adaptedWeights(checkpoint, adapter.plan, { dropout: false });
  const count = Math.min(COUNT, architecture.vocabulary);
  const { values, indices, normaliser } = traceChoice(traceReads(architecture, adapted ?? frozenWeights(checkpoint), 'none').logits(), { kind: 'candidates', count });
  const session = await engine.compile(lower({ values: values!, indices: indices!, normaliser: normaliser! }, { folder: checkpoint.folder }));
  const rope = ropeFeed(architecture);
  if (adapter !== undefined) session.bind(boundParameters(adapted!, adapter.parameters));
  return async (prompt: readonly number[], response: readonly number[], top: number): Promise<Likely[][]> => {
    const all: Likely[][] = [];
    for (let from = 0; from < response.length; from += PLACES) {
      const n = Math.min(PLACES, response.length - from);
      const layout = layOut([{ prompt, response: response.slice(0, from + n), supervised: Array.from({ length: from + n }, (_, i) => i >= from) }]);
      const out = await session.run({
        ...feedsOf(session.program, scoringFeeds(layout, architecture, rope)),
        inverseTemperature: { data: new Float32Array(n).fill(1), shape: [n, 1] },
      });
      const [logits, ids, sums] = [out['values']!.data as Float32Array, out['indices']!.data as BigInt64Array, out['normaliser']!.data as Float32Array];
      // Places lie as the layout has them: those of the prompt's last row first.
      for (const at of layout.labelOf[0]!) {
        if (at >= 0) all.push(Array.from({ length: Math.min(top, count) }, (_, k) => ({ id: Number(ids[at * count + k]), logprob: logits[at * count + k]! - sums[2 * at]! })));
      }
    }
    return all;
  };
}
